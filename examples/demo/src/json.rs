//! Both runs as JSON for machines; examples/demo/README.md documents it.

use crate::bookinfo::{self, Bookinfo};
use crate::mode::Mode;
use crate::observation::LogLine;
use crate::story::{Fate, Hop, Story, Visit};
use serde_json::{Value, json};

/// Changes when a field that is there changes its meaning or goes.
const VERSION: u32 = 1;

/// The whole object.
pub fn document(bookinfo: &Bookinfo, envoy: &str, native: &Story, filter: &Story) -> Value {
    let services: Vec<_> = bookinfo
        .services()
        .iter()
        .map(|service| {
            json!({"name": service.name, "copies": service.copies.name(), "calls": service.calls})
        })
        .collect();
    json!({
        "version": VERSION,
        "envoy": envoy,
        "request": {"method": "GET", "path": bookinfo::PATH},
        "services": services,
        "filterConfig": Mode::filter_config(),
        "native": run(native),
        "filter": run(filter),
        "oneTrace": filter.flaw().is_none(),
        "problem": filter.flaw(),
    })
}

fn run(story: &Story) -> Value {
    json!({
        "traceIds": story.trace_ids(),
        "hops": story.hops.iter().map(hop).collect::<Vec<_>>(),
        "services": story.visits.iter().map(visit).collect::<Vec<_>>(),
        "accessLog": story.log.iter().map(log_line).collect::<Vec<_>>(),
        "reportedSpans": story.reported.as_ref().map(|ids| json!({"count": ids.len(), "traceIds": ids})),
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
