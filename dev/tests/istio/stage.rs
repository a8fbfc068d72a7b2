//! The mesh that the scenarios share.

use crate::bookinfo::Bookinfo;
use crate::manifests::{Manifests, root};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use throughline_dev::built;
use throughline_dev::http::{Request, Response, client};
use throughline_dev::istio::plugin::PUSHED_WITHIN;
pub use throughline_dev::istio::plugin::{MODULE, plugin, wait_for_plugin};
use throughline_dev::istio::{Cluster, Line, NODE, Pod, Registry};
use throughline_dev::poll;
use throughline_dev::receiver::{Receiver, Span};

/// What a scenario may have applied.
const KINDS: &str = "wasmplugins,telemetries,envoyfilters,authorizationpolicies,requestauthentications,serviceentries,destinationrules,virtualservices,networkpolicies,proxyconfigs,sidecars";

/// What a request makes: the gateway's two spans, and one for each side of each sidecar that it passes.
pub const SPANS: u64 = 7;

/// The mesh.
#[derive(Debug)]
pub struct Stage {
    pub gateway: Pod,
    pub bookinfo: Bookinfo,
    pub receiver: Receiver,
    pub registry: Registry,
    pub manifests: Manifests,
    pub digest: String,
    // Last, as everything else is in it.
    pub cluster: Cluster,
}

impl Stage {
    /// Starts it: without the plugin, every proxy ready.
    pub fn start(line: Line) -> Result<Self> {
        let overlay = root().join("wasmplugin/istio-operator.yaml");
        let cluster = Cluster::start(line, &[&overlay])?;
        let registry = Registry::start(cluster.directory())?;
        let layer = layer(&built::module()?, cluster.directory())?;
        let digest = registry.push(&layer, "throughline:first")?;
        let pinned = image(&digest);
        let field = |name: &str| pinned[name].as_str().unwrap_or_default();
        let manifests = Manifests::copy(field("url"), field("sha256"))?;
        let receiver = Receiver::start_on(NODE.into())?;
        cluster.namespace("bookinfo", &json!({"istio-injection": "enabled"}))?;
        cluster.namespace("istio-ingress", &json!({}))?;
        cluster.namespace("monitoring", &json!({}))?;
        cluster.service("monitoring", "tempo", "grpc-otlp", 4317, &[receiver.grpc()])?;
        cluster.change_mesh(|mesh| {
            let provider = json!({
                "name": "test-ext-authz",
                "envoyExtAuthzHttp": {"service": "ext-authz.monitoring.svc.cluster.local", "port": 8000},
            });
            match mesh["extensionProviders"].as_array_mut() {
                Some(providers) => providers.push(provider),
                None => mesh["extensionProviders"] = json!([provider]),
            }
        })?;
        let gateway = cluster.gateway("istio-ingress", "ingressgateway")?;
        cluster.kubectl().apply(include_str!("routes.yaml"))?;
        let bookinfo = Bookinfo::start(&cluster)?;
        let stage = Self {
            gateway,
            bookinfo,
            receiver,
            registry,
            manifests,
            digest,
            cluster,
        };
        for pod in stage.proxies() {
            pod.wait_until_ready()?;
        }
        Ok(stage)
    }

    /// Every pod with a proxy.
    pub fn proxies(&self) -> Vec<&Pod> {
        let services = self.bookinfo.all().map(|service| &service.pod);
        services.into_iter().chain([&self.gateway]).collect()
    }

    /// Takes away what scenarios applied, and forgets what they sent.
    pub fn reset(&self) -> Result<()> {
        let mut kinds = KINDS.to_owned();
        if self.cluster.line().has_traffic_extensions() {
            kinds.push_str(",trafficextensions");
        }
        self.cluster.kubectl().run(&format!(
            "delete {kinds} --all-namespaces --selector test!=base"
        ))?;
        wait_until_gone(self)?;
        self.bookinfo.reset();
        self.receiver.take();
        Ok(())
    }

    /// `kubectl apply -k` of one of our kustomizations, and waits until every proxy runs what it says.
    pub fn apply(&self, kustomization: &str) -> Result<()> {
        let path = self.manifests.path(kustomization);
        self.cluster
            .kubectl()
            .run(&format!("apply --kustomize {}", path.display()))?;
        wait_for_texts(self, &[MODULE])?;
        Ok(())
    }

    /// `kubectl apply -k wasmplugin/overlays/dev`, every request traced, and waits until requests are whole.
    pub fn install(&self) -> Result<()> {
        self.apply("overlays/dev")?;
        self.wait_until_whole(SPANS)
    }

    /// Waits until every one of many requests has so many spans: those on connections that were there before still pass the old
    /// listeners, and Envoy closes each after its next answer. There are some for each worker of each proxy.
    pub fn wait_until_whole(&self, expected: u64) -> Result<()> {
        const MANY: usize = 20;
        // Longer than a batch is collected; what is too slow for it is asked again.
        const BATCH: Duration = Duration::from_secs(6);
        let what = format!("{expected} spans of each of {MANY} requests");
        poll::until_within(PUSHED_WITHIN, &what, || {
            let requests = (0..MANY).map(|_| self.request("/productpage"));
            let traces: Vec<_> = requests.collect::<Result<_>>()?;
            let is_whole = |trace: &String| self.spans(trace).len() as u64 == expected;
            let whole = poll::until_within(BATCH, "their spans", || {
                Ok(traces.iter().all(is_whole).then_some(()))
            });
            Ok(whole.ok())
        })
    }

    /// A request through the gateway that must be answered; gives the id of its trace as the last application saw it, or nothing.
    pub fn request(&self, path: &str) -> Result<String> {
        let app = &self.bookinfo.ratings.app;
        app.take_seen();
        let answer = self.get(path, &[])?;
        ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
        let seen = app.take_seen();
        let header = seen
            .last()
            .and_then(|request| request.headers.get("traceparent"));
        let header = String::from_utf8_lossy(header.unwrap_or_default()).into_owned();
        Ok(header.split('-').nth(1).unwrap_or_default().to_owned())
    }

    /// The spans of a trace that have come so far.
    pub fn spans(&self, trace: &str) -> Vec<Span> {
        let mut spans = self.receiver.spans();
        spans.retain(|span| span.trace_id == trace);
        spans
    }

    /// A request that is traced by every proxy, with all of its spans.
    pub fn traced(&self) -> Result<Vec<Span>> {
        self.traced_with(SPANS)
    }

    /// The same where it makes so many spans.
    pub fn traced_with(&self, expected: u64) -> Result<Vec<Span>> {
        let trace = self.arrived(expected)?;
        // Later than a second report of any of them would have come.
        self.arrived(expected)?;
        let spans = self.spans(&trace);
        ensure!(spans.len() as u64 == expected, "{spans:#?}");
        Ok(spans)
    }

    /// Sends a request, and waits until so many of its spans have come; gives its trace.
    fn arrived(&self, expected: u64) -> Result<String> {
        let trace = self.request("/productpage")?;
        ensure!(!trace.is_empty(), "no trace at the last application");
        let count = || self.spans(&trace).len() as u64;
        poll::until("its spans", || Ok((count() >= expected).then_some(())))
            .with_context(|| format!("{:#?}", self.spans(&trace)))?;
        Ok(trace)
    }

    /// Pushes an image with the same module and another digest, which it gives.
    pub fn push_another(&self) -> Result<String> {
        let directory = self.cluster.directory().join("another");
        std::fs::create_dir_all(&directory)?;
        let mut module = std::fs::read(built::module()?)?;
        // A custom section of one byte's name: other bytes, the same code.
        module.extend([0, 2, 1, b'x']);
        let file = directory.join("module");
        std::fs::write(&file, module)?;
        self.registry
            .push(&layer(&file, &directory)?, "throughline:second")
    }

    /// A request through the gateway, as a client outside of the mesh sends it.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Response> {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request.headers.push(name, value);
        }
        client::send(self.entrance(), &request)
    }

    /// Where clients outside of the mesh call.
    pub fn entrance(&self) -> SocketAddr {
        self.gateway.at(8080)
    }

    /// Keeps what the Envoys say in the directory that `DUMPS` names, for those who look for faults in it.
    pub fn keep(&self, name: &str) -> Result<()> {
        let Some(directory) = std::env::var_os("DUMPS").filter(|value| !value.is_empty()) else {
            return Ok(());
        };
        for pod in [&self.bookinfo.productpage.pod, &self.gateway] {
            let line = self.cluster.line().to_string();
            let directory = Path::new(&directory).join(line).join(name).join(pod.name());
            std::fs::create_dir_all(&directory)?;
            for (file, path) in [
                ("config_dump.json", "/config_dump"),
                ("stats.txt", "/stats"),
                ("stats.prom", "/stats/prometheus"),
                ("clusters.txt", "/clusters"),
            ] {
                std::fs::write(directory.join(file), pod.admin(path)?)?;
            }
            std::fs::write(directory.join("log.txt"), pod.log())?;
        }
        Ok(())
    }

    /// The end of every log.
    pub fn logs(&self) -> String {
        let mut logs = String::new();
        for pod in self.proxies().into_iter().chain([self.cluster.istiod()]) {
            let log = pod.log();
            let lines: Vec<_> = log.lines().collect();
            let end = lines
                .get(lines.len().saturating_sub(30)..)
                .unwrap_or_default();
            logs.push_str(&format!("--- {}\n{}\n", pod.name(), end.join("\n")));
            // istiod has no Envoy.
            let page = pod.admin("/stats/prometheus").unwrap_or_default();
            for line in page.lines().filter(|line| line.contains("throughline")) {
                logs.push_str(&format!("{line}\n"));
            }
        }
        logs
    }
}

/// How a plugin names an image: without the digest in the address an agent asks for the tag `latest`, and only compares.
pub fn image(digest: &str) -> Value {
    json!({"url": format!("oci://registry.test:5000/throughline@sha256:{digest}"), "sha256": digest})
}

/// Waits until something is so in a pod.
pub fn wait_for(pod: &Pod, what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    let what = format!("{} to have {what}", pod.name());
    poll::until_within(PUSHED_WITHIN, &what, || {
        std::thread::sleep(Duration::from_millis(100));
        Ok(is_so()?.then_some(()))
    })
}

/// Waits until every proxy has the plugin, and its configuration has all of these texts in it.
pub fn wait_for_texts(stage: &Stage, texts: &[&str]) -> Result<()> {
    for pod in stage.proxies() {
        wait_for_plugin(pod, &texts.join(" and "), |plugin| {
            plugin.is_some_and(|plugin| texts.iter().all(|text| plugin.contains(text)))
        })?;
    }
    Ok(())
}

/// Waits until no proxy has it.
pub fn wait_until_gone(stage: &Stage) -> Result<()> {
    for pod in stage.proxies() {
        wait_for_plugin(pod, "no plugin", |plugin| plugin.is_none())?;
    }
    Ok(())
}

/// The sum of a metric of a pod's Envoy, over its labels; 0 while it is not there.
pub fn number(pod: &Pod, metric: &str) -> Result<f64> {
    Ok(samples(&pod.admin("/stats/prometheus")?, metric).sum())
}

/// A metric of a pod's Envoy by one of its labels.
pub fn labelled(pod: &Pod, metric: &str, label: &str) -> Result<BTreeMap<String, f64>> {
    let page = pod.admin("/stats/prometheus")?;
    let label = format!("{label}=\"");
    let lines = page.lines().filter_map(|line| line.strip_prefix(metric));
    let values = lines.filter_map(|rest| {
        let (_, value) = rest.split_once(&label)?;
        let (value, _) = value.split_once('"')?;
        Some((value.to_owned(), rest.rsplit_once(' ')?.1.parse().ok()?))
    });
    Ok(values.collect())
}

fn samples<'a>(page: &'a str, metric: &'a str) -> impl Iterator<Item = f64> + 'a {
    let lines = page
        .lines()
        .filter_map(move |line| line.strip_prefix(metric));
    let lines = lines.filter(|rest| rest.starts_with(['{', ' ']));
    lines.filter_map(|rest| rest.rsplit_once(' ')?.1.parse().ok())
}

/// The module as the only file of a layer.
fn layer(module: &Path, directory: &Path) -> Result<std::path::PathBuf> {
    let layer = directory.join("layer.tar.gz");
    std::fs::copy(module, directory.join("plugin.wasm"))?;
    let packed = Command::new("tar")
        .arg("--create")
        .arg("--gzip")
        .arg("--file")
        .arg(&layer)
        .arg("--directory")
        .arg(directory)
        .arg("plugin.wasm")
        .status()?;
    ensure!(packed.success(), "tar");
    Ok(layer)
}
