use super::collector;
use super::services::{Export, Reviews, SPANS, Services, trace_id};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use throughline_dev::poll;
use throughline_dev::receiver::Receiver;

const REQUESTS: u64 = 200;

#[test]
fn two_replicas_keep_the_same_traces() -> Result<()> {
    let backend = Receiver::start()?;
    let to = backend.grpc().to_string();
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
    let spans = || {
        let mut spans: BTreeMap<String, usize> = BTreeMap::new();
        for span in backend.spans() {
            *spans.entry(span.trace_id).or_default() += 1;
        }
        spans
    };
    // Each replica goes in order: once the last request of a trace that is kept came through both, all others did.
    let known = poll::until("a trace that is kept", || {
        Ok(spans()
            .into_iter()
            .find_map(|(id, count)| (count >= SPANS).then_some(id)))
    })
    .with_context(|| format!("{}\n{}", one.log(), other.log()))?;
    services.send(&known, Reviews::Answers)?;
    poll::until("its second request", || {
        Ok((spans().get(&known) >= Some(&(2 * SPANS))).then_some(()))
    })?;
    let mut kept = spans();
    assert_eq!(kept.insert(known, SPANS), Some(2 * SPANS));
    let halves: BTreeSet<_> = kept.iter().filter(|(_, count)| **count != SPANS).collect();
    assert!(halves.is_empty(), "{halves:?}");
    // The ids are the same in every run, so this many or never.
    let expected = REQUESTS / 4;
    let kept = kept.len() as u64;
    assert!(
        (expected / 2..expected * 2).contains(&kept),
        "{kept} of {REQUESTS}"
    );
    for span in backend.spans() {
        let resource = |key: &str| span.resource.get(key).and_then(|value| value.as_str());
        assert_eq!(
            resource("k8s.cluster.name"),
            Some("Kubernetes"),
            "{span:#?}"
        );
        assert_eq!(resource("istio.mesh_id"), Some("mesh1"), "{span:#?}");
    }
    let invalid = backend.invalid();
    assert!(invalid.is_empty(), "{invalid:#?}");
    Ok(())
}
