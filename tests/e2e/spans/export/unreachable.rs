//! Destinations that Envoy cannot reach: said once, with the fix, and over when it can.

use super::stage::{Plan, Stage};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use throughline_dev::accounts::Accounts;
use throughline_dev::mesh::Cluster;
use throughline_dev::poll;
use throughline_dev::receiver::Receiver;

const MISSING: &str = "outbound|4318||missing.monitoring.svc.cluster.local";
const WITHOUT_HOSTS: &str = "outbound|4317||empty.monitoring.svc.cluster.local";
const WITHOUT_HTTP2: &str = "outbound|4317||old.monitoring.svc.cluster.local";

/// A cluster by name, and what the error must say besides that name.
const FIXES: [(&str, &str); 3] = [
    (MISSING, "ServiceEntry of that host with port 4318"),
    (WITHOUT_HOSTS, "port 4317 is named grpc-"),
    (WITHOUT_HTTP2, "port 4317 is named grpc-"),
];

pub struct Unreachable {
    receiver: Receiver,
}

impl Unreachable {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let to = |host: &str, protocol| json!({"service": format!("{host}.monitoring.svc"), "protocol": protocol});
        let plugins = [
            plan.plugin("missing", &to("missing", "otlp-http")),
            plan.plugin("without-hosts", &to("empty", "otlp-grpc")),
            plan.plugin("without-http2", &to("old", "otlp-grpc")),
        ];
        plan.listener("unreachable", &plugins);
        Ok(Self {
            receiver: Receiver::start()?,
        })
    }

    /// Requests pass, each fault is said once, and the gauge is up.
    pub fn begin(&self, stage: &Stage) -> Result<()> {
        let grpc = self.receiver.grpc();
        let none = json!({"load_assignment": {"endpoints": []}});
        stage.discover([
            (
                WITHOUT_HOSTS.to_owned(),
                Cluster::new(WITHOUT_HOSTS, grpc).http2().merge(&none),
            ),
            (WITHOUT_HTTP2.to_owned(), Cluster::new(WITHOUT_HTTP2, grpc)),
        ])?;
        stage.send("unreachable", 1)?;
        for (cluster, fix) in FIXES {
            let line = poll::until(&format!("the error about {cluster}"), || {
                Ok(said(stage, "spans do not leave by", cluster).pop())
            })?;
            ensure!(
                line.contains("[error]") && line.contains(fix),
                "not the fix {fix:?}: {line}"
            );
        }
        ensure!(stage.is_unreachable()?, "the gauge is down");
        Ok(())
    }

    /// The gauge stays up while others' spans leave and others' configurations change.
    pub fn lasts(&self, stage: &Stage) -> Result<()> {
        ensure!(stage.is_unreachable()?, "the gauge is down");
        Ok(())
    }

    /// Envoy learns how to reach them.
    pub fn heal(&self, stage: &Stage) -> Result<()> {
        let (http, grpc) = (self.receiver.http(), self.receiver.grpc());
        stage.discover([
            (MISSING.to_owned(), Cluster::new(MISSING, http)),
            (
                WITHOUT_HOSTS.to_owned(),
                Cluster::new(WITHOUT_HOSTS, grpc).http2(),
            ),
            (
                WITHOUT_HTTP2.to_owned(),
                Cluster::new(WITHOUT_HTTP2, grpc).http2(),
            ),
        ])?;
        Ok(())
    }

    /// Every span arrives, which is said once too.
    pub fn end(&self, stage: &Stage) -> Result<()> {
        self.receiver.wait_for(3)?;
        stage.expect(&Accounts {
            finished: 3,
            exported: 3,
            calls: [("200".to_owned(), 1), ("grpc_0".to_owned(), 2)].into(),
            ..Accounts::default()
        });
        for (cluster, _) in FIXES {
            poll::until(&format!("the line that {cluster} is reachable"), || {
                Ok(said(stage, "spans leave again by", cluster).pop())
            })?;
            let lines = said(stage, "spans do not leave by", cluster);
            ensure!(lines.len() == 1, "said more than once: {lines:#?}");
        }
        poll::until("the gauge to go down", || {
            Ok((!stage.is_unreachable()?).then_some(()))
        })
        .context("all is well again")
    }
}

/// The lines of Envoy's log that say it of that cluster.
fn said(stage: &Stage, what: &str, cluster: &str) -> Vec<String> {
    let log = stage.envoy.log();
    let lines = log
        .lines()
        .filter(|line| line.contains(what) && line.contains(cluster));
    lines.map(str::to_owned).collect()
}
