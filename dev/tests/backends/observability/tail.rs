use super::services::{Export, Reviews, SPANS, Services, trace_id};
use super::{collector, example, resources};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;
use throughline_dev::backends::{
    Edges, Endpoint, Otelcol, ShippedOtelcol, Span, edges, exposition,
};
use throughline_dev::poll;

/// Of collector.yaml's policy.
const SLOW: Duration = Duration::from_secs(2);
/// Its metrics are flushed every 15 s.
const FLUSHED: Duration = Duration::from_secs(90);
const PRODUCTPAGE: &str = "productpage.bookinfo";
const REVIEWS: &str = "reviews.bookinfo";

struct Stage {
    backend: Otelcol,
    collector: ShippedOtelcol<4>,
    services: Services,
}

impl Stage {
    /// collector.yaml, which keeps `share` percent of the ordinary traces: productpage reports to it by OTLP, reviews by
    /// Zipkin.
    fn start(share: &str) -> Result<Self> {
        let backend = Otelcol::start(|_| {})?;
        let collector = collector(
            "collector.yaml",
            ["OTLP_GRPC", "OTLP_HTTP", "ZIPKIN", "METRICS"],
            &[
                ("BACKEND", &backend.otlp_grpc().0.to_string()),
                ("DECISION_WAIT", "2s"),
                ("SHARE", share),
                ("CLUSTER_NAME", "west"),
                ("MESH_ID", "mesh1"),
            ],
        )?;
        let [grpc, _, zipkin, _] = collector.endpoints();
        let services = Services::start(
            Export {
                protocol: "otlp-grpc",
                to: grpc,
            },
            Export {
                protocol: "zipkin",
                to: zipkin,
            },
        )?;
        Ok(Self {
            backend,
            collector,
            services,
        })
    }

    fn metrics(&self) -> Endpoint {
        let [.., metrics] = self.collector.endpoints();
        metrics
    }

    /// Waits for all spans of so many traces.
    fn wait_for(&self, traces: usize) -> Result<BTreeMap<String, Vec<Span>>> {
        let spans = poll::until("the traces that are kept", || {
            let spans = self.backend.spans()?;
            Ok((spans.len() >= traces * SPANS).then_some(spans))
        });
        let mut by_trace: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        for span in spans.with_context(|| self.collector.log())? {
            by_trace
                .entry(span.trace_id.clone())
                .or_default()
                .push(span);
        }
        Ok(by_trace)
    }
}

#[test]
fn errors_and_slow_traces_are_kept_and_metrics_count_every_request() -> Result<()> {
    let stage = Stage::start("0")?;
    let mut ids = (1..).map(trace_id);
    let mut send = |reviews| -> Result<(String, Duration)> {
        let id = ids.next().context("ids are endless")?;
        let took = stage.services.send(&id, reviews)?;
        Ok((id, took))
    };
    let mut kept = BTreeSet::new();
    let mut sent = BTreeSet::new();
    for _ in 0..20 {
        let (id, took) = send(Reviews::Answers)?;
        // On a machine that stood still it is slow, and rightly kept.
        if took >= SLOW {
            kept.insert(id.clone());
        }
        sent.insert(id);
    }
    for reviews in [
        Reviews::Fails,
        Reviews::Takes(SLOW + SLOW / 4),
        Reviews::Fails,
    ] {
        let (id, _) = send(reviews)?;
        kept.insert(id.clone());
        sent.insert(id);
    }
    stage.wait_for(kept.len())?;
    // Everything goes in order: once this one is through, the fate of those before it is sealed.
    let (last, _) = send(Reviews::Fails)?;
    kept.insert(last.clone());
    sent.insert(last);
    let traces = stage.wait_for(kept.len())?;
    assert_eq!(traces.keys().cloned().collect::<BTreeSet<_>>(), kept);
    for spans in traces.values() {
        assert_eq!(spans.len(), SPANS, "{spans:#?}");
    }

    every_span_says_where_it_came_from(&stage.backend)?;
    metrics_count(&stage, sent.len() as u64)?;
    // An exemplar is on the page from one flush to the next: those so far may be gone.
    let (fresh, _) = send(Reviews::Fails)?;
    kept.insert(fresh);
    exemplars_lead_to(&stage, &kept)?;
    grafana_asks_for_what_is_there(&stage)?;
    let log = stage.collector.log();
    assert!(!log.contains("deprecated"), "{log}");
    Ok(())
}

/// What the proxy said by OTLP stays; by Zipkin it can say only its name.
fn every_span_says_where_it_came_from(backend: &Otelcol) -> Result<()> {
    let by_service = |productpage: &str, reviews: &str| {
        let of = |service: &str, value: &str| (service.to_owned(), value.to_owned());
        BTreeMap::from([of(PRODUCTPAGE, productpage), of(REVIEWS, reviews)])
    };
    let clusters = resources(backend, "k8s.cluster.name")?;
    assert_eq!(clusters, by_service("Kubernetes", "west"));
    let meshes = resources(backend, "istio.mesh_id")?;
    assert_eq!(meshes, by_service("mesh1", "mesh1"));
    for span in backend.spans()? {
        assert_eq!(
            span.attributes["istio.mesh_id"], "cluster.local",
            "{span:#?}"
        );
    }
    Ok(())
}

fn metrics_count(stage: &Stage, requests: u64) -> Result<()> {
    let edge = Edges::from([((PRODUCTPAGE.to_owned(), REVIEWS.to_owned()), requests)]);
    let graph = || -> Result<Edges> {
        let page = stage.metrics().open_metrics()?;
        edges::of_metrics(&exposition::samples(
            &page,
            "traces_service_graph_request_total",
        )?)
    };
    poll::until_within(FLUSHED, "the service graph", || {
        Ok((graph()? == edge).then_some(()))
    })
    .with_context(|| format!("{:?}, not {edge:?}", graph()))?;
    let calls = || -> Result<BTreeMap<(String, String), u64>> {
        let page = stage.metrics().open_metrics()?;
        let mut calls = BTreeMap::new();
        for (labels, count) in exposition::samples(&page, "traces_span_metrics_calls_total")? {
            let label = |name: &str| labels.get(name).cloned().unwrap_or_default();
            // A count in a float, far below where it would lose digits.
            *calls
                .entry((label("service_name"), label("span_kind")))
                .or_default() += count as u64;
        }
        Ok(calls)
    };
    let of = |service: &str, kind: &str| ((service.to_owned(), kind.to_owned()), requests);
    let expected = BTreeMap::from([
        of(PRODUCTPAGE, "SPAN_KIND_SERVER"),
        of(PRODUCTPAGE, "SPAN_KIND_CLIENT"),
        of(REVIEWS, "SPAN_KIND_SERVER"),
    ]);
    poll::until_within(FLUSHED, "the calls", || {
        Ok((calls()? == expected).then_some(()))
    })
    .with_context(|| format!("{:?}, not {expected:?}", calls()))
}

fn exemplars_lead_to(stage: &Stage, kept: &BTreeSet<String>) -> Result<()> {
    let metric = "traces_kept_duration_milliseconds_bucket";
    let exemplars = poll::until_within(FLUSHED, "exemplars", || {
        let found = exposition::exemplars(&stage.metrics().open_metrics()?, metric)?;
        Ok(Some(found).filter(|found| !found.is_empty()))
    })
    .with_context(|| format!("{:?}", stage.metrics().open_metrics()))?;
    for exemplar in exemplars {
        let trace = exemplar.get("trace_id").context("no trace_id")?;
        assert!(kept.contains(trace), "{trace} is not among {kept:?}");
    }
    Ok(())
}

/// The metric that Grafana's data source asks for by name, with the labels that it makes of a span's tags.
fn grafana_asks_for_what_is_there(stage: &Stage) -> Result<()> {
    let text = fs::read_to_string(example("grafana/datasources.yaml"))?;
    let config: Value = serde_yaml_ng::from_str(&text)?;
    let tempo = config["datasources"]
        .as_array()
        .and_then(|all| all.iter().find(|source| source["type"] == "tempo"))
        .context("no Tempo")?;
    let to_metrics = &tempo["jsonData"]["tracesToMetrics"];
    let page = stage.metrics().open_metrics()?;
    let queries = to_metrics["queries"].as_array().context("no queries")?;
    assert!(!queries.is_empty());
    for query in queries {
        let query = query["query"].as_str().context("no query")?;
        let (before, _) = query
            .split_once("{$$__tags}")
            .context("no tags in the query")?;
        let metric = before.rsplit('(').next().unwrap_or_default();
        let samples = exposition::samples(&page, metric)?;
        assert!(!samples.is_empty(), "{metric} is not on the page");
        for tag in to_metrics["tags"].as_array().context("no tags")? {
            let label = tag["value"].as_str().context("no label")?;
            assert!(
                samples.iter().all(|(labels, _)| labels.contains_key(label)),
                "{metric} without {label}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_share_of_the_rest_is_kept_too() -> Result<()> {
    let stage = Stage::start("100")?;
    let id = trace_id(1);
    stage.services.send(&id, Reviews::Answers)?;
    let traces = stage.wait_for(1)?;
    assert_eq!(traces.keys().collect::<Vec<_>>(), [&id]);
    Ok(())
}
