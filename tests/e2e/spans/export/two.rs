//! Two plugins on one listener, each with an export of its own.

use super::stage::{Plan, Stage};
use crate::spans::exchange::shown;
use anyhow::{Result, ensure};
use serde_json::json;
use throughline_dev::http::Request;
use throughline_dev::mesh::Cluster;
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
        plan.listener("two", &plugins);
        Ok(Self { first, second })
    }

    /// Each reports its own spans, and the second's are under the first's.
    pub fn both(&self, stage: &Stage) -> Result<()> {
        let answer = stage.request("two", &Request::get("/up/ok"))?;
        ensure!(answer.status == 200, "{answer:?}");
        let mut spans = self.first.wait_for(2)?;
        spans.extend(self.second.wait_for(2)?);
        let mut parent = None;
        for (span, kind) in spans
            .iter()
            .zip([Kind::Server, Kind::Client].into_iter().cycle())
        {
            ensure!(
                span.kind == kind && span.parent_id == parent && span.trace_id == spans[0].trace_id,
                "{}",
                shown(&spans)
            );
            parent = Some(span.span_id.clone());
        }
        ensure!(spans.len() == 4, "{}", shown(&spans));
        stage.expect_exported(2, 1, "200");
        stage.expect_exported(2, 1, "202");
        Ok(())
    }
}
