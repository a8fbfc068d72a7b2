//! The same as an OTLP JSON document (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"): ids in
//! hexadecimal, 64-bit integers as text, enums as numbers, and no field that says nothing.

use serde_json::{Map, Value as Json, json};
use throughline::span::Kind;

use crate::{
    VERSION, otlp,
    span::{Payload, Recorded, Value},
};

pub fn document(payload: &Payload) -> Json {
    let resource = payload.resource.iter();
    let resource: Vec<Json> = resource.map(|(name, value)| text(name, value)).collect();
    let spans: Vec<Json> = payload.spans.iter().map(span).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{"scope": {"name": "throughline", "version": VERSION}, "spans": spans}],
    }]})
}

fn span(recorded: &Recorded) -> Json {
    let mut attributes: Vec<Json> = recorded
        .all()
        .map(|(key, value)| match value {
            Value::Text(value) => text(key, value),
            Value::Int(number) => json!({"key": key, "value": {"intValue": number.to_string()}}),
            Value::Bool(truth) => json!({"key": key, "value": {"boolValue": truth}}),
        })
        .collect();
    let mut fields = Map::new();
    let mut set = |name: &str, value: Json| drop(fields.insert(name.to_owned(), value));
    set(
        "traceId",
        json!(format!("{:032x}", recorded.trace_id.bits())),
    );
    set("spanId", json!(format!("{:016x}", recorded.span_id.bits())));
    if let Some(parent) = recorded.parent {
        set(
            "parentSpanId",
            json!(format!("{:016x}", parent.span_id.bits())),
        );
    }
    set("name", json!(recorded.name));
    if !recorded.trace_state.is_empty() {
        set("traceState", json!(recorded.trace_state));
    }
    set(
        "kind",
        json!(if recorded.kind == Kind::Server { 2 } else { 3 }),
    );
    set("startTimeUnixNano", json!(recorded.start.to_string()));
    set("endTimeUnixNano", json!(recorded.ends().to_string()));
    set("flags", json!(otlp::flags(recorded)));
    if !recorded.links.is_empty() {
        let links = recorded.links.iter().map(|link| {
            json!({
                "traceId": format!("{:032x}", link.trace_id.bits()),
                "spanId": format!("{:016x}", link.span_id.bits()),
            })
        });
        set("links", links.collect());
    }
    if recorded.error.is_some() {
        set("status", json!({"code": 2}));
        if recorded.legacy {
            attributes.push(json!({"key": "error", "value": {"stringValue": "true"}}));
        }
    }
    set("attributes", Json::Array(attributes));
    Json::Object(fields)
}

fn text(key: &str, value: &str) -> Json {
    json!({"key": key, "value": {"stringValue": value}})
}
