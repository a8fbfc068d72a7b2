use super::services::{Export, Reviews, SPANS, Services, trace_id};
use super::{collector, resources};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use throughline_dev::backends::Otelcol;
use throughline_dev::poll;

const REQUESTS: u64 = 200;

/// OpenTelemetry's threshold for 25 %, on the last 7 bytes: the highest quarter (specification, "TraceState: Probability
/// Sampling"). The filter's `traceidratio` draws by the same.
fn is_drawn(trace_id: &str) -> bool {
    trace_id
        .get(18..)
        .is_some_and(|random| random >= "c0000000000000")
}

#[test]
fn two_replicas_keep_the_same_traces() -> Result<()> {
    let backend = Otelcol::start(|_| {})?;
    let to = backend.otlp_grpc().0.to_string();
    let replica = || {
        let settings = [
            ("BACKEND", to.as_str()),
            ("CLUSTER_NAME", "west"),
            ("MESH_ID", "mesh1"),
        ];
        collector("probabilistic.yaml", ["OTLP_GRPC", "OTLP_HTTP"], &settings)
    };
    let (one, other) = (replica()?, replica()?);
    let ([grpc, _], [_, http]) = (one.endpoints(), other.endpoints());
    let services = Services::start(
        Export {
            protocol: "otlp-grpc",
            to: grpc,
        },
        Export {
            protocol: "otlp-http",
            to: http,
        },
    )?;
    for number in 1..=REQUESTS {
        services.send(&trace_id(number), Reviews::Answers)?;
    }
    let spans = || -> Result<BTreeMap<String, usize>> {
        let mut spans = BTreeMap::new();
        for span in backend.spans()? {
            *spans.entry(span.trace_id).or_default() += 1;
        }
        Ok(spans)
    };
    // Each replica goes in order: once another request of a trace that is kept came through both, all before it did.
    let known = poll::until("a trace that is kept", || {
        let mut spans = spans()?.into_iter();
        Ok(spans.find_map(|(id, count)| (count >= SPANS).then_some(id)))
    })
    .with_context(|| format!("{}\n{}", one.log(), other.log()))?;
    services.send(&known, Reviews::Answers)?;
    poll::until("its second request", || {
        Ok((spans()?.get(&known) >= Some(&(2 * SPANS))).then_some(()))
    })?;
    let mut kept = spans()?;
    assert_eq!(kept.insert(known, SPANS), Some(2 * SPANS));
    let halves: BTreeSet<_> = kept.iter().filter(|(_, count)| **count != SPANS).collect();
    assert!(halves.is_empty(), "{halves:?}");
    let kept: BTreeSet<_> = kept.into_keys().collect();
    let drawn: BTreeSet<_> = (1..=REQUESTS)
        .map(trace_id)
        .filter(|id| is_drawn(id))
        .collect();
    assert_eq!(kept, drawn);

    let clusters = resources(&backend, "k8s.cluster.name")?;
    assert!(
        clusters.values().all(|name| name == "Kubernetes"),
        "{clusters:?}"
    );
    let meshes = resources(&backend, "istio.mesh_id")?;
    assert!(meshes.values().all(|name| name == "mesh1"), "{meshes:?}");
    Ok(())
}
