//! What the exported spans tell of it, in every protocol.

use super::super::{SPAN, TRACE};
use super::{TRACEPARENT, arrives};
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::Request;
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::receiver::{Kind, Receiver};

pub fn told(release: Release, module: &Path) -> Result<()> {
    let app = App::start()?;
    let receiver = Receiver::start()?;
    let trust = json!([
        {"match": {"hosts": ["restart.example"]}, "action": "restart"},
        {"match": {"hosts": ["strip.example"]}, "action": "strip"},
        {"match": {"hosts": ["ignore.example"]}, "action": "ignore"},
    ]);
    let protocols = ["otlp-http", "otlp-http-json", "otlp-grpc", "zipkin"];
    let mut proxy = Proxy::new(Node::gateway("istio-ingressgateway", "istio-system"))
        .cluster(Cluster::new("app", app.address()))
        .cluster(Cluster::new("collector", receiver.http()))
        .cluster(Cluster::new("collector-grpc", receiver.grpc()).http2());
    for protocol in protocols {
        let cluster = if protocol == "otlp-grpc" {
            "collector-grpc"
        } else {
            "collector"
        };
        let config = json!({
            "trust": trust,
            "export": {"protocol": protocol, "cluster": cluster, "batch": {"scheduleDelay": "10ms"}},
        });
        let plugin = Plugin::new(module, &config).named(protocol);
        proxy = proxy.listener(
            Listener::outbound(protocol)
                .plugin(&plugin)
                .route(Route::any("app")),
        );
    }
    let envoy = proxy.start(&release.binary()?)?;
    for protocol in protocols {
        let to = envoy.listener(protocol)?;
        let send = |host: &str| {
            let request = Request::get("/").header("host", host);
            let request = request
                .header("traceparent", TRACEPARENT)
                .header("tracestate", "a=1");
            arrives(to, &app, &request)
        };
        // One that is not exported before those that are: its spans would be first.
        send("ignore.example")?;
        let seen = send("restart.example")?;
        let traceparent = seen.get("traceparent").context("no traceparent")?;
        let traceparent = String::from_utf8_lossy(traceparent).into_owned();
        let spans = receiver.wait_for(2)?;
        receiver.take();
        let kind = |kind| spans.iter().find(move |span| span.kind == kind);
        let server = kind(Kind::Server).context("no server span")?;
        let client = kind(Kind::Client).context("no client span")?;
        ensure!(
            spans.len() == 2 && server.parent_id.is_none(),
            "{protocol}: {spans:#?}"
        );
        ensure!(
            server.trace_id != TRACE && server.trace_state.is_empty(),
            "{protocol}: {server}"
        );
        ensure!(
            traceparent == format!("00-{}-{}-01", server.trace_id, client.span_id),
            "{protocol}: {traceparent}"
        );
        // Zipkin has no links.
        let linked = if protocol == "zipkin" {
            vec![]
        } else {
            vec![(TRACE.to_owned(), SPAN.to_owned())]
        };
        ensure!(
            server.links == linked && client.links.is_empty(),
            "{protocol}: {server:?}"
        );

        let seen = send("strip.example")?;
        ensure!(seen.get("traceparent").is_none(), "{seen:?}");
        let spans = receiver.wait_for(2)?;
        receiver.take();
        ensure!(
            spans.len() == 2
                && spans
                    .iter()
                    .all(|span| span.trace_id == TRACE && span.links.is_empty()),
            "{protocol}: {spans:#?}"
        );
        let parents: Vec<_> = spans
            .iter()
            .filter_map(|span| span.parent_id.as_deref())
            .collect();
        ensure!(parents.contains(&SPAN), "{protocol}: {spans:#?}");
    }
    ensure!(receiver.invalid().is_empty(), "{:?}", receiver.invalid());
    check_health(&envoy)
}
