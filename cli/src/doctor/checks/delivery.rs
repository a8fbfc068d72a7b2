//! What became of the spans.

use super::count;
use crate::doctor::case::Case;
use crate::doctor::finding::{Code, Finding};
use crate::doctor::input::Stats;

/// The worst, where several reasons are there: what to do about it.
const REASONS: [(&str, &str); 7] = [
    (
        "queue_full",
        "More spans finish than leave. Sample less (sampling.arg), or see why the collector is slow; a larger export.batch.maxQueueSize helps over peaks alone.",
    ),
    (
        "queue_bytes",
        "More bytes wait than may. Sample less (sampling.arg), or raise export.batch.maxQueueBytes.",
    ),
    (
        "shutdown",
        "Proxies ended, or their configuration changed, while the collector did not answer: see why it did not.",
    ),
    (
        "rejected",
        "The collector refuses batches for good: wrong protocol or path for its port, or a missing credential (export.protocol, path, headers). Its log says more.",
    ),
    (
        "partial_success",
        "The collector refuses single spans: its log says which and why.",
    ),
    (
        "retries_exhausted",
        "A minute of tries was not enough: is the collector up, and does it take what comes?",
    ),
    (
        "bad_response",
        "What answers is no collector: check export.service, port and path (otlp-http 4318, otlp-grpc 4317, zipkin 9411).",
    ),
];

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    let Some(stats) = &case.stats else {
        return said(case, found);
    };
    if stats.sum("export_unreachable", &[]) > 0 {
        let fix = if found.iter().any(is_cause) {
            "What is said of the cluster above is the reason."
        } else {
            FIX
        };
        found.push(unreachable(case, stats, fix));
    } else {
        said(case, found);
    }
    for (outcome, code) in [
        ("dropped", Code::SpansDropped),
        ("failed", Code::SpansFailed),
    ] {
        found.extend(lost(case, stats, outcome, code));
    }
}

/// Where only the log is known.
fn said(case: &Case, found: &mut Vec<Finding>) {
    let line = case.log.as_ref().and_then(|log| log.unreachable.as_deref());
    // The gauge follows what happens after the log was written.
    if let (Some(line), None) = (line, &case.stats) {
        found.push(Finding::new(
            Code::CollectorUnreachable,
            "Spans do not arrive",
            format!("Envoy's log: {line}"),
            FIX,
        ));
    }
}

/// What keeps spans from leaving before anybody is asked.
fn is_cause(finding: &Finding) -> bool {
    matches!(
        finding.code,
        Code::ClusterMissing
            | Code::ClusterWithoutHosts
            | Code::HostsUnhealthy
            | Code::ClusterNotHttp2
    )
}

const FIX: &str = "not_sent: Envoy has no such cluster or no host in it. none, 503, grpc_14: nobody listens at that port, or a \
                   NetworkPolicy drops it; 504 or a timeout: it is dropped. 404, 415: wrong path or protocol for that port.\n\
                   Ports of collectors: 4317 otlp-grpc, 4318 otlp-http, 9411 zipkin.";

fn unreachable(case: &Case, stats: &Stats, fix: &str) -> Finding {
    let answers = answers(stats);
    let line = case.log.as_ref().and_then(|log| log.unreachable.as_deref());
    Finding::new(
        Code::CollectorUnreachable,
        "Spans do not arrive: the gauge throughline_export_unreachable is 1",
        match (line, answers.is_empty()) {
            (Some(line), _) => format!("Envoy's log: {line}"),
            (None, false) => format!("Answers so far: {answers}."),
            (None, true) => "No request to the collector has been answered.".to_owned(),
        },
        fix,
    )
}

/// `200 12 times, not_sent 3 times`
fn answers(stats: &Stats) -> String {
    let of = |sample: &crate::doctor::input::Sample| {
        (sample.value > 0)
            .then(|| format!("{} {}", sample.label("code"), count(sample.value, "time")))
    };
    stats
        .samples("export_requests")
        .filter_map(of)
        .collect::<Vec<_>>()
        .join(", ")
}

fn lost(case: &Case, stats: &Stats, outcome: &str, code: Code) -> Option<Finding> {
    let total = stats.sum("spans", &[("outcome", outcome)]);
    if total == 0 {
        return None;
    }
    let mut reasons: Vec<(u64, &str)> = stats
        .samples("spans")
        .filter(|sample| sample.label("outcome") == outcome && sample.value > 0)
        .map(|sample| (sample.value, sample.label("reason")))
        .collect();
    reasons.sort_unstable_by(|a, b| b.cmp(a));
    let listed: Vec<String> = reasons
        .iter()
        .map(|(value, reason)| format!("{reason} {value}"))
        .collect();
    let fixes = REASONS
        .iter()
        .filter(|(known, _)| reasons.iter().any(|(_, reason)| reason == known));
    let fixes: Vec<String> = fixes
        .map(|(reason, fix)| format!("{reason}: {fix}"))
        .collect();
    let what = match code {
        Code::SpansDropped => "dropped before they left",
        _ => "lost on the way",
    };
    let finished = stats.sum("finished_spans", &[]);
    Some(Finding::new(
        code,
        format!("{} of {finished} {what}", count(total, "span")),
        format!("By reason, {}: {}.", case.since, listed.join(", ")),
        fixes.join("\n"),
    ))
}
