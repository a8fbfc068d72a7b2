//! Requests that went nowhere, beside a tracer at 0 %: nothing is written to them, and Envoy traces none.

use super::setup::{COLLECTOR, Tracer, at_once, config};
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::poll;
use throughline_dev::receiver::{Protocol, Receiver};

/// A filter that denies what says where it stands.
fn denial(place: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"http_status": 403, "percentage": {"numerator": 100}},
        "headers": [{"name": "x-deny", "string_match": {"exact": place}}],
    })
}

/// The filter's span tells of each, and the access log has its trace.
pub fn nowhere(release: Release, module: &Path) -> Result<()> {
    for tracer in Tracer::ALL {
        let (app, receiver) = (App::start()?, Receiver::start()?);
        let listener = Listener::inbound("inbound")
            .filter("before", &denial("before"))
            .plugin(&Plugin::new(module, &config("auto")))
            .later_filter("after", &denial("after"))
            .tracing(tracer.tracing(0.0, true))
            .log(
                "trace.id",
                "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%",
            )
            .route(Route::answer(404, "nothing").prefix("/answered"))
            .route(Route::any("app"));
        let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
            .listener(listener)
            .cluster(Cluster::new("app", app.address()))
            .cluster(receiver.cluster(COLLECTOR, Protocol::OtlpHttp))
            .merge(&at_once())
            .start(&release.binary()?)?;
        let to = envoy.listener("inbound")?;
        let requests = [
            // From the first that arrives the tracer is found out.
            (Request::get("/learn"), 200),
            (Request::get("/before").header("x-deny", "before"), 403),
            (Request::get("/after").header("x-deny", "after"), 403),
            (Request::get("/answered"), 404),
        ];
        for (number, (request, status)) in requests.iter().enumerate() {
            let answer = client::send(to, request)?;
            ensure!(answer.status == *status, "{tracer}: {answer:?}");
            let entry = poll::until("the access log", || {
                Ok(envoy.access_log("inbound")?.get(number).cloned())
            })?;
            let trace = entry["trace.id"].as_str().context("trace.id")?;
            let spans = receiver
                .wait_for(1)
                .with_context(|| format!("{tracer}: {entry}"))?;
            receiver.take();
            ensure!(
                spans.len() == 1
                    && spans
                        .iter()
                        .all(|span| span.scope.name == "throughline" && span.trace_id == trace),
                "{tracer}: {entry}: {spans:#?}"
            );
        }
        check_health(&envoy)?;
    }
    Ok(())
}
