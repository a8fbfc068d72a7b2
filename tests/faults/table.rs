//! The figures, for docs/faults.md.

use crate::trial::{Latency, Outcome};
use std::collections::BTreeMap;
use std::fmt::Write;

/// As Markdown.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = "| the collector | by | p50, p99 without, ms | with | memory, MB | resumed after, s | finished | \
                    exported | lost | sent twice | calls |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for outcome in outcomes {
        let [without, with] = outcome.latency.map(latency);
        let accounts = &outcome.accounts;
        let resumed = outcome.resumed.map_or("never ends".to_owned(), |time| {
            format!("{:.1}", time.as_secs_f64())
        });
        let lost = [
            reasons("dropped", &accounts.dropped),
            reasons("failed", &accounts.failed),
        ]
        .concat();
        let lost = match lost.is_empty() {
            true => "0".to_owned(),
            false => lost.join(", "),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {without} | {with} | {:+.1} | {resumed} | {} | {} | {lost} | {} | {} |",
            outcome.fault,
            outcome.protocol,
            outcome.growth as f64 / 1e6,
            accounts.finished,
            accounts.exported,
            outcome.tally.repeated,
            calls(&accounts.calls)
        );
    }
    text
}

fn latency(latency: Latency) -> String {
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    format!("{:.1}, {:.1}", ms(latency.p50), ms(latency.p99))
}

/// By their answers.
fn calls(counts: &BTreeMap<String, u64>) -> String {
    let each = counts
        .iter()
        .map(|(code, count)| format!("{code}: {count}"));
    each.collect::<Vec<_>>().join(", ")
}

fn reasons(outcome: &str, counts: &BTreeMap<String, u64>) -> Vec<String> {
    let each = counts.iter();
    each.map(|(reason, count)| format!("{count} {outcome}: {reason}"))
        .collect()
}
