//! A sidecar whose spans go to a receiver.

use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::app::{App, Call, Forward};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, Response, client};
use throughline_dev::mesh::{Cluster, Node, Plugin, Proxy};
use throughline_dev::receiver::{Kind, Receiver, Span};

/// An application that calls another one, its sidecar with the filter, and what the filter exports to.
pub struct Stage {
    pub app: App,
    pub callee: App,
    pub envoy: Envoy,
    pub receiver: Receiver,
}

impl Stage {
    /// Starts everything; `config` is merged into one that exports to the receiver.
    pub fn start(release: Release, module: &Path, protocol: &str, config: &Value) -> Result<Self> {
        Self::start_with(release, module, protocol, config, |proxy| proxy)
    }

    /// The same, with whatever else `change` does to the sidecar.
    pub fn start_with(
        release: Release,
        module: &Path,
        protocol: &str,
        config: &Value,
        change: impl FnOnce(Proxy) -> Proxy,
    ) -> Result<Self> {
        let receiver = Receiver::start()?;
        let (app, callee) = (App::start()?, App::start()?);
        let mut settings = json!({
            "export": {"protocol": protocol, "cluster": "collector", "batch": {"scheduleDelay": "50ms"}},
        });
        throughline_dev::mesh::merge(&mut settings, config);
        let plugin = Plugin::new(module, &settings);
        let node = Node::sidecar("productpage", "productpage-v1", "bookinfo");
        let proxy = Proxy::sidecar(node, app.address(), callee.address(), Some(&plugin))
            .cluster(collector(&receiver, protocol))
            .stats_tag("outcome")
            .stats_tag("reason")
            .stats_tag("code")
            .stats_tag("origin");
        let envoy = change(proxy).start(&release.binary()?)?;
        app.forward(Forward::Everything);
        app.calls(vec![Call::new(
            envoy.listener("outbound")?,
            "reviews.bookinfo:9080",
            "/reviews/0",
        )]);
        Ok(Self {
            app,
            callee,
            envoy,
            receiver,
        })
    }

    /// Sends a request to `listener`.
    pub fn send(&self, listener: &str, request: &Request) -> Result<Response> {
        client::send(self.envoy.listener(listener)?, request)
    }

    /// The next `count` spans, and nothing wrong with any of them.
    pub fn spans(&self, count: u64) -> Result<Vec<Span>> {
        self.receiver.wait_for(count)?;
        let spans = self.receiver.take();
        let invalid = self.receiver.invalid();
        ensure!(invalid.is_empty(), "invalid: {invalid:#?}");
        check_health(&self.envoy)?;
        Ok(spans)
    }
}

/// The cluster `collector`.
pub fn collector(receiver: &Receiver, protocol: &str) -> Cluster {
    if protocol == "otlp-grpc" {
        Cluster::new("collector", receiver.grpc()).http2()
    } else {
        Cluster::new("collector", receiver.http())
    }
}

/// The only span of that kind.
pub fn only(spans: &[Span], kind: Kind) -> Result<&Span> {
    let mut found = spans.iter().filter(|span| span.kind == kind);
    let span = found
        .next()
        .with_context(|| format!("no {kind} span in {spans:#?}"))?;
    ensure!(found.next().is_none(), "several {kind} spans: {spans:#?}");
    Ok(span)
}
