//! What operators see of it: labels, log lines, headers that were of no use.

use super::{count, some};
use crate::doctor::case::Case;
use crate::doctor::finding::{Code, Finding};
use crate::doctor::input::{Labels, Stats};

/// The labels of the filter's metrics (docs/operations.md).
const LABELS: [&str; 6] = ["origin", "format", "reason", "version", "outcome", "code"];

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    if case.instances.is_empty() {
        return;
    }
    labels(case, found);
    access_log(case, found);
    if let Some(stats) = &case.stats {
        headers(case, stats, found);
    }
}

fn labels(case: &Case, found: &mut Vec<Finding>) {
    let missing: Vec<&str> = match &case.node {
        Some(node) => {
            let is_missing = |label: &&str| !node.stats_tags.iter().any(|tag| tag == label);
            LABELS.into_iter().filter(is_missing).collect()
        }
        None => Vec::new(),
    };
    let in_names = case
        .stats
        .as_ref()
        .is_some_and(|stats| stats.labels == Labels::InNames);
    if missing.is_empty() && !in_names {
        return;
    }
    let missing = if missing.is_empty() {
        LABELS.to_vec()
    } else {
        missing
    };
    found.push(Finding::new(
        Code::MetricsUnlabelled,
        format!("The filter's metrics have no labels {}", missing.join(", ")),
        "In Prometheus they are spelled in the names (origin___b3___throughline_requests): dashboards and alerts do not find them.",
        if case.is_istio() {
            "In MeshConfig (wasmplugin/meshconfig.yaml); proxies take it up when they restart:\n\
             \x20 defaultConfig:\n\
             \x20   extraStatTags: [origin, format, reason, version, outcome, code]"
                .to_owned()
        } else {
            let tag = |label: &&str| {
                format!("\x20 - {{ tag_name: {label}, regex: '({label}=\\.=(.*?);\\.;)' }}")
            };
            let tags: Vec<String> = missing.iter().map(tag).collect();
            format!("stats_config:\n\x20 stats_tags:\n{}", tags.join("\n"))
        },
    ));
}

fn access_log(case: &Case, found: &mut Vec<Finding>) {
    let without = case.chains.iter().filter(|chain| {
        case.has_filter(chain)
            && !chain
                .manager
                .access_logs
                .iter()
                .any(|has_trace_id| *has_trace_id)
    });
    let without: Vec<&str> = without.map(|chain| &*chain.listener).collect();
    if !without.is_empty() {
        found.push(Finding::new(
            Code::AccessLogWithoutTraceId,
            "The access log does not name the trace",
            format!("On {}: a request in the log cannot be found in the tracing backend.", some(without.into_iter())),
            if case.is_istio() {
                "Add the fields to accessLogFormat in MeshConfig (wasmplugin/meshconfig.yaml has all of it):\n\
                 \x20 \"trace.id\": \"%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%\",\n\
                 \x20 \"span.id\": \"%FILTER_STATE(wasm.throughline.span_id:PLAIN)%\""
            } else {
                "Add the fields to the access log's json_format:\n\
                 \x20 trace.id: \"%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%\"\n\
                 \x20 span.id: \"%FILTER_STATE(wasm.throughline.span_id:PLAIN)%\""
            },
        ));
    }
}

fn headers(case: &Case, stats: &Stats, found: &mut Vec<Finding>) {
    let rejected: Vec<String> = stats
        .samples("rejected_headers")
        .filter(|sample| sample.value > 0)
        .map(|sample| {
            format!(
                "{}/{} {}",
                sample.label("format"),
                sample.label("reason"),
                sample.value
            )
        })
        .collect();
    if !rejected.is_empty() {
        found.push(Finding::new(
            Code::HeadersRejected,
            format!("{} came in that could not be used", count(stats.sum("rejected_headers", &[]), "trace header")),
            format!("By format and reason: {}.", some(rejected.iter().map(String::as_str))),
            format!(
                "Somebody sends broken trace headers; with log: {{level: debug}} and {} each request says which.",
                if case.is_istio() {
                    "istioctl proxy-config log POD --level wasm:debug"
                } else {
                    "curl -X POST 'ADMIN/logging?wasm=debug' (Envoy's admin)"
                }
            ),
        ));
    }
    let conflicts = stats.sum("conflicts", &[]);
    if conflicts > 0 {
        found.push(Finding::new(
            Code::FormatsConflict,
            format!("In {} two formats named different traces", count(conflicts, "request")),
            "The order of propagation.extract decided. A service that forwards some trace headers and not others does that.",
            "Let the service forward every header of docs/interop.md, or put the format that it does forward first in propagation.extract.",
        ));
    }
}
