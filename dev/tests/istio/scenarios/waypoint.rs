//! `kubectl apply -k wasmplugin/overlays/ambient`: a request through a waypoint by HBONE goes on in the trace it came with.

use crate::bookinfo::PORT;
use crate::doctor::finds;
use crate::stage::{MODULE, Stage, wait_for_plugin};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use throughline_cli::doctor::Code;
use throughline_dev::http::{Request, client};
use throughline_dev::istio::{Pod, Tunnel};
use throughline_dev::poll;
use throughline_dev::receiver::Kind;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

pub fn play(stage: &Stage) -> Result<()> {
    let cluster = &stage.cluster;
    let kubectl = cluster.kubectl();
    cluster.namespace("ambient", &json!({"istio.io/use-waypoint": "waypoint"}))?;
    kubectl.apply(include_str!("../waypoint.yaml"))?;
    let details = cluster.pod(
        "ambient",
        "details-v1",
        &json!({"labels": {"app": "details"}}),
    )?;
    let app = details.app(PORT)?;
    let service = cluster.service("ambient", "details", "http", PORT, &[details.at(PORT)])?;
    let waypoint = poll::until("istiod to make the waypoint", || {
        let made = kubectl
            .get("deployment waypoint --namespace ambient")
            .is_ok();
        made.then(|| cluster.pod_of("ambient", "waypoint"))
            .transpose()
    })?;
    cluster.endpoints("ambient", "waypoint", "mesh", waypoint.at(15008))?;
    waypoint.wait_until_ready()?;

    // A plugin without a target reaches no waypoint, whatever its selector says.
    stage.install()?;
    kubectl.patch(
        "wasmplugin throughline --namespace istio-system",
        &json!({"spec": {"selector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "waypoint"}}}}),
    )?;
    let tunnel = Tunnel::open(
        &stage.bookinfo.productpage.pod,
        &waypoint,
        service,
        cluster.directory(),
    )?;
    let ask = || -> Result<u16> {
        let mut request = Request::get("/details/0");
        request.headers.push("host", format!("details:{PORT}"));
        request
            .headers
            .push("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
        Ok(client::send(tunnel.entrance(), &request)?.status)
    };
    poll::until("the waypoint to answer", || {
        Ok(ask().is_ok_and(|status| status == 200).then_some(()))
    })
    .with_context(|| format!("{:?}\n{}\n{}", ask(), tunnel.log(), waypoint.log()))?;
    ensure!(
        crate::stage::plugin(&waypoint)?.is_none(),
        "a plugin with a selector reached a waypoint"
    );
    finds(&waypoint, &[Code::FilterAbsent])?;

    kubectl.run("delete wasmplugin throughline --namespace istio-system")?;
    let ambient = stage.manifests.path("overlays/ambient");
    kubectl.run(&format!("apply --kustomize {}", ambient.display()))?;
    wait_for_plugin(&waypoint, "the module", |plugin| {
        plugin.is_some_and(|plugin| plugin.contains(MODULE))
    })?;
    app.take_seen();
    stage.receiver.take();
    ensure!(ask()? == 200, "{}", waypoint.log());
    let spans = stage.receiver.wait_for(1)?;
    ensure!(
        spans.iter().all(|span| span.trace_id == TRACE),
        "{spans:#?}"
    );
    ensure!(
        spans.iter().any(|span| span.kind == Kind::Server),
        "{spans:#?}"
    );
    let seen = app.take_seen();
    let header = seen
        .first()
        .and_then(|request| request.headers.get("traceparent"));
    let header =
        String::from_utf8_lossy(header.context("no traceparent at the application")?).into_owned();
    ensure!(header.contains(TRACE), "{header}");
    let sent = &spans
        .iter()
        .map(|span| span.span_id.as_str())
        .find(|id| header.contains(id));
    ensure!(sent.is_some(), "{header} is no reported span's: {spans:#?}");
    remove(stage, &[&waypoint, &details])
}

fn remove(stage: &Stage, pods: &[&Pod]) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    kubectl.run("delete gateway waypoint --namespace ambient")?;
    for pod in pods {
        kubectl.run(&format!(
            "delete pod {} --namespace ambient --force",
            pod.name()
        ))?;
    }
    Ok(())
}
