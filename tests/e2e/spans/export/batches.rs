//! Batches by size and by time, one queue for all listeners, and the flush when the configuration changes.

use super::stage::{Plan, Stage};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use throughline_dev::http::{Client, Request};
use throughline_dev::mesh::{Cluster, Plugin};
use throughline_dev::poll;
use throughline_dev::receiver::{Behaviour, Receiver};

pub struct Batches {
    by_size: Receiver,
    by_time: Receiver,
    plugin: Plugin,
    changed: Plugin,
}

/// Longer than any test: only its size makes a batch leave.
const LONG: &str = "60s";

impl Batches {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let (by_size, by_time) = (Receiver::start()?, Receiver::start()?);
        let export = |size| json!({"cluster": "by-size", "batch": {"maxExportBatchSize": size, "scheduleDelay": LONG}});
        let (plugin, changed) = (
            plan.plugin("by-size", &export(3)),
            plan.plugin("by-size", &export(2)),
        );
        let timed = json!({"cluster": "by-time", "batch": {"scheduleDelay": "50ms"}});
        let timed = plan.plugin("by-time", &timed);
        plan.cluster(Cluster::new("by-size", by_size.http()));
        plan.cluster(Cluster::new("by-time", by_time.http()));
        plan.listener("size-1", std::slice::from_ref(&plugin));
        plan.listener("size-2", std::slice::from_ref(&plugin));
        plan.listener("time", &[timed]);
        Ok(Self {
            by_size,
            by_time,
            plugin,
            changed,
        })
    }

    /// A full batch leaves at once, whichever listeners filled it.
    pub fn size(&self, stage: &Stage) -> Result<()> {
        stage.send("size-1", 2)?;
        stage.send("size-2", 1)?;
        self.by_size.wait_for(3)?;
        self.had(&[3])?;
        stage.expect_exported(3, 1, "200");
        Ok(())
    }

    /// What is not full leaves when its time has come.
    pub fn time(&self, stage: &Stage) -> Result<()> {
        stage.send("time", 1)?;
        self.by_time.wait_for(1)?;
        stage.expect_exported(1, 1, "200");
        Ok(())
    }

    /// What waits under a configuration that goes is sent, and its answer still counts.
    pub fn change(&self, stage: &Stage) -> Result<()> {
        stage.send("size-1", 1)?;
        stage.send("size-2", 1)?;
        self.by_size
            .then([Behaviour::AcceptAfter(Duration::from_millis(100))]);
        self.changed.reload(&stage.envoy)?;
        self.by_size
            .wait_for(5)
            .context("the queue was not flushed")?;
        self.had(&[3, 2])?;
        stage.expect_exported(2, 1, "200");
        // The new one is at work, on every listener.
        stage.send("size-1", 1)?;
        stage.send("size-2", 1)?;
        self.by_size.wait_for(7)?;
        self.had(&[3, 2, 2])?;
        stage.expect_exported(2, 1, "200");
        Ok(())
    }

    /// A stream that outlives its configuration has its spans all the same, once, however often Envoy logs it before.
    pub fn outlived(&self, stage: &Stage) -> Result<()> {
        let mut stream = Client::connect(stage.envoy.listener("size-1")?)?;
        stream.begin(&Request::get("/up/streams").header("x-request-id", "outlives"))?;
        stage.upstream.wait_for("outlives")?;
        // The same configuration as before is another one than the one that has gone.
        self.plugin.reload(&stage.envoy)?;
        stage.send("size-2", 3)?;
        self.by_size.wait_for(10)?;
        self.had(&[3, 2, 2, 3])?;
        stage.expect_exported(3, 1, "200");
        poll::until("Envoy to log while the request lasts", || {
            let log = stage.envoy.access_log("size-1")?;
            let of_this = |entry: &&Value| entry["path"] == "/up/streams";
            Ok((log.iter().filter(of_this).count() > 2).then_some(()))
        })?;
        stage.upstream.release("outlives");
        ensure!(stream.receive("GET")?.status == 200, "the stream broke");
        self.by_size
            .wait_for(12)
            .context("the stream's spans were lost")?;
        self.had(&[3, 2, 2, 3, 2])?;
        stage.expect_exported(2, 1, "200");
        Ok(())
    }

    /// How many spans each call had.
    fn had(&self, expected: &[usize]) -> Result<()> {
        let sizes = sizes(&self.by_size);
        ensure!(sizes == expected, "{sizes:?}, not {expected:?}");
        Ok(())
    }

    /// Nothing that waits, nothing that is sent.
    pub fn idle(&self) -> Result<()> {
        let sizes = sizes(&self.by_time);
        ensure!(sizes == [1], "{sizes:?}");
        Ok(())
    }
}

fn sizes(receiver: &Receiver) -> Vec<usize> {
    receiver.requests().iter().map(|call| call.spans).collect()
}
