//! What OTLP's JSON demands and its decoders forgive: known names, and 64-bit numbers as decimal text.
//! (OTLP specification, “JSON Protobuf Encoding”.)

use serde_json::Value;

/// The fields of a message.
type Message = [(&'static str, Field)];

enum Field {
    /// Whatever the decoder accepts.
    Plain,
    /// A 64-bit number.
    Long,
    One(&'static &'static Message),
    Many(&'static &'static Message),
}

use Field::{Long, Many, One, Plain};

static REQUEST: &Message = &[("resourceSpans", Many(&RESOURCE_SPANS))];

static RESOURCE_SPANS: &Message = &[
    ("resource", One(&RESOURCE)),
    ("scopeSpans", Many(&SCOPE_SPANS)),
    ("schemaUrl", Plain),
];

static RESOURCE: &Message = &[
    ("attributes", Many(&KEY_VALUE)),
    ("droppedAttributesCount", Plain),
];

static SCOPE_SPANS: &Message = &[
    ("scope", One(&SCOPE)),
    ("spans", Many(&SPAN)),
    ("schemaUrl", Plain),
];

static SCOPE: &Message = &[
    ("name", Plain),
    ("version", Plain),
    ("attributes", Many(&KEY_VALUE)),
    ("droppedAttributesCount", Plain),
];

static SPAN: &Message = &[
    ("traceId", Plain),
    ("spanId", Plain),
    ("traceState", Plain),
    ("parentSpanId", Plain),
    ("flags", Plain),
    ("name", Plain),
    ("kind", Plain),
    ("startTimeUnixNano", Long),
    ("endTimeUnixNano", Long),
    ("attributes", Many(&KEY_VALUE)),
    ("droppedAttributesCount", Plain),
    ("events", Many(&EVENT)),
    ("droppedEventsCount", Plain),
    ("links", Many(&LINK)),
    ("droppedLinksCount", Plain),
    ("status", One(&STATUS)),
];

static EVENT: &Message = &[
    ("timeUnixNano", Long),
    ("name", Plain),
    ("attributes", Many(&KEY_VALUE)),
    ("droppedAttributesCount", Plain),
];

static LINK: &Message = &[
    ("traceId", Plain),
    ("spanId", Plain),
    ("traceState", Plain),
    ("attributes", Many(&KEY_VALUE)),
    ("droppedAttributesCount", Plain),
    ("flags", Plain),
];

static STATUS: &Message = &[("message", Plain), ("code", Plain)];

static KEY_VALUE: &Message = &[("key", Plain), ("value", One(&ANY_VALUE))];

static ANY_VALUE: &Message = &[
    ("stringValue", Plain),
    ("boolValue", Plain),
    ("intValue", Long),
    ("doubleValue", Plain),
    ("bytesValue", Plain),
    ("arrayValue", One(&ARRAY)),
    ("kvlistValue", One(&LIST)),
];

static ARRAY: &Message = &[("values", Many(&ANY_VALUE))];

static LIST: &Message = &[("values", Many(&KEY_VALUE))];

/// The faults of an export request.
pub fn check(request: &Value, faults: &mut Vec<String>) {
    message(request, REQUEST, faults);
}

fn message(value: &Value, fields: &Message, faults: &mut Vec<String>) {
    // What is not even an object, the decoder refuses.
    for (key, value) in value.as_object().into_iter().flatten() {
        match fields.iter().find(|(name, _)| name == key) {
            None => faults.push(format!("OTLP's JSON has no {key:?} there")),
            Some((_, Plain)) => {}
            Some((_, Long)) if value.is_string() => {}
            Some((_, Long)) => faults.push(format!("{key:?} is not text but {value}")),
            Some((_, One(fields))) => message(value, fields, faults),
            Some((_, Many(fields))) => {
                for value in value.as_array().into_iter().flatten() {
                    message(value, fields, faults);
                }
            }
        }
    }
}
