//! Two plugins on one listener, each with an export of its own: a root namespace's and a workload's.

use super::stage::{Plan, Stage};
use crate::spans::exchange::shown;
use anyhow::{Result, ensure};
use serde_json::json;
use throughline_dev::http::Request;
use throughline_dev::mesh::Cluster;
use throughline_dev::poll;
use throughline_dev::receiver::{Kind, Receiver};

pub struct Two {
    first: Receiver,
    second: Receiver,
}

impl Two {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let (first, second) = (Receiver::start()?, Receiver::start()?);
        let plugins = [
            plan.plugin("first-of-two", &json!({"cluster": "first-of-two"})),
            plan.plugin(
                "second-of-two",
                &json!({"cluster": "second-of-two", "protocol": "zipkin"}),
            ),
        ];
        plan.cluster(Cluster::new("first-of-two", first.http()));
        plan.cluster(Cluster::new("second-of-two", second.http()));
        plan.shared("two", &plugins);
        Ok(Self { first, second })
    }

    /// One reports the hop; the other stands aside, and is counted.
    pub fn both(&self, stage: &Stage) -> Result<()> {
        let before = stage.stood_aside()?;
        let answer = stage.request("two", &Request::get("/up/ok"))?;
        ensure!(answer.status == 200, "{answer:?}");
        let spans = self.first.wait_for(2)?;
        let [server, client] = spans.as_slice() else {
            anyhow::bail!("{}", shown(&spans));
        };
        ensure!(
            server.kind == Kind::Server
                && server.parent_id.is_none()
                && client.kind == Kind::Client
                && client.parent_id.as_ref() == Some(&server.span_id),
            "{}",
            shown(&spans)
        );
        poll::until("the second to be counted", || {
            Ok((stage.stood_aside()? == before + 1).then_some(()))
        })?;
        ensure!(self.second.tally().accepted == 0, "the second reported too");
        stage.expect_exported(2, 1, "200");
        Ok(())
    }
}
