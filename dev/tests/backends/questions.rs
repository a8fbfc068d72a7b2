//! The queries of docs/operations.md, "Questions at night", asked of a real Prometheus that reads real Envoys as
//! `examples/observability/prometheus/prometheus.yaml` has it read them.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use throughline_dev::app::{App, Call, Forward};
use throughline_dev::backends::Prometheus;
use throughline_dev::built;
use throughline_dev::envoy::{Envoy, Release, chosen_binary};
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Cluster, Node, Plugin, Proxy};
use throughline_dev::poll;

/// Those that `extraStatTags` names in docs/operations.md.
const LABELS: [&str; 6] = ["origin", "format", "reason", "version", "outcome", "code"];

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A question of the docs, and the labels of every sample that answers it here; others may not come.
const QUESTIONS: [(&str, &[&str]); 9] = [
    (
        "Which applications do not forward?",
        &["namespace=bookinfo pod=productpage-v1"],
    ),
    (
        "Where do traces begin?",
        &[
            "namespace=bookinfo pod=productpage-v1",
            "namespace=shop pod=cart-v1",
        ],
    ),
    (
        "Which formats do callers bring?",
        &[
            "origin=b3",
            "origin=b3multi",
            "origin=exporter",
            "origin=started",
            "origin=tracecontext",
        ],
    ),
    (
        "Who gets headers that cannot be used, and why?",
        &["format=b3 namespace=shop pod=cart-v1 reason=syntax"],
    ),
    (
        "Where do formats contradict each other?",
        &["namespace=shop pod=cart-v1"],
    ),
    (
        "Are spans lost, and why?",
        &["namespace=bookinfo outcome=failed reason=rejected"],
    ),
    (
        "What does the collector answer?",
        &["code=400 namespace=bookinfo"],
    ),
    (
        "Which proxies are inert, because their configuration was refused?",
        &["namespace=shop pod=old-v1"],
    ),
    (
        "Which versions run?",
        &[concat!("version=", env!("CARGO_PKG_VERSION"))],
    ),
];

/// An application and its sidecar.
struct Workload {
    name: &'static str,
    namespace: &'static str,
    app: App,
    envoy: Envoy,
}

impl Workload {
    fn start(
        name: &'static str,
        namespace: &'static str,
        config: &Value,
        forward: Forward,
        callee: &App,
        collector: &App,
    ) -> Result<Self> {
        let app = App::start()?;
        let node = Node::sidecar(name, name, namespace);
        let plugin = Plugin::new(&built::module()?, config);
        let proxy = Proxy::sidecar(node, app.address(), callee.address(), Some(&plugin))
            .cluster(Cluster::new("collector", collector.address()));
        let proxy = LABELS
            .iter()
            .fold(proxy, |proxy, label| proxy.stats_tag(label));
        let envoy = proxy.start(&chosen_binary(Release::NEWEST)?)?;
        app.forward(forward);
        app.calls(vec![Call::new(
            envoy.listener("outbound")?,
            "reviews:9080",
            "/",
        )]);
        Ok(Self {
            name,
            namespace,
            app,
            envoy,
        })
    }

    fn get(&self, headers: &[(&str, &str)]) -> Result<()> {
        let request = headers
            .iter()
            .fold(Request::get("/"), |request, (name, value)| {
                request.header(name, value)
            });
        let answer = client::send(self.envoy.listener("inbound")?, &request)?;
        ensure!(answer.status == 200, "{answer:?}");
        self.app.take_seen();
        Ok(())
    }

    /// As Kubernetes describes it to Prometheus.
    fn target(&self) -> Value {
        json!({
            "targets": [self.envoy.admin().to_string()],
            "labels": {
                "__meta_kubernetes_namespace": self.namespace,
                "__meta_kubernetes_pod_name": self.name,
                "__meta_kubernetes_pod_container_port_name": "http-envoy-prom",
            },
        })
    }
}

#[test]
fn every_question_of_the_docs_has_its_answer() -> Result<()> {
    let (callee, collector) = (App::start()?, App::start()?);
    collector.answers(400);
    let start = |name, namespace, config: &Value, forward| {
        Workload::start(name, namespace, config, forward, &callee, &collector)
    };
    let export = json!({"export": {
        "cluster": "collector", "batch": {"scheduleDelay": "100ms"},
    }});
    let productpage = start("productpage-v1", "bookinfo", &export, Forward::Nothing)?;
    let cart = start("cart-v1", "shop", &json!({}), Forward::Everything)?;
    let old = start("old-v1", "shop", &json!({"samplng": {}}), Forward::Nothing)?;
    let workloads = [&productpage, &cart, &old];
    let prometheus = reads(&workloads)?;

    let single = format!("{TRACE}-00f067aa0ba902b7-1");
    let w3c = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let other = w3c.replace("4bf9", "1111");
    let questions = questions()?;
    let expected: Vec<&str> = QUESTIONS.iter().map(|(question, _)| *question).collect();
    let documented: Vec<&str> = questions.keys().map(String::as_str).collect();
    let mut sorted = expected.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, documented);
    for (question, answers) in QUESTIONS {
        let promql = &questions[question];
        let mut last = Vec::new();
        let answered = poll::until(question, || {
            productpage.get(&[("traceparent", &w3c)])?;
            old.get(&[])?;
            cart.get(&[("b3", &single)])?;
            cart.get(&[("b3", "nonsense")])?;
            cart.get(&[("b3", &single), ("traceparent", &other)])?;
            callee.take_seen();
            last = labels(&prometheus, promql)?;
            Ok((last == answers).then_some(()))
        });
        answered.with_context(|| format!("{promql}\nanswered: {last:#?}"))?;
    }
    Ok(())
}

/// One that reads these workloads by the shipped configuration; only who they are is told and not discovered.
fn reads(workloads: &[&Workload]) -> Result<Prometheus> {
    let directory =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/observability/prometheus");
    let read = |name: &str| {
        let path = directory.join(name);
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    };
    let mut config: Value = serde_yaml_ng::from_str(&read("prometheus.yaml")?)?;
    // Seconds instead of minutes until a rate is known.
    config["global"]["scrape_interval"] = json!("500ms");
    let jobs = config["scrape_configs"].as_array_mut().context("no jobs")?;
    jobs.retain(|job| job["job_name"] == "envoy-stats");
    let job = jobs.first_mut().context("no job envoy-stats")?;
    let job = job.as_object_mut().context("no object")?;
    job.remove("kubernetes_sd_configs")
        .context("no discovery")?;
    let targets: Vec<Value> = workloads.iter().map(|workload| workload.target()).collect();
    job.insert("static_configs".to_owned(), targets.into());
    Prometheus::configured(&[
        ("prometheus.yaml", &config.to_string()),
        ("alerts.yaml", &read("alerts.yaml")?),
    ])
}

/// Of every sample, sorted.
fn labels(prometheus: &Prometheus, promql: &str) -> Result<Vec<String>> {
    let mut samples: Vec<String> = prometheus
        .query(promql)?
        .into_iter()
        .map(|(labels, _)| {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            labels.join(" ")
        })
        .collect();
    samples.sort();
    Ok(samples)
}

/// The docs' questions with their queries.
fn questions() -> Result<BTreeMap<String, String>> {
    let docs = include_str!("../../../docs/operations.md");
    let (_, section) = docs
        .split_once("## Questions at night")
        .context("no section")?;
    let section = section
        .split_once("\n## ")
        .map_or(section, |(section, _)| section);
    let blocks = section.split("\n**").skip(1);
    blocks
        .map(|block| {
            let (question, rest) = block.split_once("**").context("no end of a question")?;
            let (_, rest) = rest.split_once("```promql\n").context("no query")?;
            let (query, _) = rest.split_once("```").context("no end of a query")?;
            Ok((question.to_owned(), query.to_owned()))
        })
        .collect()
}
