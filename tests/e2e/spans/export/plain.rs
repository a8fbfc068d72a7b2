//! An Envoy that Istio does not run: which spans it is depends on the listener's direction, if it has one.

use super::stage::{Plan, Stage};
use crate::spans::exchange::shown;
use anyhow::{Result, ensure};
use serde_json::json;
use throughline_dev::http::Request;
use throughline_dev::mesh::{Cluster, Listener, Route};
use throughline_dev::receiver::{Kind, Receiver};

pub struct Plain {
    receiver: Receiver,
}

impl Plain {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let receiver = Receiver::start()?;
        let plugin = plan.plugin("plain", &json!({"cluster": "plain"}));
        plan.cluster(Cluster::new("plain", receiver.http()));
        plan.listener("plain", std::slice::from_ref(&plugin));
        for listener in [
            Listener::inbound("plain-in"),
            Listener::outbound("plain-out"),
        ] {
            plan.add(listener.plugin(&plugin).route(Route::any("upstream")));
        }
        Ok(Self { receiver })
    }

    pub fn kinds(&self, stage: &Stage) -> Result<()> {
        for (listener, kinds) in [
            ("plain", &[Kind::Server, Kind::Client][..]),
            ("plain-in", &[Kind::Server]),
            ("plain-out", &[Kind::Client]),
        ] {
            let answer = stage.request(listener, &Request::get("/up/ok"))?;
            ensure!(answer.status == 200, "{answer:?}");
            self.receiver.wait_for(kinds.len() as u64)?;
            let spans = self.receiver.take();
            let (got, services): (Vec<_>, Vec<_>) =
                spans.iter().map(|span| (span.kind, &*span.service)).unzip();
            ensure!(
                got == kinds && services.iter().all(|service| *service == "edge"),
                "{listener}:\n{}",
                shown(&spans)
            );
            stage.expect_exported(kinds.len() as u64, 1, "200");
        }
        Ok(())
    }
}
