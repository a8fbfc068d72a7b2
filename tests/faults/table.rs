//! The figures, for docs/faults.md.

use crate::trial::{Outcome, Service};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// As Markdown.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = "| the collector | by | p50, p99, ms, and CPU, µs, without | with | memory, MB | resumed after, s | finished | \
                    exported | lost | sent twice | calls |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for outcome in outcomes {
        let [without, with] = outcome.service.map(service);
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

fn service(service: Service) -> String {
    let Service { p50, p99, cpu } = service;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    format!("{:.1}, {:.1}, {}", ms(p50), ms(p99), cpu.as_micros())
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
