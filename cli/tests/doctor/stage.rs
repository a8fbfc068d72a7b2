//! What the states share: an application behind a sidecar, a collector, and addresses where nobody listens.

use anyhow::Result;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use tempfile::TempDir;
use throughline_dev::accounts::labelled;
use throughline_dev::app::App;
use throughline_dev::built;
use throughline_dev::envoy::Envoy;
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Node, Plugin, Proxy, documented_access_log};
use throughline_dev::receiver::{Protocol, Receiver};
use throughline_dev::refused::Refused;

/// The cluster that spans go to.
pub const COLLECTOR: &str = "collector";

pub struct Stage {
    pub app: App,
    pub receiver: Receiver,
    pub refused: Refused,
    pub module: PathBuf,
    /// For files that Envoy reads.
    pub directory: TempDir,
}

impl Stage {
    pub fn new() -> Result<Self> {
        Ok(Self {
            app: App::start()?,
            receiver: Receiver::start()?,
            refused: Refused::take()?,
            module: built::module()?,
            directory: TempDir::new()?,
        })
    }

    /// The filter with nothing wrong about it, and that `export`.
    pub fn plugin(&self, export: &Value) -> Plugin {
        self.configured(&json!({"sampling": {"arg": 0.5}, "export": export}))
    }

    /// The filter with that configuration.
    pub fn configured(&self, config: &Value) -> Plugin {
        Plugin::new(&self.module, config).failure_policy("FAIL_OPEN")
    }

    /// A sidecar with nothing wrong about it.
    pub fn sidecar(&self, plugin: Option<&Plugin>) -> Result<Proxy> {
        self.sidecar_before(self.app.address(), plugin)
    }

    /// The same, with what the application calls at that address.
    pub fn sidecar_before(&self, callee: SocketAddr, plugin: Option<&Plugin>) -> Result<Proxy> {
        let format = documented_access_log()?;
        let node = Node::sidecar("productpage", "productpage-v1", "bookinfo");
        let proxy = Proxy::sidecar(node, self.app.address(), callee, plugin)
            .each_listener(|listener| listener.log_only(&format))
            .cluster(self.receiver.cluster(COLLECTOR, Protocol::OtlpHttp));
        Ok(labelled(proxy))
    }
}

/// Spans that leave soon, to that cluster.
pub fn to(cluster: &str) -> Value {
    json!({"protocol": "otlp-http", "cluster": cluster, "batch": {"scheduleDelay": "50ms"}})
}

/// A sampled trace.
pub fn sampled() -> Headers {
    Headers::new().with(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
}

/// Requests through both listeners of a sidecar, whatever they are answered.
pub fn send(envoy: &Envoy, requests: usize, headers: &Headers) -> Result<()> {
    for listener in ["inbound", "outbound"] {
        for _ in 0..requests {
            client::send(
                envoy.listener(listener)?,
                &Request::get("/").headers(headers),
            )?;
        }
    }
    Ok(())
}
