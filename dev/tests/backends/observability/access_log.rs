use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use throughline_dev::app::{App, Call, Forward};
use throughline_dev::backends::Jaeger;
use throughline_dev::built;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Client, Request};
use throughline_dev::mesh::{Cluster, Node, Plugin, Proxy, documented_access_log};
use throughline_dev::poll;
use throughline_dev::receiver::Kind;

const REQUESTS: usize = 300;

/// A line of the access log, and the kind of its span.
struct Line {
    trace_id: String,
    span_id: String,
    sampled: bool,
    kind: Kind,
}

#[test]
fn every_sampled_line_is_in_the_backend_and_no_other() -> Result<()> {
    let jaeger = Jaeger::start()?;
    let app = App::start()?;
    let callee = App::start()?;
    let envoy = sidecar(&jaeger, &app, &callee)?;
    app.forward(Forward::Everything);
    app.calls(vec![Call::new(
        envoy.listener("outbound")?,
        "reviews.bookinfo:9080",
        "/reviews/0",
    )]);
    let mut client = Client::connect(envoy.listener("inbound")?)?;
    for _ in 0..REQUESTS {
        let answer = client.send(&Request::get("/productpage"))?;
        ensure!(answer.status == 200, "{answer:?}");
    }

    let mut lines = lines(&envoy, "inbound", Kind::Server)?;
    lines.extend(self::lines(&envoy, "outbound", Kind::Client)?);
    let (sampled, unsampled): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.sampled);
    // One in 2^300 runs has none of either.
    ensure!(
        !sampled.is_empty() && !unsampled.is_empty(),
        "the ratio is 0.5"
    );
    let mut spans: BTreeMap<&str, Vec<(Kind, &str)>> = BTreeMap::new();
    for line in &sampled {
        spans
            .entry(&line.trace_id)
            .or_default()
            .push((line.kind, &line.span_id));
    }
    for (trace_id, mut logged) in spans {
        logged.sort_unstable();
        let found = poll::until(&format!("trace {trace_id}"), || {
            Ok(Some(jaeger.trace(trace_id)?).filter(|found| found.len() >= logged.len()))
        })?;
        let mut found: Vec<_> = found
            .iter()
            .map(|span| (span.kind, span.span_id.as_str()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, logged, "{trace_id}");
    }
    // Those that were exported are all there by now.
    for line in unsampled {
        let found = jaeger.trace(&line.trace_id)?;
        assert!(found.is_empty(), "{found:?}");
    }
    Ok(())
}

fn sidecar(jaeger: &Jaeger, app: &App, callee: &App) -> Result<Envoy> {
    let config = json!({
        "sampling": {"sampler": "parentbased_traceidratio", "arg": 0.5},
        "export": {"protocol": "otlp-grpc", "cluster": "jaeger", "batch": {"scheduleDelay": "50ms"}},
    });
    let plugin = Plugin::new(&built::module()?, &config);
    let node = Node::sidecar("productpage", "productpage-v1", "bookinfo");
    let format = documented_access_log()?;
    Proxy::sidecar(node, app.address(), callee.address(), Some(&plugin))
        .each_listener(|listener| listener.log_only(&format))
        .cluster(Cluster::new("jaeger", jaeger.otlp_grpc().0).http2())
        .start(&Release::NEWEST.binary()?)
}

fn lines(envoy: &Envoy, listener: &str, kind: Kind) -> Result<Vec<Line>> {
    let entries = poll::until("the access log", || {
        Ok(Some(envoy.access_log(listener)?).filter(|entries| entries.len() >= REQUESTS))
    })?;
    ensure!(entries.len() == REQUESTS, "{} lines", entries.len());
    entries
        .iter()
        .map(|entry| line(entry, kind).with_context(|| entry.to_string()))
        .collect()
}

/// The ids under both names: the Elastic Common Schema's, and OpenTelemetry's.
fn line(entry: &Value, kind: Kind) -> Result<Line> {
    let text = |key: &str| entry[key].as_str().with_context(|| key.to_owned());
    let (trace_id, span_id) = (text("trace.id")?, text("span.id")?);
    ensure!(
        text("trace_id")? == trace_id && text("span_id")? == span_id,
        "two names, two ids"
    );
    let sampled = match text("trace.sampled")? {
        "true" => true,
        "false" => false,
        other => anyhow::bail!("trace.sampled is {other}"),
    };
    Ok(Line {
        trace_id: trace_id.to_owned(),
        span_id: span_id.to_owned(),
        sampled,
        kind,
    })
}
