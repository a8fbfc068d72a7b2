//! What must hold for a span of any protocol.

use super::span::{Code, Kind, Span, Value};

/// 2020 and 2100 in nanoseconds: a time outside of them is in another unit.
const PLAUSIBLE: std::ops::Range<u64> = 1_577_836_800_000_000_000..4_102_444_800_000_000_000;

/// The flags that OTLP gives a meaning: W3C's eight, “has is-remote” and “is remote”.
const FLAGS: u32 = 0x3ff;

/// Adds the faults of a span.
pub fn span(span: &Span, faults: &mut Vec<String>) {
    let mut fault = |what: String| {
        faults.push(format!(
            "{} {:?} {}: {what}",
            span.kind, span.name, span.span_id
        ))
    };
    if !is_id(&span.trace_id, 32) {
        fault(format!("trace id {:?}", span.trace_id));
    }
    if !is_id(&span.span_id, 16) {
        fault(format!("span id {:?}", span.span_id));
    }
    if let Some(parent) = &span.parent_id {
        if !is_id(parent, 16) {
            fault(format!("parent id {parent:?}"));
        }
        if *parent == span.span_id {
            fault("it is its own parent".to_owned());
        }
    }
    for (trace, id) in &span.links {
        if !is_id(trace, 32) || !is_id(id, 16) {
            fault(format!("a link to {trace:?} {id:?}"));
        }
    }
    if span.name.is_empty() {
        fault("no name".to_owned());
    }
    if span.kind == Kind::Unspecified {
        fault("no kind".to_owned());
    }
    if span.service.is_empty() {
        fault("no service.name".to_owned());
    }
    for time in [span.start_ns, span.end_ns] {
        if !PLAUSIBLE.contains(&time) {
            fault(format!("a time of {time} ns"));
        }
    }
    if span.end_ns < span.start_ns {
        fault(format!(
            "it ends {} ns before it starts",
            span.start_ns - span.end_ns
        ));
    }
    if span.status.code != Code::Error && !span.status.message.is_empty() {
        fault(format!(
            "a status message without an error: {:?}",
            span.status.message
        ));
    }
    if span.flags & !FLAGS != 0 {
        fault(format!("flags {:#x}", span.flags));
    }
    for (key, value) in span.resource.iter().chain(&span.attributes) {
        if key.is_empty() {
            fault(format!("an attribute without a key: {value}"));
        }
        if *value == Value::Empty {
            fault(format!("attribute {key:?} has no value"));
        }
    }
}

fn is_id(text: &str, length: usize) -> bool {
    let hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == length && text.bytes().all(hex) && text.bytes().any(|byte| byte != b'0')
}
