//! The options of `wasmplugin/options` that reach into Envoy's own configuration, in real Envoys, as Istio would merge them.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use throughline::propagation::TRACE_HEADERS;
use throughline_dev::app::App;
use throughline_dev::built;
use throughline_dev::envoy::{Release, access_log_path};
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, Tracing};
use throughline_dev::poll;
use throughline_dev::receiver::{Protocol, Receiver};

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";
/// Of the formats whose headers begin alike, those that the filter reads.
const OF_PREFIXES: [&str; 10] = [
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-tags",
    "x-datadog-origin",
];

/// The object of that kind in an option's file.
fn option(name: &str, kind: &str) -> Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("wasmplugin/options/{name}/{name}.yaml"));
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for document in serde_yaml_ng::Deserializer::from_str(&text) {
        let object = Value::deserialize(document)?;
        if object["kind"] == kind {
            return Ok(object);
        }
    }
    anyhow::bail!("no {kind} in {}", path.display())
}

/// A request with a trace of its own in every format, through a filter behind `listener` and `route`: what arrives, and the
/// trace id in the access log.
fn sent(
    node: Node,
    listener: Listener,
    route: Route,
    release: Release,
) -> Result<(Headers, String)> {
    let app = App::start()?;
    let listener = listener
        .plugin(&Plugin::new(&built::module()?, &json!({})))
        .log(
            "trace.id",
            "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%",
        )
        .route(route);
    let envoy = Proxy::new(node)
        .listener(listener)
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)?;
    let others = TRACE_HEADERS.into_iter().chain(OF_PREFIXES);
    let named = ["traceparent", "tracestate", "b3"];
    let others = others.filter(|name| !named.contains(name) && !name.starts_with("x-b3-"));
    let request = others.fold(Request::get("/"), |request, name| request.header(name, "1"));
    let request = request
        .header("traceparent", format!("00-{TRACE}-{SPAN}-01"))
        .header("tracestate", "stranger=1")
        .header("b3", format!("{TRACE}-{SPAN}-1"))
        .header("x-b3-traceid", TRACE)
        .header("x-b3-spanid", SPAN)
        .header("x-b3-parentspanid", "05e3ac9a4f6e3b90")
        .header("x-b3-sampled", "1")
        .header("x-b3-flags", "1");
    client::send(envoy.listener("main")?, &request)?;
    let seen = app.take_seen().pop().context("no request arrived")?.headers;
    let line = poll::until("the access log", || {
        let text = fs::read_to_string(access_log_path(envoy.directory(), "main"))?;
        Ok(text.lines().next().map(str::to_owned))
    })?;
    let line: Value = serde_json::from_str(&line)?;
    let trace = line["trace.id"].as_str().context("trace.id")?.to_owned();
    Ok((seen, trace))
}

#[test]
fn at_the_edge_a_strangers_trace_ends_and_ours_begins() -> Result<()> {
    let patch = &option("edge", "EnvoyFilter")?["spec"]["configPatches"][0]["patch"];
    assert_eq!(patch["operation"], "MERGE");
    let mut config = patch["value"]["typed_config"].clone();
    config
        .as_object_mut()
        .context("typed_config")?
        .remove("@type");
    for release in [Release::OLDEST, Release::NEWEST] {
        let node = Node::gateway("istio-ingressgateway", "istio-system");
        let listener = Listener::outbound("main").merge(&config);
        let (seen, trace) = sent(node, listener, Route::any("app"), release)?;
        assert_ne!(trace, TRACE, "{release}");
        assert_eq!(trace.len(), TRACE.len(), "{release}");
        let traceparent =
            String::from_utf8_lossy(seen.get("traceparent").context("traceparent")?).into_owned();
        assert!(
            traceparent.starts_with(&format!("00-{trace}-")),
            "{release}: {traceparent}"
        );
        let ours = ["traceparent", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"];
        for name in TRACE_HEADERS.into_iter().chain(OF_PREFIXES) {
            let is_there = seen.get(name).is_some();
            assert_eq!(
                is_there,
                ours.contains(&name),
                "{release}: {name} in {seen:?}"
            );
        }
    }
    Ok(())
}

/// A tracer that reads W3C alone goes on with what came in as B3; the filter alone could not have told it in time.
#[test]
fn what_comes_in_as_b3_goes_on_beside_a_tracer_that_reads_w3c_alone() -> Result<()> {
    const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";
    let patch = &option("native-b3", "EnvoyFilter")?["spec"]["configPatches"][0]["patch"];
    assert_eq!(patch["operation"], "MERGE");
    let mut config = patch["value"]["typed_config"].clone();
    config
        .as_object_mut()
        .context("typed_config")?
        .remove("@type");
    let low = &TRACE[16..];
    let padded = format!("{:0>32}", low);
    let none = Headers::new;
    let multi = |trace: &str| none().with("x-b3-traceid", trace).with("x-b3-spanid", SPAN);
    let cases = [
        (
            "the several headers",
            multi(TRACE).with("x-b3-sampled", "1"),
            Some((TRACE, true)),
        ),
        (
            "unsampled",
            multi(TRACE).with("x-b3-sampled", "0"),
            Some((TRACE, false)),
        ),
        (
            "debug",
            multi(TRACE).with("x-b3-flags", "1"),
            Some((TRACE, true)),
        ),
        (
            "64 bits",
            multi(low).with("x-b3-sampled", "1"),
            Some((&*padded, true)),
        ),
        (
            "one header",
            none().with("b3", format!("{TRACE}-{SPAN}-1")),
            Some((TRACE, true)),
        ),
        (
            "denied",
            none().with("b3", format!("{TRACE}-{SPAN}-0")),
            Some((TRACE, false)),
        ),
        (
            "with a parent",
            none().with("b3", format!("{TRACE}-{SPAN}-1-05e3ac9a4f6e3b90")),
            Some((TRACE, true)),
        ),
        (
            "one header, 64 bits",
            none().with("b3", format!("{low}-{SPAN}-1")),
            Some((&*padded, true)),
        ),
        (
            "one header, 64 bits, denied, with a parent",
            none().with("b3", format!("{low}-{SPAN}-0-05e3ac9a4f6e3b90")),
            Some((&*padded, false)),
        ),
        (
            "in words",
            multi(TRACE).with("x-b3-sampled", "true"),
            Some((TRACE, true)),
        ),
        (
            "no, in words",
            multi(TRACE).with("x-b3-sampled", "false"),
            Some((TRACE, false)),
        ),
        (
            "W3C stays as it is",
            multi(TRACE)
                .with("x-b3-sampled", "1")
                .with("traceparent", format!("00-{OTHER}-{SPAN}-01")),
            Some((OTHER, true)),
        ),
        ("no decision", multi(TRACE), None),
        ("no ids", none().with("b3", "1"), None),
        ("nothing", none(), None),
        (
            "forged",
            none().with("x-throughline-traceparent", format!("00-{OTHER}-{SPAN}-01")),
            None,
        ),
    ];
    for release in [Release::OLDEST, Release::NEWEST] {
        let app = App::start()?;
        let receiver = Receiver::start()?;
        let listener = Listener::inbound("main")
            .plugin(&Plugin::new(
                &built::module()?,
                &json!({"nativeTracer": "mirror"}),
            ))
            .tracing(Tracing::opentelemetry("collector", "tracer", 100.0))
            .merge(&config)
            .route(Route::any("app"));
        let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
            .listener(listener)
            .cluster(Cluster::new("app", app.address()))
            .cluster(receiver.cluster("collector", Protocol::OtlpHttp))
            .start(&release.binary()?)?;
        for (what, headers, continued) in &cases {
            client::send(envoy.listener("main")?, &Request::get("/").headers(headers))?;
            let seen = app.take_seen().pop().context("no request arrived")?.headers;
            let value = seen.get("traceparent").context("traceparent")?;
            let traceparent = String::from_utf8_lossy(value).into_owned();
            match continued {
                Some((trace, sampled)) => {
                    let flags = if *sampled { "-01" } else { "-00" };
                    assert!(
                        traceparent.starts_with(&format!("00-{trace}-"))
                            && traceparent.ends_with(flags),
                        "{release}: {what}: {traceparent}"
                    );
                    let b3 = seen.get("x-b3-traceid").context("x-b3-traceid")?;
                    let b3 = format!("{:0>32}", String::from_utf8_lossy(b3));
                    assert_eq!(b3, *trace, "{release}: {what}");
                }
                None => assert!(
                    !traceparent.contains(TRACE) && !traceparent.contains(OTHER),
                    "{release}: {what}: {traceparent}"
                ),
            }
            let ours = |name: &[u8]| name.starts_with(b"x-throughline-");
            assert!(
                !seen.iter().any(|(name, _)| ours(name)),
                "{release}: {what}: {seen:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn beyond_egress_nobody_learns_of_a_trace_that_our_log_has() -> Result<()> {
    // What Istio makes of a VirtualService's `headers.request.remove`: the same list on the route.
    let route = &option("egress", "VirtualService")?["spec"]["http"][0];
    let remove = &route["headers"]["request"]["remove"];
    for release in [Release::OLDEST, Release::NEWEST] {
        let node = Node::sidecar("reviews", "reviews-v1", "bookinfo");
        let route = Route::any("app").merge(&json!({"request_headers_to_remove": remove}));
        let (seen, trace) = sent(node, Listener::outbound("main"), route, release)?;
        assert_eq!(trace, TRACE, "{release}");
        for name in TRACE_HEADERS.into_iter().chain(OF_PREFIXES) {
            assert!(seen.get(name).is_none(), "{release}: {name} in {seen:?}");
        }
    }
    Ok(())
}
