//! What became of the spans of hostile requests: every one arrived, is valid, and was counted.

use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use throughline_dev::envoy::Envoy;
use throughline_dev::poll;
use throughline_dev::receiver::Receiver;

/// `expected` are span ids with their trace ids, one for each sampled request that was forwarded. There may be more: a
/// request that Envoy itself refused is a span too.
pub fn all(envoy: &Envoy, receiver: &Receiver, expected: &[(String, String)]) -> Result<()> {
    let mut arrived = HashMap::new();
    let mut missing: Vec<_> = expected.iter().collect();
    let waited = poll::until("every span to arrive", || {
        for span in receiver.take() {
            let before = arrived.insert(span.span_id, span.trace_id);
            ensure!(before.is_none(), "two spans have one id");
        }
        missing.retain(|(span_id, trace_id)| arrived.get(span_id) != Some(trace_id));
        Ok(missing.is_empty().then_some(()))
    });
    waited.with_context(|| {
        format!(
            "{} of {}: {:?}",
            missing.len(),
            expected.len(),
            missing.first()
        )
    })?;
    let counted = poll::until("every span to be counted", || {
        let counted = Counted::read(&envoy.prometheus()?);
        let all = counted.exported + counted.dropped + counted.failed;
        let is_settled = counted.finished == all && receiver.tally().accepted == counted.exported;
        Ok(is_settled.then_some(counted))
    })?;
    let tally = receiver.tally();
    ensure!(
        counted.finished == counted.exported && tally.repeated == 0,
        "{counted:?}, and the collector has {tally:?}"
    );
    let invalid = receiver.invalid();
    ensure!(
        invalid.is_empty(),
        "invalid: {:#?}",
        &invalid[..invalid.len().min(20)]
    );
    Ok(())
}

#[derive(Debug)]
struct Counted {
    finished: u64,
    exported: u64,
    dropped: u64,
    failed: u64,
}

impl Counted {
    fn read(page: &str) -> Self {
        let sum = |name: &str| {
            let values = page.lines().filter_map(|line| line.strip_prefix(name));
            values
                .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
                .sum()
        };
        Self {
            finished: sum("throughline_finished_spans{"),
            exported: sum("throughline_spans{outcome=\"exported\""),
            dropped: sum("throughline_spans{outcome=\"dropped\""),
            failed: sum("throughline_spans{outcome=\"failed\""),
        }
    }
}
