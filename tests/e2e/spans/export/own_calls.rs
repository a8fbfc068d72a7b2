//! The filter on the way of another's export calls: on two proxies in a row, whatever it extracts, and though it samples
//! everything.

use super::calls::untraced;
use super::stage::{Plan, Stage};
use anyhow::{Result, ensure};
use serde_json::json;
use throughline_dev::envoy::prometheus;
use throughline_dev::mesh::{Cluster, Listener, Plugin, Route};
use throughline_dev::receiver::Receiver;

const EXTRACTS: [&[&str]; 4] = [
    &["tracecontext"],
    &["b3"],
    &["b3multi"],
    &["tracecontext", "b3"],
];

const PROTOCOLS: [(&str, &str); 4] = [
    ("otlp-http", "200"),
    ("otlp-http-json", "200"),
    ("zipkin", "202"),
    ("otlp-grpc", "grpc_0"),
];

/// Where the calls pass.
const HOPS: [&str; 2] = ["first-hop", "second-hop"];

pub struct OwnCalls {
    receiver: Receiver,
    /// What the filters on the way would export to.
    wrong: Receiver,
}

impl OwnCalls {
    pub fn plan(plan: &mut Plan) -> Result<Self> {
        let (receiver, wrong) = (Receiver::start()?, Receiver::start()?);
        let mut plugins = Vec::new();
        for (protocol, _) in PROTOCOLS {
            let cluster = if protocol == "otlp-grpc" {
                "first-hop-grpc"
            } else {
                "first-hop"
            };
            let export = json!({"protocol": protocol, "cluster": cluster});
            plugins.push(plan.plugin(&format!("own-{protocol}"), &export));
        }
        plan.listener("own", &plugins);
        let on_the_way: Vec<Plugin> = EXTRACTS
            .iter()
            .map(|extract| {
                let name = format!("extract-{}", extract.join("-"));
                let config = json!({
                    "propagation": {"extract": extract, "inject": ["tracecontext", "b3", "b3multi"]},
                    "sampling": {"sampler": "always_on"},
                    "export": {"cluster": "wrong", "batch": {"scheduleDelay": "10ms"}},
                });
                plan.plugin(&name, &json!({})).configured(&config.to_string())
            })
            .collect();
        for (hop, next) in HOPS.into_iter().zip(["second-hop", "collector"]) {
            let listener = Listener::plain(hop)
                .route(Route::any(&format!("{next}-grpc")).prefix("/opentelemetry.proto"))
                .route(Route::any(next))
                .merge(&json!({"route_config": {"validate_clusters": false}}));
            plan.add(on_the_way.iter().fold(listener, Listener::plugin));
        }
        plan.cluster(Cluster::new("collector", receiver.http()));
        plan.cluster(Cluster::new("collector-grpc", receiver.grpc()).http2());
        plan.cluster(Cluster::new("wrong", wrong.http()));
        Ok(Self { receiver, wrong })
    }

    /// Neither traced nor exported, and counted as what they are.
    pub fn pass(&self, stage: &Stage) -> Result<()> {
        for hop in HOPS {
            let address = stage.envoy.listener(hop)?;
            stage.discover([
                (hop.to_owned(), Cluster::new(hop, address)),
                (
                    format!("{hop}-grpc"),
                    Cluster::new(&format!("{hop}-grpc"), address).http2(),
                ),
            ])?;
        }
        stage.send("own", 1)?;
        self.receiver.wait_for(4)?;
        for call in self.receiver.requests() {
            untraced(&call)?;
        }
        for (_, code) in PROTOCOLS {
            stage.expect_exported(1, 1, code);
        }
        let passed = PROTOCOLS.len() * HOPS.len() * EXTRACTS.len();
        let page = prometheus::samples(&stage.envoy.prometheus()?);
        let counted = page.iter().find(|sample| {
            sample.metric == "throughline_requests" && sample.label("origin") == "exporter"
        });
        ensure!(
            counted.is_some_and(|sample| sample.value == passed as f64),
            "{counted:?} instead of {passed}"
        );
        Ok(())
    }

    /// When all is over.
    pub fn nothing_else(&self) -> Result<()> {
        let calls = self.wrong.requests();
        ensure!(
            calls.is_empty(),
            "an exporter's call was exported: {calls:#?}"
        );
        Ok(())
    }
}
