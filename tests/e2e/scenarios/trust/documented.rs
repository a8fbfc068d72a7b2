//! The rules of docs/configuration.md, word for word, in a mesh with mTLS: from a stranger's request at the ingress gateway through
//! Bookinfo to a host outside, by an egress gateway.

use super::super::TRACE;
use super::TRACEPARENT;
use crate::stage::check_health;
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use throughline_dev::app::{App, Call};
use throughline_dev::bookinfo::{Bookinfo, Builder, Mesh, PATH, Service};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Authority, Cluster, Identity, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::receiver::{Receiver, Span};

const OUTSIDE: &str = "api.openai.com";
const EGRESS: &str = "outbound|443||istio-egressgateway.istio-system.svc.cluster.local";
/// Two at each gateway; one for each side of four sidecars' calls, and of the call that leaves.
const SPANS: u64 = 2 + 4 + 3 + 1 + 2;

/// `trust` of the page's example.
fn documented() -> Result<Value> {
    let page = include_str!("../../../../docs/configuration.md");
    for block in page.split("```yaml\n").skip(1) {
        let (block, _) = block.split_once("```").context("a block without an end")?;
        let example: Value = serde_yaml_ng::from_str(block)?;
        if let Some(trust) = example.get("trust") {
            return Ok(trust.clone());
        }
    }
    bail!("docs/configuration.md has no trust");
}

struct Parts {
    binary: PathBuf,
    plugin: Plugin,
    mesh: Authority,
    egress: SocketAddr,
    collector: SocketAddr,
}

impl Builder for Parts {
    type Application = App;

    fn application(&self, service: &Service) -> Result<App> {
        let app = App::start()?;
        app.forward(service.copies.forward());
        Ok(app)
    }

    fn equip(&self, listener: Listener) -> Listener {
        listener
            .plugin(&self.plugin)
            .route(Route::host(OUTSIDE, EGRESS))
    }

    fn identity(&self, workload: &str) -> Result<Option<Identity>> {
        let principal = format!("cluster.local/ns/bookinfo/sa/{workload}");
        self.mesh.certify(&principal).map(Some)
    }

    fn start(&self, proxy: Proxy) -> Result<Envoy> {
        let identity = self.mesh.certify("cluster.local/ns/bookinfo/sa/any")?;
        proxy
            .cluster(Cluster::new(EGRESS, self.egress).mtls(&identity))
            .cluster(Cluster::new("collector", self.collector))
            .start(&self.binary)
    }
}

pub fn one_trace(release: Release, module: &Path) -> Result<()> {
    let trust = documented()?;
    let receiver = Receiver::start()?;
    let outside = App::start()?;
    let config = json!({
        "trust": trust,
        "export": {"cluster": "collector", "batch": {"scheduleDelay": "10ms"}},
        "propagation": {"inject": ["tracecontext", "b3multi", "b3"]},
    });
    let plugin = Plugin::new(module, &config);
    let binary = release.binary()?;
    let mesh = Authority::new("mesh")?;
    let identity = mesh.certify("cluster.local/ns/istio-system/sa/istio-egressgateway")?;
    let egress = Proxy::new(
        Node::gateway("istio-egressgateway", "istio-system").label("istio", "egressgateway"),
    )
    .listener(
        Listener::outbound("outbound")
            .mtls(&identity)
            .plugin(&plugin)
            .route(Route::host(OUTSIDE, "outbound|443||api.openai.com")),
    )
    .cluster(Cluster::new("outbound|443||api.openai.com", outside.address()).external())
    .cluster(Cluster::new("collector", receiver.http()))
    .start(&binary)?;
    let parts = Parts {
        egress: egress.listener("outbound")?,
        collector: receiver.http(),
        binary,
        plugin,
        mesh,
    };
    let bookinfo = Mesh::start(&Bookinfo::default(), &parts)?;
    let ratings = bookinfo
        .pods
        .iter()
        .find(|pod| pod.service.name == "ratings");
    let ratings = ratings.context("no ratings")?;
    let call = Call::new(ratings.envoy.listener("outbound")?, OUTSIDE, "/v1/models");
    ratings.application.calls(vec![call]);
    // A stranger's, who would like to be sampled, and to be known outside.
    let request = Request::get(PATH)
        .header("host", "bookinfo.example.com")
        .header("traceparent", TRACEPARENT)
        .header("baggage", "user=alice");
    let answer = client::send(bookinfo.gateway.listener("outbound")?, &request)?;
    ensure!(answer.status == 200, "{answer:?}");
    let spans = receiver.wait_for(SPANS)?;
    tree(&spans)?;
    for pod in &bookinfo.pods {
        let seen = pod
            .application
            .take_seen()
            .pop()
            .context(pod.service.name)?;
        ensure!(
            seen.headers.get("baggage").is_none(),
            "{}: {seen:?}",
            pod.service.name
        );
        let b3 = String::from_utf8_lossy(seen.headers.get("b3").unwrap_or_default()).into_owned();
        ensure!(
            b3.starts_with(&spans[0].trace_id),
            "{}: {seen:?}",
            pod.service.name
        );
    }
    let left = outside.take_seen().pop().context("nothing left")?.headers;
    for name in [
        "traceparent",
        "tracestate",
        "b3",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-sampled",
        "baggage",
    ] {
        ensure!(left.get(name).is_none(), "{name} left: {left:?}");
    }
    // Who comes into the mesh by another way, without an identity, begins a trace too.
    let plain = Proxy::new(Node::sidecar("details", "details-v1", "bookinfo"))
        .listener(
            Listener::inbound("inbound")
                .plugin(&parts.plugin)
                .route(Route::any("app")),
        )
        .cluster(Cluster::new("app", outside.address()))
        .cluster(Cluster::new("collector", receiver.http()))
        .start(&parts.binary)?;
    let seen = super::arrives(
        plain.listener("inbound")?,
        &outside,
        &Request::get("/").header("traceparent", TRACEPARENT),
    )?;
    ensure!(super::done(&seen) == "restart", "{seen:?}");
    check_health(&egress)?;
    for (name, envoy) in bookinfo.envoys() {
        check_health(envoy).context(name)?;
    }
    Ok(())
}

/// One tree of one trace, which is not the stranger's but has a link to it.
fn tree(spans: &[Span]) -> Result<()> {
    ensure!(
        spans.len() as u64 == SPANS,
        "{} spans: {spans:#?}",
        spans.len()
    );
    let ids: BTreeMap<&str, &Span> = spans.iter().map(|span| (&*span.span_id, span)).collect();
    let roots: Vec<_> = spans
        .iter()
        .filter(|span| span.parent_id.is_none())
        .collect();
    let [root] = roots[..] else {
        bail!("{} roots: {spans:#?}", roots.len());
    };
    ensure!(root.trace_id != TRACE, "the stranger's trace went on");
    ensure!(
        root.links.iter().any(|(trace, _)| trace == TRACE),
        "no link: {root:?}"
    );
    for span in spans {
        ensure!(span.trace_id == root.trace_id, "another trace: {span:?}");
        let parent = span.parent_id.as_deref();
        ensure!(
            parent.is_none_or(|id| ids.contains_key(id)),
            "no parent: {span:?}"
        );
    }
    Ok(())
}
