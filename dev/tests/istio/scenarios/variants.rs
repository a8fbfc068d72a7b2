//! The plugin in other forms and places.

use crate::doctor::finds;
use crate::scenarios::one_trace;
use crate::stage::{MODULE, SPANS, Stage, number, plugin, wait_for_plugin};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use throughline_cli::doctor::Code;
use throughline_dev::istio::Pod;
use throughline_dev::receiver::Kind;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

const EXTENSION: &str = "trafficextension throughline --namespace istio-system";

/// The newer kind does the same; the older line refuses it.
pub fn traffic_extension(stage: &Stage) -> Result<()> {
    let path = stage.manifests.path("overlays/traffic-extension");
    let apply = format!("apply --kustomize {}", path.display());
    if !stage.cluster.line().has_traffic_extensions() {
        ensure!(
            stage.cluster.kubectl().run(&apply).is_err(),
            "a kind that it does not know"
        );
        return Ok(());
    }
    stage.apply("overlays/traffic-extension")?;
    stage.cluster.kubectl().patch(EXTENSION, &every_request())?;
    crate::stage::wait_for_texts(stage, &[MODULE, "\\\"arg\\\":1,"])?;
    stage.wait_until_whole(SPANS)?;
    one_trace::is_seen(stage)
}

/// In a namespace: the gateway, which is in another, has none.
pub fn namespace(stage: &Stage) -> Result<()> {
    let path = stage.manifests.path("overlays/namespace");
    let kubectl = stage.cluster.kubectl();
    kubectl.run(&format!("apply --kustomize {}", path.display()))?;
    let all = json!({"spec": {"pluginConfig": {"sampling": {"arg": 1}}}});
    kubectl.patch("wasmplugin throughline --namespace bookinfo", &all)?;
    for service in stage.bookinfo.all() {
        wait_for_plugin(&service.pod, "the module", |plugin| {
            plugin
                .is_some_and(|plugin| plugin.contains(MODULE) && plugin.contains("\\\"arg\\\":1,"))
        })?;
    }
    ensure!(plugin(&stage.gateway)?.is_none(), "the gateway has it");
    // All but the gateway's two.
    stage.wait_until_whole(SPANS - 2)?;
    stage.traced_with(SPANS - 2)?;
    Ok(())
}

/// Only one side is patched: its spans alone, and they still are one trace.
pub fn inbound_only(stage: &Stage) -> Result<()> {
    stage.install()?;
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": {"match": [{"mode": "SERVER"}]}}))?;
    wait_for_plugin(&stage.gateway, "no plugin", |plugin| plugin.is_none())?;
    has_server_spans_alone(stage)?;
    finds(&stage.bookinfo.productpage.pod, &[Code::FilterPartlyAbsent])?;
    finds(&stage.gateway, &[Code::FilterAbsent])?;
    stage.keep("inbound-only")
}

fn has_server_spans_alone(stage: &Stage) -> Result<()> {
    stage.wait_until_whole(3)?;
    let spans = stage.traced_with(3)?;
    let are_servers = spans.iter().all(|span| span.kind == Kind::Server);
    ensure!(are_servers, "{spans:#?}");
    Ok(())
}

/// The same by an EnvoyFilter, as guides have it: istiod takes it, and no message says that outbound has none.
pub fn inbound_envoy_filter(stage: &Stage) -> Result<()> {
    // Where the layer was made of it.
    let module = stage.cluster.directory().join("plugin.wasm");
    let service = "tempo.monitoring.svc.cluster.local";
    let configuration = json!({
        "sampling": {"arg": 1},
        "export": {"protocol": "otlp-grpc", "service": service},
    });
    let wasm = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "throughline",
            "root_id": "throughline",
            "failure_policy": "FAIL_OPEN",
            "vm_config": {
                "runtime": MODULE,
                "code": {"local": {"filename": module}},
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": configuration.to_string(),
            },
        },
    });
    let manager = "envoy.filters.network.http_connection_manager";
    stage.cluster.kubectl().apply_json(&json!({
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "throughline", "namespace": "bookinfo"},
        "spec": {"configPatches": [{
            "applyTo": "HTTP_FILTER",
            "match": {
                "context": "SIDECAR_INBOUND",
                "listener": {"filterChain": {"filter": {"name": manager}}},
            },
            "patch": {
                "operation": "INSERT_FIRST",
                "value": {"name": "throughline", "typed_config": wasm},
            },
        }]},
    }))?;
    has_server_spans_alone(stage)?;
    finds(&stage.bookinfo.productpage.pod, &[Code::FilterPartlyAbsent])?;
    stage.keep("envoy-filter-inbound")
}

/// One plugin in the root namespace and one in the pods' own: one acts, the other stands aside, and each hop is one span.
pub fn two_plugins(stage: &Stage) -> Result<()> {
    stage.install()?;
    let path = stage.manifests.path("overlays/namespace");
    let kubectl = stage.cluster.kubectl();
    kubectl.run(&format!("apply --kustomize {}", path.display()))?;
    for service in stage.bookinfo.all() {
        wait_for_plugin(&service.pod, "two plugins", |plugin| {
            plugin.is_some_and(|plugin| plugin.matches(MODULE).count() >= 2)
        })?;
    }
    one_acts(stage, &[&stage.bookinfo.productpage.pod])?;
    stage.keep("two-plugins")
}

/// On the way from the older kind to the newer one both are there, on every listener.
pub fn both_kinds(stage: &Stage) -> Result<()> {
    if !stage.cluster.line().has_traffic_extensions() {
        println!("  not on this line, which has no TrafficExtension");
        return Ok(());
    }
    stage.install()?;
    let path = stage.manifests.path("overlays/traffic-extension");
    let kubectl = stage.cluster.kubectl();
    kubectl.run(&format!("apply --kustomize {}", path.display()))?;
    // As the other samples: which of them acts is Istio's choice.
    kubectl.patch(EXTENSION, &every_request())?;
    for pod in stage.proxies() {
        wait_for_plugin(pod, "both", |plugin| {
            plugin.is_some_and(|plugin| {
                plugin.matches(MODULE).count() >= 2 && plugin.matches("\\\"arg\\\":1,").count() >= 2
            })
        })?;
    }
    one_acts(stage, &stage.proxies())
}

/// Of two instances on each listener one stands aside, in each of these proxies, and each hop is one span.
fn one_acts(stage: &Stage, proxies: &[&Pod]) -> Result<()> {
    // Each worker of the plugin that was there first asks again whether it is alone after 64 requests of a listener.
    for _ in 0..400 {
        stage.request("/productpage")?;
    }
    stage.traced()?;
    for pod in proxies {
        ensure!(
            number(pod, "throughline_stood_aside")? > 0.0,
            "in {} nobody stood aside",
            pod.name()
        );
        finds(pod, &[Code::SecondInstance])?;
    }
    Ok(())
}

fn every_request() -> Value {
    json!({"spec": {"wasm": {"pluginConfig": {"sampling": {"arg": 1}}}}})
}
