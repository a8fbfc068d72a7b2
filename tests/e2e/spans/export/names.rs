//! Clusters whose names Envoy's gRPC calls would take for something else, and abort.

use super::stage::{Plan, Stage};
use anyhow::{Result, ensure};
use serde_json::json;
use throughline_dev::mesh::Cluster;
use throughline_dev::receiver::Receiver;

/// Each happens to be the beginning of a serialised GrpcService.
const NAMES: [&str; 5] = ["analytics", "inference", "hc", "h1", "a.default"];

/// The protocols over HTTP, and the codes of their success.
const HTTP: [(&str, &str); 3] = [
    ("otlp-http", "200"),
    ("otlp-http-json", "200"),
    ("zipkin", "202"),
];

pub struct Names {
    receiver: Receiver,
}

impl Names {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let plugin = |name: &str, protocol: &str| {
            let export = json!({"protocol": protocol, "cluster": name});
            plan.plugin(&format!("{name}-{protocol}"), &export)
        };
        let grpc = NAMES.map(|name| plugin(name, "otlp-grpc"));
        // Their calls differ in nothing that has to do with the cluster: one each will do.
        let names = NAMES.into_iter().zip(HTTP.into_iter().cycle());
        let http: Vec<_> = names
            .map(|(name, (protocol, _))| plugin(name, protocol))
            .collect();
        plan.listener("names", &http);
        plan.listener("names-grpc", &grpc);
        Ok(Self {
            receiver: Receiver::start()?,
        })
    }

    /// By HTTP first, and then by gRPC, for which the clusters speak HTTP/2.
    pub fn called(&self, stage: &Stage) -> Result<()> {
        let (http, grpc) = (self.receiver.http(), self.receiver.grpc());
        stage.discover(NAMES.map(|name| (name.to_owned(), Cluster::new(name, http))))?;
        stage.send("names", 1)?;
        self.receiver.wait_for(5)?;
        stage.discover(NAMES.map(|name| (name.to_owned(), Cluster::new(name, grpc).http2())))?;
        stage.send("names-grpc", 1)?;
        self.receiver.wait_for(10)?;
        let calls = self.receiver.requests();
        for name in NAMES {
            let named = calls
                .iter()
                .filter(|call| call.headers.get("host") == Some(name.as_bytes()));
            ensure!(named.count() == 2, "not two calls of {name}: {calls:#?}");
        }
        for (_, (_, code)) in NAMES.iter().zip(HTTP.iter().cycle()) {
            stage.expect_exported(1, 1, code);
        }
        stage.expect_exported(5, 5, "grpc_0");
        Ok(())
    }
}
