//! A listener that goes: Envoy drains it first, and then its spans must not be lost.

use super::stage::{Plan, Stage};
use anyhow::{Context, Result};
use serde_json::json;
use throughline_dev::mesh::{Cluster, withdraw};
use throughline_dev::receiver::Receiver;

pub struct Draining {
    receiver: Receiver,
}

impl Draining {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let receiver = Receiver::start()?;
        let export = json!({"cluster": "draining", "batch": {"scheduleDelay": "60s"}});
        let plugin = plan.plugin("draining", &export);
        plan.cluster(Cluster::new("draining", receiver.http()));
        plan.withdrawable("draining", &[plugin]);
        Ok(Self { receiver })
    }

    pub fn begin(&self, stage: &Stage) -> Result<()> {
        stage.send("draining", 2)?;
        withdraw(&stage.envoy)
    }

    pub fn end(&self, stage: &Stage) -> Result<()> {
        self.receiver
            .wait_for(2)
            .context("the listener went with its spans")?;
        stage.expect_exported(2, 1, "200");
        Ok(())
    }
}
