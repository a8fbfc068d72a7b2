//! The mesh: Istio's own control plane, Bookinfo behind a gateway, a registry with the image, and Tempo.

use crate::bookinfo::{Bookinfo, Visit};
use crate::steps::step;
use crate::workspace::{Workspace, repository};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::collections::BTreeSet;
use throughline_dev::backends::Tempo;
use throughline_dev::http::{Request, client};
use throughline_dev::istio::plugin::{MODULE, PUSHED_WITHIN, wait_for_plugin};
use throughline_dev::istio::{Cluster, Line, NODE, Pod, REGISTRY, Registry};
use throughline_dev::poll;

/// The tag of the image.
const TAG: &str = env!("CARGO_PKG_VERSION");

/// Asked for by nobody but [`Mesh::settle`].
const WARM_UP: &str = "/productpage/warm-up";

/// So many requests in a row must go where a change sends them. Each proxy learns of it by itself, and connections that were
/// there before still pass what was there before.
const IN_A_ROW: usize = 30;

/// The running mesh.
#[derive(Debug)]
pub struct Mesh {
    gateway: Pod,
    bookinfo: Bookinfo,
    pub tempo: Tempo,
    pub workspace: Workspace,
    _registry: Registry,
    // Last, as everything else is in it.
    cluster: Cluster,
}

impl Mesh {
    /// Starts it and applies Throughline.
    pub fn start(line: Line) -> Result<Self> {
        let title = format!(
            "Starting Kubernetes' API server and Istio {line} (etcd, kube-apiserver; istioctl manifest generate | kubectl apply; istiod)"
        );
        let cluster = step(&title, || {
            Cluster::start(
                line,
                &[&repository().join("wasmplugin/istio-operator.yaml")],
            )
        })?;
        let tempo = step("Starting Tempo, as tempo.monitoring:4317", || {
            let tempo = Tempo::start_on(NODE.into(), None)?;
            cluster.namespace("monitoring", &json!({}))?;
            let endpoint = [tempo.otlp_grpc().0];
            cluster.service("monitoring", "tempo", "grpc-otlp", 4317, &endpoint)?;
            Ok(tempo)
        })?;
        let directory = cluster.directory().join("workspace");
        let workspace = Workspace::copy(directory, cluster.kubectl().clone())?;
        let title = format!(
            "Pushing the image to {REGISTRY}, a registry in the mesh, and pinning its digest"
        );
        let registry = step(&title, || {
            let registry = Registry::start(cluster.directory())?;
            let image = repository().join("target/image/compat");
            let digest = registry
                .push_layout(&image, &format!("throughline:{TAG}"))
                .context("run `make image` first")?;
            workspace.pin(TAG, &digest)?;
            eprintln!("    {REGISTRY}/throughline:{TAG}@{digest}");
            Ok(registry)
        })?;
        let title = "Starting Bookinfo and a gateway: seven pods, each with Istio's agent and Envoy as istiod injects them";
        let (gateway, bookinfo) = step(title, || pods(&cluster, &workspace))?;
        let mesh = Self {
            gateway,
            bookinfo,
            tempo,
            workspace,
            _registry: registry,
            cluster,
        };
        step(
            "Installing Throughline: every agent pulls the image by its digest",
            || mesh.install(),
        )?;
        Ok(mesh)
    }

    fn install(&self) -> Result<()> {
        self.workspace.kubectl("apply -k wasmplugin/overlays/dev")?;
        for pod in self.proxies() {
            wait_for_plugin(pod, "the module", |plugin| {
                plugin.is_some_and(|plugin| plugin.contains(MODULE))
            })?;
        }
        self.settle("Throughline", |asked| asked.trace_ids().len() == 1)
    }

    /// The line of Istio.
    pub fn line(&self) -> Line {
        self.cluster.line()
    }

    /// Every pod with a proxy.
    fn proxies(&self) -> impl Iterator<Item = &Pod> {
        self.bookinfo.pods().chain([&self.gateway])
    }

    /// Sends requests until they go as a change says.
    pub fn settle(&self, change: &str, is_so: impl Fn(&Asked) -> bool) -> Result<()> {
        let mut in_a_row = 0;
        poll::until_within(PUSHED_WITHIN, &format!("{change} to be in force"), || {
            let asked = self.ask(WARM_UP)?;
            in_a_row = if is_so(&asked) { in_a_row + 1 } else { 0 };
            Ok((in_a_row == IN_A_ROW).then_some(()))
        })
    }

    /// Asks the gateway for `path` as a client without tracing does, and sees which workloads that came to.
    pub fn ask(&self, path: &str) -> Result<Asked> {
        let request = Request::get(path).header("host", "bookinfo.example.com");
        let answer = client::send(self.gateway.at(8080), &request)?;
        ensure!(
            answer.status == 200,
            "GET {path}: {} {}",
            answer.status,
            answer.text().trim()
        );
        Ok(Asked {
            visits: self.bookinfo.visits(),
        })
    }
}

/// A request that was answered with 200.
#[derive(Debug)]
pub struct Asked {
    visits: Vec<Visit>,
}

impl Asked {
    /// How many services it came to.
    pub fn calls(&self) -> usize {
        self.visits.len()
    }

    /// Whether it came to that service.
    pub fn came_to(&self, service: &str) -> bool {
        self.visits
            .iter()
            .any(|visit| visit.workload.service == service)
    }

    /// Whether it came to that version of reviews.
    pub fn came_to_reviews(&self, version: &str) -> bool {
        let is_it = |visit: &Visit| {
            visit.workload.service == "reviews" && visit.workload.version == version
        };
        self.visits.iter().any(is_it)
    }

    /// The traces that the services were told of, in any format.
    pub fn trace_ids(&self) -> BTreeSet<String> {
        let visits = self.visits.iter();
        visits.flat_map(|visit| visit.carried.trace_ids()).collect()
    }
}

fn pods(cluster: &Cluster, workspace: &Workspace) -> Result<(Pod, Bookinfo)> {
    cluster.namespace("istio-ingress", &json!({}))?;
    let gateway = cluster.gateway("istio-ingress", "ingressgateway")?;
    let bookinfo = Bookinfo::start(cluster)?;
    for pod in bookinfo.pods().chain([&gateway]) {
        pod.wait_until_ready()?;
    }
    // Only now, as istiod gives an endpoint the labels of the pod that it knows by then.
    bookinfo.connect(cluster)?;
    workspace.kubectl("apply -f examples/demo-istio/manifests/bookinfo.yaml")?;
    poll::until_within(PUSHED_WITHIN, "the gateway to route", || {
        let answer = client::send(gateway.at(8080), &Request::get(WARM_UP));
        Ok(answer
            .is_ok_and(|answer| answer.status == 200)
            .then_some(()))
    })?;
    bookinfo.visits();
    Ok((gateway, bookinfo))
}
