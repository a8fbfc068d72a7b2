//! What leaves the mesh, and to whom.

use super::super::{SPAN, TRACE};
use super::{TRACEPARENT, arrives, done};
use crate::stage::check_health;
use anyhow::{Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::Request;
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::poll;

pub fn outside(release: Release, module: &Path) -> Result<()> {
    let app = App::start()?;
    let config = json!({
        "trust": [
            {"match": {"hosts": ["*.googleapis.com", "api.openai.com"]}, "action": "strip"},
            {"match": {"external": true}, "action": "strip"},
            {"match": {"hosts": ["health.bookinfo"]}, "action": "ignore"},
        ],
        "propagation": {"inject": ["tracecontext", "b3multi"]},
        "customTags": {"tenant": {"header": {"name": "x-tenant"}}},
        "tags": {"to": ["accessLog", "baggage", "header:x-tag"]},
    });
    let plugin = Plugin::new(module, &config);
    let outbound = Listener::outbound("outbound")
        .plugin(&plugin)
        .log(
            "trace.id",
            "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%",
        )
        .log(
            "tenant",
            "%FILTER_STATE(wasm.throughline.tag.tenant:PLAIN)%",
        )
        .route(Route::host(
            "reviews",
            "outbound|9080||reviews.bookinfo.svc.cluster.local",
        ))
        .route(Route::host(
            "health.bookinfo",
            "outbound|9080||health.bookinfo.svc.cluster.local",
        ))
        .route(Route::host(
            "api.example.com",
            "outbound|80||api.example.com",
        ))
        .route(Route::host(
            "api.openai.com",
            "outbound|443||istio-egressgateway.istio-system.svc.cluster.local",
        ))
        .route(Route::any("PassthroughCluster"));
    let mut proxy =
        Proxy::new(Node::sidecar("productpage", "productpage-v1", "bookinfo")).listener(outbound);
    for name in [
        "outbound|9080||reviews.bookinfo.svc.cluster.local",
        "outbound|9080||health.bookinfo.svc.cluster.local",
        "outbound|443||istio-egressgateway.istio-system.svc.cluster.local",
        "PassthroughCluster",
    ] {
        proxy = proxy.cluster(Cluster::new(name, app.address()));
    }
    let envoy = proxy
        .cluster(Cluster::new("outbound|80||api.example.com", app.address()).external())
        .start(&release.binary()?)?;
    let to = envoy.listener("outbound")?;
    for (number, (host, expected)) in [
        ("reviews:9080", "continue"),
        ("health.bookinfo", "ignore"),
        ("api.example.com", "strip"),
        ("storage.googleapis.com", "strip"),
        ("Storage.GoogleAPIs.com:443", "strip"),
        ("unknown.example", "strip"),
        // Not before it leaves.
        ("api.openai.com", "continue"),
    ]
    .into_iter()
    .enumerate()
    {
        let request = Request::get("/")
            .header("host", host)
            .header("traceparent", TRACEPARENT);
        let seen = arrives(to, &app, &request)?;
        ensure!(done(&seen) == expected, "{host}: not {expected}: {seen:?}");
        let line = poll::until("the access log", || {
            Ok(envoy.access_log("outbound")?.into_iter().nth(number))
        })?;
        let logged = if expected == "ignore" {
            None
        } else {
            Some(TRACE)
        };
        ensure!(
            line["trace.id"].as_str().filter(|id| *id != "-") == logged,
            "{host}: {line}"
        );
    }
    // Nothing of any format leaves, nor tags, nor what a hop before wrote for them.
    let everything = Request::get("/")
        .header("host", "api.example.com")
        .header("x-request-id", "463ac35c-9f64-13ad-4848-5a3953bb6124")
        .header("x-tenant", "gold")
        .header("x-tag", "gold")
        .header("traceparent", TRACEPARENT)
        .header("tracestate", "a=1")
        .header("tracestate", "b=2")
        .header("baggage", "user=alice")
        .header("b3", format!("{TRACE}-{SPAN}-1"))
        .header("x-b3-traceid", TRACE)
        .header("x-b3-spanid", SPAN)
        .header("x-b3-parentspanid", SPAN)
        .header("x-b3-sampled", "1")
        .header("x-b3-flags", "1")
        .header("uber-trace-id", format!("{TRACE}:{SPAN}:0:1"))
        .header("uberctx-user", "alice")
        .header(
            "x-amzn-trace-id",
            "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1",
        )
        .header("x-datadog-trace-id", "1")
        .header("x-datadog-parent-id", "2")
        .header("x-datadog-sampling-priority", "2")
        .header("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6")
        .header("x-datadog-origin", "rum")
        .header("x-cloud-trace-context", format!("{TRACE}/1;o=1"))
        .header("grpc-trace-bin", "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE")
        .header("sw8", "1")
        .header("sentry-trace", "1");
    let seen = arrives(to, &app, &everything)?;
    let names = seen
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).to_lowercase());
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    ensure!(
        names
            == [
                "host",
                "x-envoy-expected-rq-timeout-ms",
                "x-forwarded-proto",
                "x-request-id",
                "x-tenant"
            ],
        "{seen:?}"
    );
    let line = poll::until("the access log", || {
        Ok(envoy.access_log("outbound")?.into_iter().nth(7))
    })?;
    ensure!(
        line["tenant"] == "gold" && line["trace.id"] == TRACE,
        "{line}"
    );
    let metrics = envoy.prometheus()?;
    ensure!(
        metrics
            .lines()
            .any(|line| line.starts_with("throughline_stripped") && line.ends_with(" 5")),
        "{metrics}"
    );
    check_health(&envoy)
}
