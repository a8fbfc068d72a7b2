//! What an untrusted peer sends forces nothing and grows nothing, here and at the next hop.

use super::super::{SPAN, TRACE};
use super::{TRACEPARENT, arrives};
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::{App, Forward};
use throughline_dev::envoy::Release;
use throughline_dev::http::{Headers, Request};
use throughline_dev::mesh::{Authority, Cluster, Listener, Node, Plugin, Proxy, Route};

/// A gateway before a sidecar that trusts it, on the same configuration.
pub fn hostile(release: Release, module: &Path) -> Result<()> {
    let app = App::start()?;
    app.forward(Forward::Everything);
    let config = json!({
        "trust": [{"match": {"peer": "unauthenticated"}, "action": "restart"}],
        "sampling": {"sampler": "parentbased_always_off", "forceHeader": "x-trace-force"},
        "propagation": {"extract": ["tracecontext", "b3", "jaeger", "xray", "datadog", "gcp"]},
    });
    let plugin = Plugin::new(module, &config);
    let mesh = Authority::new("mesh")?;
    let reviews = mesh.certify("cluster.local/ns/bookinfo/sa/reviews")?;
    let sidecar = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(
            Listener::inbound("inbound")
                .mtls(&reviews)
                .plugin(&plugin)
                .route(Route::any("app")),
        )
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)?;
    let ingress = mesh.certify("cluster.local/ns/istio-system/sa/ingress")?;
    let gateway = Proxy::new(Node::gateway("istio-ingressgateway", "istio-system"))
        .listener(
            Listener::outbound("edge")
                .plugin(&plugin)
                .route(Route::any("reviews")),
        )
        .cluster(Cluster::new("reviews", sidecar.listener("inbound")?).mtls(&ingress))
        .stats_tag("origin")
        .start(&release.binary()?)?;
    let edge = gateway.listener("edge")?;
    let bare = arrives(edge, &app, &Request::get("/"))?;
    let size = |headers: &Headers| {
        headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>()
    };
    let much = "x".repeat(8192);
    let tracestate = format!("a={},b={}", "x".repeat(252), "y".repeat(256 - 1));
    assert!(tracestate.len() >= 512);
    let rows: &[(&str, &[(&str, &str)])] = &[
        ("sampled", &[("traceparent", TRACEPARENT)]),
        (
            "debug",
            &[
                ("x-b3-traceid", TRACE),
                ("x-b3-spanid", SPAN),
                ("x-b3-flags", "1"),
            ],
        ),
        ("debug alone", &[("b3", "d")]),
        ("an exporter's mark", &[("b3", "0")]),
        (
            "forced",
            &[("x-trace-force", "1"), ("traceparent", TRACEPARENT)],
        ),
        (
            "forced in hiding",
            &[("x-trace-force", "0"), ("x-trace-force", "1")],
        ),
        ("8 KiB of baggage", &[("baggage", &much)]),
        (
            "512 bytes of tracestate",
            &[("traceparent", TRACEPARENT), ("tracestate", &tracestate)],
        ),
        (
            "tracestate in several fields",
            &[("tracestate", "a=1"), ("tracestate", "b=2")],
        ),
        (
            "Datadog's priority",
            &[
                ("x-datadog-trace-id", "7"),
                ("x-datadog-parent-id", "8"),
                ("x-datadog-sampling-priority", "2"),
                ("x-datadog-tags", &much),
            ],
        ),
        (
            "Jaeger's debug",
            &[
                ("uber-trace-id", "7:8:0:3"),
                ("jaeger-debug-id", "x"),
                ("uberctx-a", &much),
            ],
        ),
        (
            "X-Ray's sampled",
            &[(
                "x-amzn-trace-id",
                "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1",
            )],
        ),
        (
            "Google's",
            &[
                (
                    "x-cloud-trace-context",
                    "4bf92f3577b34da6a3ce929d0e0e4736/1;o=1",
                ),
                ("grpc-trace-bin", &much),
            ],
        ),
        ("flags that say nothing", &[("x-b3-flags", &much)]),
    ];
    for (what, headers) in rows {
        let mut request = Request::get("/");
        for (name, value) in *headers {
            request = request.header(name, value);
        }
        let seen = arrives(edge, &app, &request)?;
        let names = |headers: &Headers| {
            let mut names: Vec<_> = headers.iter().map(|(name, _)| name.to_owned()).collect();
            names.sort_unstable();
            names
        };
        ensure!(
            names(&seen) == names(&bare),
            "{what}: {seen:?} instead of {bare:?}"
        );
        ensure!(
            size(&seen) <= size(&bare) + 2,
            "{what}: {seen:?} instead of {bare:?}"
        );
        let traceparent = seen.get("traceparent").context("no traceparent")?;
        let traceparent = String::from_utf8_lossy(traceparent);
        ensure!(
            traceparent.ends_with("-00") && !traceparent.contains(TRACE),
            "{what}: {traceparent}"
        );
    }
    // Each is counted as what it was: with a trace of its own, or without.
    let metrics = gateway.prometheus()?;
    for (origin, expected) in [("restarted", 8), ("started", 7), ("exporter", 0)] {
        let line = format!("throughline_requests{{origin=\"{origin}\"}} {expected}");
        ensure!(
            metrics.lines().any(|known| known == line),
            "no {line} in\n{metrics}"
        );
    }
    check_health(&gateway)?;
    check_health(&sidecar)
}
