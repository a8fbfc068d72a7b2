//! Collectors that cannot be reached, each for a reason that users meet: every request is answered, and the metrics tell.

use crate::stage::{MODULE, Stage, labelled, number, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::process::Command;
use throughline_dev::istio::{NODE, Pod};
use throughline_dev::poll;
use throughline_dev::refused::Refused;

/// No cluster: the service's name is wrong, or it has no such port.
pub fn no_cluster(stage: &Stage) -> Result<()> {
    let export = json!({"service": "nobody.monitoring.svc.cluster.local"});
    unreachable(stage, "no-cluster", &export, &["not_sent"])
}

/// The service has no endpoints: its pods are not there, or not ready.
pub fn no_endpoints(stage: &Stage) -> Result<()> {
    stage
        .cluster
        .service("monitoring", "empty", "grpc-otlp", 4317, &[])?;
    let export = json!({"service": "empty.monitoring.svc.cluster.local"});
    unreachable(stage, "no-endpoints", &export, &["not_sent"])
}

/// The port's name does not say gRPC, so that Envoy speaks HTTP/1.1 to it.
pub fn not_http2(stage: &Stage) -> Result<()> {
    stage.cluster.service(
        "monitoring",
        "misnamed",
        "tcp-otlp",
        4317,
        &[stage.receiver.grpc()],
    )?;
    let export = json!({"service": "misnamed.monitoring.svc.cluster.local"});
    unreachable(stage, "not-http2", &export, &["grpc_"])
}

/// Nobody listens.
pub fn refused(stage: &Stage) -> Result<()> {
    let port = Refused::take_on(NODE)?;
    stage
        .cluster
        .service("monitoring", "closed", "grpc-otlp", 4317, &[port.address()])?;
    let export = json!({"service": "closed.monitoring.svc.cluster.local"});
    unreachable(stage, "refused", &export, &["grpc_14"])
}

/// A policy drops what goes to the port, as a NetworkPolicy's plugin does.
pub fn dropped(stage: &Stage) -> Result<()> {
    let port = stage.receiver.grpc().port();
    let rule = |change: &str| -> Result<()> {
        let arguments = format!("{change} INPUT --protocol tcp --dport {port} --jump DROP");
        let done = Command::new("iptables")
            .args(arguments.split(' '))
            .status()?;
        ensure!(done.success(), "iptables {arguments}");
        Ok(())
    };
    // A timeout of its own, as the default is ten seconds.
    prepare(stage, &json!({"timeout": "1s"}))?;
    rule("--append")?;
    let seen = is_unreachable(stage, "dropped", &["grpc_4", "grpc_14"]);
    rule("--delete")?;
    seen?;
    // Nothing has to be restarted once the policy is right.
    stage.traced()?;
    Ok(())
}

/// A service without an address of its own.
pub fn headless(stage: &Stage) -> Result<()> {
    let collector = stage.receiver.grpc();
    let port = collector.port();
    stage
        .cluster
        .headless_service("monitoring", "headless", "grpc-otlp", collector)?;
    let service = "headless.monitoring.svc.cluster.local";
    let export = json!({"service": service, "port": port});
    let cluster = format!("outbound|{port}||{service}");
    prepare(stage, &export)?;
    stage.get("/productpage", &[])?;
    // What became of it is in the metrics of each.
    for pod in stage.proxies() {
        let sent = |pod: &Pod| number(pod, "throughline_export_requests");
        poll::until("an export", || Ok((sent(pod)? > 0.0).then_some(())))?;
        let clusters = pod.admin("/clusters")?;
        let described: Vec<_> = clusters
            .lines()
            .filter(|line| line.starts_with(&cluster))
            .collect();
        println!(
            "  {}: {:?}\n{}",
            pod.name(),
            labelled(pod, "throughline_export_requests", "code")?,
            described.join("\n")
        );
    }
    stage.keep("headless")
}

fn prepare(stage: &Stage, export: &Value) -> Result<()> {
    stage.install()?;
    let marker = "x-of-this-scenario";
    let patch = json!({"spec": {"pluginConfig": {
        "export": export,
        "customTags": {(marker): {"literal": {"value": "1"}}},
    }}});
    let plugin = "wasmplugin throughline --namespace istio-system";
    stage.cluster.kubectl().patch(plugin, &patch)?;
    wait_for_texts(stage, &[MODULE, marker])?;
    Ok(())
}

/// Requests pass, no span arrives, and every proxy counts the calls under one of `codes`.
fn unreachable(stage: &Stage, name: &str, export: &Value, codes: &[&str]) -> Result<()> {
    prepare(stage, export)?;
    is_unreachable(stage, name, codes)
}

fn is_unreachable(stage: &Stage, name: &str, codes: &[&str]) -> Result<()> {
    let before: Vec<_> = stage
        .proxies()
        .into_iter()
        .map(counted)
        .collect::<Result<_>>()?;
    let trace = stage.request("/productpage")?;
    for (pod, before) in stage.proxies().into_iter().zip(before) {
        poll::until(&format!("{} to count a call", pod.name()), || {
            let now = counted(pod)?;
            let more = now
                .iter()
                .filter(|(code, count)| before.get(*code).unwrap_or(&0.0) < count);
            let more: Vec<_> = more.map(|(code, _)| code.as_str()).collect();
            let expected = more
                .iter()
                .any(|code| codes.iter().any(|c| code.starts_with(c)));
            ensure!(more.is_empty() || expected, "{}: {more:?}", pod.name());
            Ok(expected.then_some(()))
        })?;
        poll::until(
            &format!("{} to say that it is unreachable", pod.name()),
            || Ok((number(pod, "throughline_export_unreachable")? == 1.0).then_some(())),
        )
        .with_context(|| pod.log())?;
    }
    ensure!(
        !trace.is_empty() && stage.spans(&trace).is_empty(),
        "spans arrived"
    );
    stage.keep(name)
}

fn counted(pod: &Pod) -> Result<std::collections::BTreeMap<String, f64>> {
    labelled(pod, "throughline_export_requests", "code")
}
