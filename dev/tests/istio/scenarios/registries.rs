//! Registries that an agent cannot just ask: one that only a proxy reaches, and one that wants a password.

use crate::doctor::finds;
use crate::gate::{ForwardProxy, with_password};
use crate::page::quotes;
use crate::stage::{MODULE, Stage, wait_for, wait_for_plugin};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use throughline_cli::doctor::Code;
use throughline_dev::istio::Pod;

const HIDDEN: &str = "hidden.test:443";
const SECTION: &str = "The registry is behind a proxy";

/// An agent heeds `HTTPS_PROXY` and `NO_PROXY` of its own environment, for its registry and for istiod alike.
pub fn behind_a_proxy(stage: &Stage) -> Result<()> {
    let cluster = &stage.cluster;
    cluster.namespace("behind", &json!({"istio-injection": "enabled"}))?;
    plugin(stage, "behind", HIDDEN, None)?;
    let certificates = stage.gateway.certificates();
    let proxy = ForwardProxy::start(HIDDEN, &cluster.line().envoy()?, &certificates)?;
    let start = |name: &str, proxies: Value| {
        let mut environment = json!({"WASM_INSECURE_REGISTRIES": HIDDEN});
        for (key, value) in proxies.as_object().into_iter().flatten() {
            environment[key] = value.clone();
        }
        pod(stage, "behind", name, environment)
    };

    // It gives up after half a minute.
    let direct = start("direct", json!({}))?;

    let url = proxy.url();
    let told = start("told", json!({"HTTPS_PROXY": url, "NO_PROXY": ".svc"}))?;
    has(&told, MODULE)?;
    finds(&told, &[])?;
    let asked = proxy.seen();
    let only_the_registry = asked
        .iter()
        .all(|line| *line == format!("CONNECT {HIDDEN}"));
    ensure!(!asked.is_empty() && only_the_registry, "{asked:?}");

    // Without NO_PROXY istiod, too, is asked through the proxy, which does not know it.
    let lost = start("lost", json!({"HTTPS_PROXY": url}))?;
    wait_for(&lost, "asked the proxy for istiod", || {
        let asked = proxy.seen();
        Ok(asked
            .iter()
            .any(|line| line.starts_with("CONNECT istiod.istio-system.svc:15012")))
    })?;
    wait_for(&lost, "said so", || {
        Ok(lost.log().contains("failed to do connect handshake"))
    })?;
    quotes(SECTION, "failed to do connect handshake", &lost.log())?;
    finds(&lost, &[Code::NoHttpListener])?;

    has(&direct, "wasm-default-allow")?;
    quotes(SECTION, "context deadline exceeded", &direct.log())?;
    finds(&direct, &[Code::ImageNotPulled])?;
    remove(stage, "behind", &[&direct, &told, &lost])
}

/// Istio's agent refuses the usual realm; one that is an https URL gets through with the pull secret of the plugin's namespace.
pub fn with_a_password(stage: &Stage) -> Result<()> {
    const SECTION: &str = "The registry wants a password";
    let cluster = &stage.cluster;
    cluster.namespace("secured", &json!({"istio-injection": "enabled"}))?;
    let mut pods = Vec::new();
    for (name, realm) in [
        ("usual", "Registry Realm"),
        ("url", "https://registry.example/"),
    ] {
        let (_server, address) = with_password(realm)?;
        let authority = format!("registry.test:{}", address.port());
        let login = json!({"auths": {(&authority): {"username": "tester", "password": "secret"}}});
        cluster.kubectl().apply_json(&json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "registry", "namespace": "secured"},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": login.to_string()},
        }))?;
        let environment = json!({"WASM_INSECURE_REGISTRIES": authority});
        if realm.starts_with("https") {
            // Without the secret.
            plugin(stage, "secured", &authority, None)?;
            let anonymous = pod(stage, "secured", "anonymous", environment.clone())?;
            has(&anonymous, "wasm-default-allow")?;
            quotes(SECTION, "401 Unauthorized", &anonymous.log())?;
            finds(&anonymous, &[Code::ImageNotPulled])?;
            pods.push(anonymous);
        }
        plugin(stage, "secured", &authority, Some("registry"))?;
        let asks = pod(stage, "secured", name, environment)?;
        if realm.starts_with("https") {
            has(&asks, MODULE)?;
            finds(&asks, &[])?;
        } else {
            has(&asks, "wasm-default-allow")?;
            quotes(
                SECTION,
                "rejected unsafe bearer realm: realm scheme \"\" not allowed",
                &asks.log(),
            )?;
            finds(&asks, &[Code::ImageNotPulled])?;
        }
        pods.push(asks);
    }
    remove(stage, "secured", &pods.iter().collect::<Vec<_>>())
}

/// Waits until a pod is ready, and what it has of the plugin contains that.
fn has(pod: &Pod, text: &str) -> Result<()> {
    pod.wait_until_ready()?;
    wait_for_plugin(pod, text, |plugin| {
        plugin.is_some_and(|plugin| plugin.contains(text))
    })
}

/// The plugin for one namespace, pulled from there.
fn plugin(stage: &Stage, namespace: &str, authority: &str, secret: Option<&str>) -> Result<()> {
    let digest = &stage.digest;
    let mut spec = json!({
        "url": format!("oci://{authority}/throughline@sha256:{digest}"),
        "sha256": digest,
        "failStrategy": "FAIL_OPEN",
        "pluginName": "throughline",
        "pluginConfig": {},
    });
    if let Some(secret) = secret {
        spec["imagePullSecret"] = secret.into();
    }
    stage.cluster.kubectl().apply_json(&json!({
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "throughline", "namespace": namespace},
        "spec": spec,
    }))?;
    Ok(())
}

/// A pod whose proxy has that in its environment.
fn pod(stage: &Stage, namespace: &str, name: &str, environment: Value) -> Result<Pod> {
    let config = json!({"proxyMetadata": environment}).to_string();
    let metadata = json!({
        "labels": {"app": name},
        "annotations": {"proxy.istio.io/config": config},
    });
    stage.cluster.pod(namespace, name, &metadata)
}

fn remove(stage: &Stage, namespace: &str, pods: &[&Pod]) -> Result<()> {
    for pod in pods {
        let name = pod.name();
        stage.cluster.kubectl().run(&format!(
            "delete pod {name} --namespace {namespace} --force"
        ))?;
    }
    Ok(())
}
