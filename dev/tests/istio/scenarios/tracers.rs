//! Envoy's own tracers beside the filter: none, one whose collector nobody knows, one that writes, and one that does not.

use crate::doctor::finds;
use crate::page::quotes;
use crate::stage::{SPANS, Stage, wait_for};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use throughline_cli::doctor::Code;
use throughline_dev::istio::{NODE, Pod};
use throughline_dev::poll;
use throughline_dev::receiver::Receiver;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

/// Istio as it comes: its tracing has no provider, so that Envoy makes a request id and no trace.
pub fn none(stage: &Stage) -> Result<()> {
    let app = &stage.bookinfo.ratings.app;
    // Connections that were there before still pass the filter of another scenario.
    let seen = poll::until("a request without a trace", || {
        app.take_seen();
        stage.get("/productpage", &[])?;
        let seen = app.take_seen();
        let headers = &seen.last().context("no request")?.headers;
        let traced = headers.contains("traceparent") || headers.contains("x-b3-traceid");
        Ok((!traced).then(|| headers.clone()))
    })?;
    ensure!(seen.contains("x-request-id"), "{seen:?}");
    stage.install()?;
    for pod in stage.proxies() {
        let tracers = tracers(pod)?;
        ensure!(
            tracers == BTreeSet::from([Tracing::NoProvider]),
            "{}: {tracers:?}",
            pod.name()
        );
    }
    stage.traced()?;
    finds(&stage.gateway, &[])
}

/// A provider whose Service is not there: istiod leaves tracing out, and says so. The filter goes on as without one.
pub fn without_service(stage: &Stage) -> Result<()> {
    stage.install()?;
    telemetry(stage, "zipkin", false)?;
    for pod in stage.proxies() {
        wait_for(pod, "no tracing", || {
            Ok(tracers(pod)? == BTreeSet::from([Tracing::Off]))
        })?;
    }
    stage.wait_until_whole(SPANS)?;
    quotes(
        "A tracing provider without a cluster",
        "Not able to configure requested tracing provider \"zipkin\": could not configure tracing provider \"envoy.tracers.zipkin\": could not find cluster for tracing provider",
        &stage.cluster.istiod().log(),
    )?;
    finds(&stage.bookinfo.productpage.pod, &[])
}

/// A provider whose Service has no such port: istiod sets the tracer up all the same. It reports to nobody, and still writes
/// the headers.
pub fn without_port(stage: &Stage) -> Result<()> {
    stage.install()?;
    telemetry(stage, "tempo-http", false)?;
    // The tracer's spans go nowhere, and the filter's stand back for them unless they are told not to: one trace, whose id
    // comes from the tracer.
    let spans = json!({"whenMirroring": "export"});
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": {"pluginConfig": {"spans": spans}}}))?;
    shares(stage, &[&stage.receiver], &[(7, 0)])?;
    finds(&stage.bookinfo.productpage.pod, &[Code::NativeTracer])?;
    stage.keep("provider-without-port")
}

/// Zipkin's tracer reads and writes B3. The filter finds it out, translates, and leaves the reports to it.
pub fn zipkin(stage: &Stage) -> Result<()> {
    // One of its own: it finds fault with what that tracer says of endpoints.
    let collector = Receiver::start_on(NODE.into())?;
    let cluster = &stage.cluster;
    let address = collector.http();
    cluster.service("monitoring", "zipkin", "http-zipkin", 9411, &[address])?;
    let receivers = [&stage.receiver, &collector];
    let seen = beside(stage, "zipkin", &receivers);
    cluster
        .kubectl()
        .run("delete service zipkin --namespace monitoring")?;
    seen
}

/// The same with OpenTelemetry's, which reads and writes W3C.
pub fn opentelemetry(stage: &Stage) -> Result<()> {
    beside(stage, "tempo", &[&stage.receiver])
}

/// A tracer that writes reports alone, all of a request in one trace. With `disableContextPropagation` the filter's context is everybody's, but for the gateway's tracer, which began before the
/// filter did; without `export` the tracer alone reports. The older line has no such field.
fn beside(stage: &Stage, provider: &str, receivers: &[&Receiver]) -> Result<()> {
    stage.install()?;
    telemetry(stage, provider, false)?;
    shares(stage, receivers, &[(0, 7)])?;
    finds(&stage.bookinfo.productpage.pod, &[Code::NativeTracer])?;
    stage.keep(&format!("two-tracers-{provider}"))?;
    let quiet = telemetry(stage, provider, true);
    if !stage.cluster.line().has_traffic_extensions() {
        let error = quiet.err().context("a field that it does not know")?;
        return quotes(
            "Two tracers fight",
            "unknown field \"spec.tracing[0].disableContextPropagation\"",
            &format!("{error:#}"),
        );
    }
    quiet?;
    shares(stage, receivers, &[(7, 5), (0, 2)])?;
    let productpage = &stage.bookinfo.productpage.pod;
    // Two still report.
    finds(productpage, &[Code::NativeTracer])?;
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": {"pluginConfig": {"export": null}}}))?;
    shares(stage, receivers, &[(0, 5), (0, 2)])?;
    finds(productpage, &[])
}

/// Waits until a request makes these traces: in each, so many spans of the filter's and of the tracer's.
fn shares(stage: &Stage, receivers: &[&Receiver], expected: &[(usize, usize)]) -> Result<()> {
    // Envoy's tracers report every five seconds.
    const REPORTED_WITHIN: Duration = Duration::from_secs(8);
    // A tracer that is switched off is forgotten after eight requests in each direction of each proxy.
    const FORGOTTEN_AFTER: usize = 10;
    let expected = {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        expected
    };
    let mut last = Vec::new();
    let what = format!("traces of {expected:?} spans of the filter's and the tracer's");
    let within = Duration::from_secs(240);
    poll::until_within(within, &what, || {
        for _ in 0..FORGOTTEN_AFTER {
            stage.get("/productpage", &[])?;
        }
        let id = request_id(stage)?;
        let waited = poll::until_within(REPORTED_WITHIN, &what, || {
            let mut traces: BTreeMap<String, (usize, usize)> = BTreeMap::new();
            for span in receivers.iter().flat_map(|receiver| receiver.spans()) {
                if span.attribute("guid:x-request-id") != id {
                    continue;
                }
                let (filter, tracer) = traces.entry(span.trace_id).or_default();
                let ours = span.scope.name == "throughline";
                *if ours { filter } else { tracer } += 1;
            }
            last = traces.into_values().collect();
            last.sort_unstable();
            Ok((last == expected).then_some(()))
        });
        Ok(waited.ok())
    })
    .with_context(|| format!("the last request made {last:?}"))
}

/// Sends one request, which every application forwards the id of.
fn request_id(stage: &Stage) -> Result<String> {
    let app = &stage.bookinfo.ratings.app;
    app.take_seen();
    stage.get("/productpage", &[])?;
    let seen = app.take_seen();
    let id = seen
        .last()
        .and_then(|request| request.headers.get("x-request-id"));
    Ok(String::from_utf8_lossy(id.context("no x-request-id")?).into_owned())
}

fn telemetry(stage: &Stage, provider: &str, quiet: bool) -> Result<()> {
    let mut tracing = json!({"providers": [{"name": provider}], "randomSamplingPercentage": 100});
    if quiet {
        tracing["disableContextPropagation"] = true.into();
    }
    stage.cluster.kubectl().apply_json(&json!({
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": "tracing", "namespace": "istio-system"},
        "spec": {"tracing": [tracing]},
    }))?;
    Ok(())
}

/// The tracing of an HTTP connection manager.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Tracing {
    Off,
    NoProvider,
    Provider(String),
}

/// What there is of it in an Envoy.
fn tracers(pod: &Pod) -> Result<BTreeSet<Tracing>> {
    let dump: Value = serde_json::from_str(&pod.admin("/config_dump?resource=dynamic_listeners")?)?;
    let mut found = BTreeSet::new();
    // What is drained may have another.
    for listener in dump["configs"].as_array().into_iter().flatten() {
        collect(&listener["active_state"], &mut found);
    }
    Ok(found)
}

fn collect(value: &Value, found: &mut BTreeSet<Tracing>) {
    let kind = value["@type"].as_str();
    if kind.is_some_and(|kind| kind.ends_with("HttpConnectionManager")) {
        let tracing = &value["tracing"];
        found.insert(match tracing["provider"]["name"].as_str() {
            Some(name) => Tracing::Provider(name.to_owned()),
            None if tracing.is_null() => Tracing::Off,
            None => Tracing::NoProvider,
        });
    }
    let children: Vec<&Value> = match value {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    for child in children {
        collect(child, found);
    }
}
