//! What Envoy writes without the filter: the table of docs/which-headers.md, "What Envoy and Istio write by themselves".

use super::{SPAN, TRACE};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Headers, Request, TRACE_HEADERS, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Proxy, Route, Tracing};
use throughline_dev::receiver::Receiver;

pub fn headers(release: Release, _: &Path) -> Result<()> {
    const NEVER: f64 = 0.0;
    let (app, collector) = (App::start()?, Receiver::start()?);
    let tracers = [
        ("none", Tracing::without_provider()),
        ("zipkin", Tracing::zipkin("collector", NEVER)),
        (
            "opentelemetry",
            Tracing::opentelemetry("collector", "productpage", NEVER),
        ),
    ];
    let mut proxy = Proxy::new(Node::sidecar("productpage", "productpage-v1", "bookinfo"))
        .cluster(Cluster::new("app", app.address()))
        .cluster(Cluster::new("collector", collector.http()));
    for (name, tracing) in tracers {
        let listener = Listener::outbound(name).tracing(tracing);
        proxy = proxy.listener(listener.route(Route::any("app")));
    }
    let envoy = proxy.start(&release.binary()?)?;
    let arrives = |listener: &str, request: Request| -> Result<Headers> {
        client::send(envoy.listener(listener)?, &request)?;
        let got = app.take_seen().pop().context("no request arrived")?;
        Ok(got.headers)
    };
    let names = |got: &Headers| -> Vec<&str> {
        let there = TRACE_HEADERS.into_iter();
        there.filter(|name| got.contains(name)).collect()
    };
    let multi = ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"];
    let w3c = ["traceparent", "tracestate"];
    for (listener, written) in [
        ("none", &[][..]),
        ("zipkin", &multi),
        ("opentelemetry", &w3c),
    ] {
        let got = arrives(listener, Request::get("/"))?;
        ensure!(
            names(&got) == written && got.contains("x-request-id"),
            "{listener}, from a request without headers:\n{got:?}"
        );
    }
    // From Envoy 1.40 on its Zipkin tracer answers a single header with one.
    let in_kind = release >= Release::find("1.40")?;
    let b3 = format!("{TRACE}-{SPAN}-1");
    for (listener, written, stale) in [
        ("none", &[][..], true),
        ("zipkin", if in_kind { &[][..] } else { &multi }, !in_kind),
        ("opentelemetry", &w3c, true),
    ] {
        let got = arrives(listener, Request::get("/").header("b3", &b3))?;
        let mut names = names(&got);
        // A span under another has one, and that is the caller's.
        names.retain(|name| !["b3", "x-b3-parentspanid"].contains(name));
        let untouched = got.get("b3") == Some(b3.as_bytes());
        ensure!(
            names == written && untouched == stale,
            "{listener}, beside b3:\n{got:?}"
        );
    }
    envoy.check_alive()
}
