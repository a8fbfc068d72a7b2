//! A cluster with Istio installed by its own manifests.

use super::apiserver::ApiServer;
use super::container::Container;
use super::kubectl::{Kubectl, kubeconfig_of};
use super::line::Line;
use super::network::{Bridge, NODE};
use super::pod::Pod;
use super::registry;
use crate::http::{Request, client};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Where a pod's agent writes what the workload is known by.
const CERTIFICATES: &str = "/var/lib/istio/certificates";

/// A running cluster. Dropping it ends everything in it.
#[derive(Debug)]
pub struct Cluster {
    line: Line,
    istiod: Pod,
    apiserver: ApiServer,
    bridge: Bridge,
    directory: TempDir,
}

impl Cluster {
    /// Starts one, with Istio as `istioctl install` would have it: `overlays` are files of IstioOperators.
    pub fn start(line: Line, overlays: &[&Path]) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("throughline-istio-")
            .tempdir()?;
        // Pods run as another user.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        let bridge = Bridge::make()?;
        let apiserver = ApiServer::start(directory.path())?;
        let kubectl = apiserver.kubectl();
        kubectl.run("create namespace istio-system")?;
        install(line, kubectl, overlays, directory.path())?;
        let istiod = istiod(line, kubectl, &bridge, directory.path())?;
        Ok(Self {
            line,
            istiod,
            apiserver,
            bridge,
            directory,
        })
    }

    /// What its administrator types.
    pub fn kubectl(&self) -> &Kubectl {
        self.apiserver.kubectl()
    }

    /// The directory that is its own.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Istio's control plane.
    pub fn istiod(&self) -> &Pod {
        &self.istiod
    }

    /// The line of Istio that it runs.
    pub fn line(&self) -> Line {
        self.line
    }

    /// Changes the mesh's configuration, which istiod reads again.
    pub fn change_mesh(&self, change: impl FnOnce(&mut Value)) -> Result<()> {
        let what = "configmap istio --namespace istio-system";
        let map = self.kubectl().get(what)?;
        let text = map["data"]["mesh"]
            .as_str()
            .context("no mesh configuration")?;
        let mut mesh: Value = serde_yaml_ng::from_str(text)?;
        change(&mut mesh);
        self.kubectl()
            .patch(what, &json!({"data": {"mesh": mesh.to_string()}}))
    }

    /// A namespace, with injection or without.
    pub fn namespace(&self, name: &str, labels: &Value) -> Result<()> {
        self.kubectl().apply_json(&json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels},
        }))?;
        // Kubernetes' controllers would make it.
        self.account(name, "default")
    }

    fn account(&self, namespace: &str, name: &str) -> Result<()> {
        self.kubectl().apply_json(&json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace},
        }))?;
        Ok(())
    }

    /// A pod of an application, in whose specification istiod puts what it injects.
    pub fn pod(&self, namespace: &str, name: &str, metadata: &Value) -> Result<Pod> {
        let mut pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {
                "nodeName": "node",
                "serviceAccountName": "default",
                "containers": [{"name": "app", "image": "app"}],
            },
        });
        pod["metadata"]["name"] = name.into();
        pod["metadata"]["namespace"] = namespace.into();
        self.start_pod(&pod)
    }

    /// A gateway, injected by Istio's template for gateways.
    pub fn gateway(&self, namespace: &str, name: &str) -> Result<Pod> {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {"istio": name, "app": name, "sidecar.istio.io/inject": "true"},
                "annotations": {"inject.istio.io/templates": "gateway"},
            },
            "spec": {
                "nodeName": "node",
                "serviceAccountName": "default",
                "containers": [{"name": "istio-proxy", "image": "auto"}],
            },
        });
        self.start_pod(&pod)
    }

    /// A pod of a deployment, such as istiod makes for waypoints.
    pub fn pod_of(&self, namespace: &str, deployment: &str) -> Result<Pod> {
        let pod = pod_of(self.kubectl(), namespace, deployment)?;
        self.start_pod(&pod)
    }

    fn start_pod(&self, pod: &Value) -> Result<Pod> {
        let kubectl = self.kubectl();
        let (mut running, made) = Pod::create(kubectl, self.bridge.pod()?, self.directory(), pod)?;
        if Container::is_in(&made, "istio-proxy") {
            running.run_proxy(kubectl, self.line, &made, self.istiod.address())?;
        }
        Ok(running)
    }

    /// A service whose endpoints are these addresses; gives its own address.
    pub fn service(
        &self,
        namespace: &str,
        name: &str,
        port_name: &str,
        port: u16,
        endpoints: &[SocketAddr],
    ) -> Result<SocketAddr> {
        let ports = json!([{"name": port_name, "port": port}]);
        self.service_object(namespace, name, json!({"ports": ports}))?;
        slice(self.kubectl(), namespace, name, port_name, endpoints)?;
        let what = format!("service {name} --namespace {namespace}");
        let made = self.kubectl().get(&what)?;
        let address = made["spec"]["clusterIP"].as_str();
        Ok((address.context("no cluster IP")?.parse::<IpAddr>()?, port).into())
    }

    /// A service without an address of its own; its port is that of its endpoint, as nobody translates it.
    pub fn headless_service(
        &self,
        namespace: &str,
        name: &str,
        port_name: &str,
        endpoint: SocketAddr,
    ) -> Result<()> {
        let ports = json!([{"name": port_name, "port": endpoint.port()}]);
        self.service_object(
            namespace,
            name,
            json!({"clusterIP": "None", "ports": ports}),
        )?;
        slice(self.kubectl(), namespace, name, port_name, &[endpoint])
    }

    /// Endpoints for a port of a service that somebody else made, such as istiod a waypoint's.
    pub fn endpoints(
        &self,
        namespace: &str,
        service: &str,
        port_name: &str,
        endpoint: SocketAddr,
    ) -> Result<()> {
        slice(self.kubectl(), namespace, service, port_name, &[endpoint])
    }

    fn service_object(&self, namespace: &str, name: &str, mut spec: Value) -> Result<()> {
        spec["selector"] = json!({"app": name});
        self.kubectl().apply_json(&json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
            "spec": spec,
        }))?;
        Ok(())
    }
}

/// What Kubernetes' controllers make for a service: its endpoints.
fn slice(
    kubectl: &Kubectl,
    namespace: &str,
    service: &str,
    port_name: &str,
    endpoints: &[SocketAddr],
) -> Result<()> {
    let addresses: Vec<_> = endpoints
        .iter()
        .map(|endpoint| json!({"addresses": [endpoint.ip()], "conditions": {"ready": true}}))
        .collect();
    kubectl.apply_json(&json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": format!("{service}-{port_name}"),
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "endpoints": addresses,
        "ports": [{"name": port_name, "port": endpoints.first().map_or(0, SocketAddr::port)}],
    }))?;
    Ok(())
}

/// What a plain Envoy, a registry without TLS, and the paths of a test need.
fn our_overlay() -> Value {
    json!({
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "spec": {
            "profile": "minimal",
            "meshConfig": {
                "enablePrometheusMerge": false,
                "defaultConfig": {
                    // In place of 45 s, which a listener is kept for connections that were there before: tests wait for its end.
                    "drainDuration": "10s",
                    "proxyMetadata": {
                        "WASM_INSECURE_REGISTRIES": registry::HOST,
                        // For a client of waypoints, which needs a workload's identity.
                        "OUTPUT_CERTS": CERTIFICATES,
                    },
                },
            },
            "values": {
                // The webhook for objects without a revision, as `istioctl install` sets it.
                "defaultRevision": "default",
                "telemetry": {"enabled": false},
                "pilot": {"env": {
                    "PILOT_ENABLE_AMBIENT": "true",
                    // Istio's own filters are in no other Envoy than its own.
                    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
                    "PILOT_ENABLE_ALPN_FILTER": "false",
                    "PILOT_DISABLE_MX_ALPN": "true",
                }},
            },
        },
    })
}

/// Applies what `istioctl install` applies, and the Gateway API.
fn install(line: Line, kubectl: &Kubectl, overlays: &[&Path], directory: &Path) -> Result<()> {
    let ours = directory.join("overlay.json");
    fs::write(&ours, our_overlay().to_string())?;
    let programs = line.directory()?;
    let mut command = Command::new(programs.join("istioctl"));
    command.args(["manifest", "generate"]);
    for overlay in overlays.iter().copied().chain([ours.as_path()]) {
        command.arg("--filename").arg(overlay);
    }
    let output = command.output().context("istioctl")?;
    if !output.status.success() {
        bail!("istioctl: {}", String::from_utf8_lossy(&output.stderr));
    }
    let manifests = String::from_utf8(output.stdout)?;
    let (mut definitions, mut others) = (Vec::new(), Vec::new());
    for document in serde_yaml_ng::Deserializer::from_str(&manifests) {
        let object = Value::deserialize(document)?;
        match object["kind"].as_str() {
            None => {}
            Some("CustomResourceDefinition") => definitions.push(object),
            Some(_) => others.push(object),
        }
    }
    let list = |items| json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let gateway_api = programs.join("gateway-crds").display().to_string();
    let apply = "apply --server-side --filename";
    kubectl.feed(&format!("{apply} -"), &list(definitions))?;
    kubectl.run(&format!("{apply} {gateway_api} --recursive"))?;
    kubectl.run("wait --for condition=Established crd --all --timeout 60s")?;
    kubectl.feed(&format!("{apply} -"), &list(others))?;
    Ok(())
}

fn istiod(line: Line, kubectl: &Kubectl, bridge: &Bridge, directory: &Path) -> Result<Pod> {
    let pod = pod_of(kubectl, "istio-system", "istiod")?;
    let (mut istiod, made) = Pod::create(kubectl, bridge.pod()?, directory, &pod)?;
    let account = made["spec"]["serviceAccountName"]
        .as_str()
        .unwrap_or("default");
    let token = kubectl.run(&format!(
        "create token {account} --namespace istio-system --duration 12h"
    ))?;
    let kubeconfig = directory.join("istiod.kubeconfig");
    let server = format!("https://{NODE}:6443");
    fs::write(&kubeconfig, kubeconfig_of(&server, token.trim()))?;
    let mut container = Container::of(&made, "discovery")?;
    // It reads files that only the user of this test can read.
    (container.user, container.group) = (Some(0), Some(0));
    // It looks for a kubeconfig in a secret, and then for the files of a pod; here it is told.
    container.environment.remove("KUBECONFIG");
    container
        .arguments
        .push(format!("--kubeconfig={}", kubeconfig.display()));
    let program = line.directory()?.join("pilot-discovery");
    istiod.run(&[&program], container, "")?;
    for (name, port) in [("https-webhook", 15017), ("https-dns", 15012)] {
        slice(kubectl, "istio-system", "istiod", name, &[istiod.at(port)])?;
    }
    let ready = istiod.at(8080);
    istiod.daemon()?.wait("be ready", || {
        client::send(ready, &Request::get("/ready")).is_ok_and(|r| r.status == 200)
    })?;
    wait_for_webhooks(kubectl)?;
    Ok(istiod)
}

/// istiod writes its certificate into its webhooks, and only then has the API server insist on their verdict.
fn wait_for_webhooks(kubectl: &Kubectl) -> Result<()> {
    let patience = Duration::from_secs(60);
    crate::poll::until_within(patience, "istiod's webhooks", || {
        let webhooks = |kind: &str| -> Result<Vec<Value>> {
            let all = kubectl.get(&format!("{kind}webhookconfigurations"))?;
            let items = all["items"].as_array().into_iter().flatten();
            let webhooks = items.flat_map(|item| item["webhooks"].as_array().into_iter().flatten());
            Ok(webhooks.cloned().collect())
        };
        let insist = |webhook: &Value| {
            webhook["clientConfig"]["caBundle"].is_string() && webhook["failurePolicy"] == "Fail"
        };
        let ready =
            webhooks("mutating")?.iter().all(insist) && webhooks("validating")?.iter().all(insist);
        Ok(ready.then_some(()))
    })
}

/// The pod that a deployment asks for.
fn pod_of(kubectl: &Kubectl, namespace: &str, deployment: &str) -> Result<Value> {
    let deployment_object =
        kubectl.get(&format!("deployment {deployment} --namespace {namespace}"))?;
    let mut pod = deployment_object["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = format!("{deployment}-0").into();
    pod["metadata"]["namespace"] = namespace.into();
    pod["spec"]["nodeName"] = "node".into();
    Ok(pod)
}
