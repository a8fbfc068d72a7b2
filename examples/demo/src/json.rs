//! Both runs as JSON for machines; examples/demo/README.md documents it.

use crate::bookinfo;
use crate::log::LogLine;
use crate::report::Report;
use crate::story::{Fate, Hop, Story, Visit};
use crate::traced::Traced;
use serde_json::{Value, json};
use throughline_demo::trace::{Span, Trace};

/// Changes when a field that is there changes its meaning or goes.
const VERSION: u32 = 2;

/// The whole object.
pub fn document(report: &Report<'_>) -> Value {
    let services: Vec<_> = report
        .bookinfo
        .services()
        .iter()
        .map(|service| {
            json!({"name": service.name, "copies": service.copies.name(), "calls": service.calls})
        })
        .collect();
    let links: Vec<_> = report.links.iter().map(|(_, link)| link).collect();
    json!({
        "version": VERSION,
        "envoy": report.envoy,
        "request": {"method": "GET", "path": bookinfo::PATH},
        "services": services,
        "filterConfig": report.config,
        "native": run(report.native),
        "filter": run(report.filter),
        "requests": report.traced.iter().map(traced).collect::<Vec<_>>(),
        "page": report.page,
        "links": links,
        "oneTrace": report.filter.flaw().is_none(),
        "problem": report.filter.flaw(),
    })
}

/// The trace's id, once for each span.
fn ids(trace: &Trace) -> impl Iterator<Item = &str> {
    trace.rows.iter().map(|_| trace.id.as_str())
}

fn traced(traced: &Traced) -> Value {
    json!({
        "title": traced.title,
        "method": traced.method,
        "path": bookinfo::PATH,
        "status": traced.status,
        "traces": traced.traces.iter().map(trace).collect::<Vec<_>>(),
    })
}

fn trace(trace: &Trace) -> Value {
    let span = |span: &Span| {
        json!({
            "spanId": span.id,
            "parentSpanId": span.parent,
            "service": span.service,
            "name": span.name,
            "kind": span.kind,
            "startTimeUnixNano": span.start_ns.to_string(),
            "endTimeUnixNano": span.end_ns.to_string(),
            "failed": span.failed,
            "attributes": span.attributes,
            "resource": span.resource,
        })
    };
    json!({"traceId": trace.id, "spans": trace.spans().map(span).collect::<Vec<_>>()})
}

fn run(story: &Story) -> Value {
    json!({
        "traceIds": story.trace_ids(),
        "hops": story.hops.iter().map(hop).collect::<Vec<_>>(),
        "services": story.visits.iter().map(visit).collect::<Vec<_>>(),
        "accessLog": story.log.iter().map(log_line).collect::<Vec<_>>(),
        "reportedSpans": {
            "count": story.spans(),
            "traceIds": story.traces.iter().flat_map(ids).collect::<Vec<_>>(),
        },
    })
}

fn hop(hop: &Hop) -> Value {
    let (fate, why) = match &hop.fate {
        Fate::Began => ("began", None),
        Fate::Continued => ("continued", None),
        Fate::Broke(why) => ("broke", Some(why)),
    };
    json!({
        "caller": hop.caller,
        "callee": hop.callee,
        "traceIds": hop.trace_ids,
        "forwarded": hop.forwarded.as_ref().map(|carried| carried.to_json()),
        "trace": fate,
        "why": why,
    })
}

fn visit(visit: &Visit) -> Value {
    json!({
        "name": visit.service,
        "received": visit.received.to_json(),
        "foundItsTrace": visit.found,
    })
}

fn log_line(line: &LogLine) -> Value {
    json!({
        "envoy": line.envoy,
        "listener": line.listener,
        "path": line.path,
        "status": line.status,
        "trace.id": line.trace_id,
        "span.id": line.span_id,
        "headers": line.carried.to_json(),
    })
}
