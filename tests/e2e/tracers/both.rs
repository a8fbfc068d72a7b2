//! `spans.whenMirroring: export`: the filter's spans beside those of a tracer that reports.

use super::setup::{COLLECTOR, CameIn, at_once};
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, Tracing};
use throughline_dev::poll;
use throughline_dev::receiver::{Protocol, Receiver, Span};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Under the tracer's span, in its trace; the access log has the filter's.
pub fn report(release: Release, module: &Path) -> Result<()> {
    let (app, receiver) = (App::start()?, Receiver::start()?);
    let plugin = json!({
        "nativeTracer": "mirror",
        "spans": {"whenMirroring": "export"},
        "export": {"cluster": COLLECTOR, "batch": {"scheduleDelay": "100ms"}},
    });
    let listener = Listener::inbound("inbound")
        .plugin(&Plugin::new(module, &plugin))
        .tracing(Tracing::opentelemetry(COLLECTOR, "tracer", 100.0))
        .log("span.id", "%FILTER_STATE(wasm.throughline.span_id:PLAIN)%")
        .route(Route::any("app"));
    let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(listener)
        .cluster(Cluster::new("app", app.address()))
        .cluster(receiver.cluster(COLLECTOR, Protocol::OtlpHttp))
        .merge(&at_once())
        .start(&release.binary()?)?;
    for came_in in [CameIn::Both, CameIn::Nothing] {
        let before = envoy.access_log("inbound")?.len();
        let request = Request::get("/").headers(&came_in.headers(TRACE, SPAN));
        client::send(envoy.listener("inbound")?, &request)?;
        let spans: [Span; 2] = receiver
            .wait_for(2)?
            .try_into()
            .map_err(|spans| anyhow::anyhow!("not one of each: {spans:#?}"))?;
        receiver.take();
        let (ours, theirs): (Vec<Span>, Vec<Span>) = spans
            .into_iter()
            .partition(|span| span.scope.name == "throughline");
        let (ours, theirs) = (
            ours.first().context("the filter's")?,
            theirs.first().context("the tracer's")?,
        );
        ensure!(
            ours.trace_id == theirs.trace_id && ours.parent_id.as_ref() == Some(&theirs.span_id),
            "{came_in}: {ours}\n{theirs}"
        );
        ensure!(
            (ours.trace_id == TRACE) == (came_in == CameIn::Both),
            "{came_in}: {ours}"
        );
        let entry = poll::until("the access log", || {
            Ok(envoy.access_log("inbound")?.get(before).cloned())
        })?;
        ensure!(entry["span.id"] == ours.span_id, "{came_in}: {entry:#}");
    }
    check_health(&envoy)
}
