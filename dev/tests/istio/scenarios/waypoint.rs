//! Waypoints, which take no plugin without a target: all of them with `overlays/ambient`, one with `overlays/waypoint`. A
//! request through one by HBONE goes on in the trace it came with.

use crate::bookinfo::{PORT, Service};
use crate::doctor::finds;
use crate::stage::{MODULE, Stage, plugin, wait_for_plugin, wait_until_gone};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use throughline_cli::doctor::Code;
use throughline_dev::app::App;
use throughline_dev::http::{Request, client};
use throughline_dev::istio::{Pod, Tunnel};
use throughline_dev::poll;
use throughline_dev::receiver::Kind;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

pub fn every(stage: &Stage) -> Result<()> {
    let ambient = Ambient::start(stage)?;
    // A plugin without a target reaches no waypoint, whatever its selector says.
    stage.install()?;
    let kubectl = stage.cluster.kubectl();
    kubectl.patch(
        "wasmplugin throughline --namespace istio-system",
        &json!({"spec": {"selector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "waypoint"}}}}),
    )?;
    // It matches no sidecar: once they have lost it, all were told.
    wait_until_gone(stage)?;
    let tunnel = ambient.tunnel(stage)?;
    ensure!(
        plugin(&ambient.waypoint)?.is_none(),
        "a plugin with a selector reached a waypoint"
    );
    finds(&ambient.waypoint, &[Code::FilterAbsent])?;
    kubectl.run("delete wasmplugin throughline --namespace istio-system")?;
    let path = stage.manifests.path("overlays/ambient");
    kubectl.run(&format!("apply --kustomize {}", path.display()))?;
    ambient.is_traced(stage, &tunnel)?;
    ambient.stop(stage)
}

/// And one in a namespace whose waypoint is not there: no proxy has the filter, and nothing is harmed.
pub fn one(stage: &Stage) -> Result<()> {
    let ambient = Ambient::start(stage)?;
    let tunnel = ambient.tunnel(stage)?;
    let kubectl = stage.cluster.kubectl();
    // It is for bookinfo's.
    let path = stage.manifests.path("overlays/waypoint");
    kubectl.run(&format!("apply --kustomize {}", path.display()))?;
    // Then for the namespace that has one, with every request traced.
    let ours = stage.manifests.path("overlays/waypoint-of-ambient");
    fs::create_dir_all(&ours)?;
    fs::write(
        ours.join("kustomization.yaml"),
        "resources: [../waypoint]\nnamespace: ambient\n",
    )?;
    kubectl.run(&format!("apply --kustomize {}", ours.display()))?;
    ambient.is_traced(stage, &tunnel)?;
    // That came after the other.
    for pod in stage.proxies() {
        ensure!(plugin(pod)?.is_none(), "{} has it", pod.name());
    }
    // Connections that are older still pass the listeners of what was played before.
    poll::until("requests without a header", || {
        Ok(stage.request("/productpage")?.is_empty().then_some(()))
    })?;
    ambient.stop(stage)
}

/// A waypoint knows its peer by the tunnel's certificate: its trace goes on, and another's does not.
pub fn trusted(stage: &Stage) -> Result<()> {
    let ambient = Ambient::start(stage)?;
    let tunnel = ambient.tunnel(stage)?;
    let kubectl = stage.cluster.kubectl();
    let path = stage.manifests.path("overlays/ambient");
    kubectl.run(&format!("apply --kustomize {}", path.display()))?;
    for (namespace, goes_on) in [("bookinfo", true), ("elsewhere", false)] {
        let principal = format!("cluster.local/ns/{namespace}/sa/*");
        kubectl.patch(
            "wasmplugin throughline-waypoints --namespace istio-system",
            &json!({"spec": {"pluginConfig": {"trust": [
                {"match": {"principals": [principal]}, "action": "continue"},
                {"match": {"proxy": "waypoint"}, "action": "restart"},
            ]}}}),
        )?;
        wait_for_plugin(&ambient.waypoint, &principal, |plugin| {
            plugin.is_some_and(|plugin| plugin.contains(MODULE) && plugin.contains(&principal))
        })?;
        // Connections that are older still pass the listeners of before.
        poll::until("the rule to be at work", || {
            ambient.app.take_seen();
            ensure!(ask(&tunnel)? == 200, "{}", ambient.waypoint.log());
            let seen = ambient.app.take_seen().pop();
            let seen = seen.context("nothing arrived")?.headers;
            let header = seen.get("traceparent").context("no traceparent")?;
            let is_same = String::from_utf8_lossy(header).contains(TRACE);
            Ok((is_same == goes_on).then_some(()))
        })
        .with_context(|| principal.clone())?;
    }
    ambient.stop(stage)
}

/// A namespace of ambient's without a waypoint: past the gateway there is no HTTP filter, and the application has the gateway's
/// context. (ztunnel, which passes TCP, is not run: the gateway calls the pod itself.)
pub fn none(stage: &Stage) -> Result<()> {
    let cluster = &stage.cluster;
    let kubectl = cluster.kubectl();
    cluster.namespace("unguarded", &json!({"istio.io/dataplane-mode": "ambient"}))?;
    let service = Service::start_with(cluster, "unguarded", "unguarded", &json!({}))?;
    kubectl.apply_json(&json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "unguarded", "namespace": "unguarded"},
        "spec": {
            "hosts": ["*"],
            "gateways": ["bookinfo/bookinfo"],
            "http": [{
                "match": [{"uri": {"prefix": "/unguarded"}}],
                "route": [{"destination": {
                    "host": "unguarded.unguarded.svc.cluster.local",
                    "port": {"number": PORT},
                }}],
            }],
        },
    }))?;
    stage.install()?;
    poll::until("the gateway to know the way", || {
        Ok((stage.get("/unguarded", &[])?.status == 200).then_some(()))
    })?;
    service.app.take_seen();
    ensure!(stage.get("/unguarded", &[])?.status == 200);
    let seen = service.app.take_seen();
    let header = seen
        .first()
        .and_then(|request| request.headers.get("traceparent"));
    let header = header.context("no traceparent at the application")?;
    let header = String::from_utf8_lossy(header).into_owned();
    let trace = header.split('-').nth(1).context("no trace")?;
    poll::until("the gateway's spans", || {
        Ok((stage.spans(trace).len() >= 2).then_some(()))
    })?;
    // Later than any other's would have come.
    stage.traced()?;
    let spans = stage.spans(trace);
    let of = |kind| spans.iter().find(|span| span.kind == kind);
    let (Some(_), Some(client), 2) = (of(Kind::Server), of(Kind::Client), spans.len()) else {
        bail!("other spans than the gateway's two: {spans:#?}");
    };
    ensure!(
        spans
            .iter()
            .all(|span| span.service == "ingressgateway.istio-ingress"),
        "{spans:#?}"
    );
    ensure!(header.contains(&client.span_id), "{header}: {spans:#?}");
    let pod = service.pod.name();
    kubectl.run(&format!("delete pod {pod} --namespace unguarded --force"))?;
    kubectl.run("delete service unguarded --namespace unguarded")?;
    Ok(())
}

/// A namespace whose requests go through a waypoint.
struct Ambient {
    details: Pod,
    app: App,
    service: SocketAddr,
    waypoint: Pod,
}

impl Ambient {
    fn start(stage: &Stage) -> Result<Self> {
        let cluster = &stage.cluster;
        let kubectl = cluster.kubectl();
        cluster.namespace("ambient", &json!({"istio.io/use-waypoint": "waypoint"}))?;
        kubectl.apply(include_str!("../waypoint.yaml"))?;
        let labels = json!({"labels": {"app": "details"}});
        let details = cluster.pod("ambient", "details-v1", &labels)?;
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
        Ok(Self {
            details,
            app,
            service,
            waypoint,
        })
    }

    /// Through its waypoint, once that answers.
    fn tunnel(&self, stage: &Stage) -> Result<Tunnel> {
        let client = &stage.bookinfo.productpage.pod;
        let log = stage.cluster.directory();
        let tunnel = Tunnel::open(client, &self.waypoint, self.service, log)?;
        poll::until("the waypoint to answer", || {
            Ok(ask(&tunnel).is_ok_and(|status| status == 200).then_some(()))
        })
        .with_context(|| {
            let asked = ask(&tunnel);
            format!("{asked:?}\n{}\n{}", tunnel.log(), self.waypoint.log())
        })?;
        Ok(tunnel)
    }

    /// A request through the waypoint goes on in its trace, with a span that the application's header names.
    fn is_traced(&self, stage: &Stage, tunnel: &Tunnel) -> Result<()> {
        wait_for_plugin(&self.waypoint, "the module", |plugin| {
            plugin.is_some_and(|plugin| plugin.contains(MODULE))
        })?;
        self.app.take_seen();
        stage.receiver.take();
        ensure!(ask(tunnel)? == 200, "{}", self.waypoint.log());
        let spans = stage.receiver.wait_for(1)?;
        ensure!(
            spans.iter().all(|span| span.trace_id == TRACE),
            "{spans:#?}"
        );
        ensure!(
            spans.iter().any(|span| span.kind == Kind::Server),
            "{spans:#?}"
        );
        let seen = self.app.take_seen();
        let header = seen
            .first()
            .and_then(|request| request.headers.get("traceparent"));
        let header = header.context("no traceparent at the application")?;
        let header = String::from_utf8_lossy(header).into_owned();
        ensure!(header.contains(TRACE), "{header}");
        let sent = spans.iter().any(|span| header.contains(&span.span_id));
        ensure!(sent, "{header} is no reported span's: {spans:#?}");
        Ok(())
    }

    fn stop(self, stage: &Stage) -> Result<()> {
        let kubectl = stage.cluster.kubectl();
        kubectl.run("delete gateway waypoint --namespace ambient")?;
        for pod in [&self.waypoint, &self.details] {
            let name = pod.name();
            kubectl.run(&format!("delete pod {name} --namespace ambient --force"))?;
        }
        // Kubernetes' controllers would delete it with its gateway.
        kubectl.run("delete deployment waypoint --namespace ambient --ignore-not-found")?;
        Ok(())
    }
}

/// Asks for a page by HBONE, in a trace.
fn ask(tunnel: &Tunnel) -> Result<u16> {
    let request = Request::get("/details/0")
        .header("host", format!("details:{PORT}"))
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
    Ok(client::send(tunnel.entrance(), &request)?.status)
}
