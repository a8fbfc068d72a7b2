//! The same as a Zipkin v2 list (zipkin-api, zipkin2-api.yaml; OpenTelemetry, trace/sdk_exporters/zipkin.md).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::{Map, Value as Json, json};
use throughline::{span::Kind, trace::Sampling};

use crate::span::{Payload, Recorded, Value};

pub fn document(payload: &Payload) -> Json {
    let service = payload.service();
    let spans = payload.spans.iter();
    spans.map(|recorded| span(recorded, service)).collect()
}

fn span(recorded: &Recorded, service: &str) -> Json {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Json| drop(fields.insert(name.to_owned(), value));
    let trace_id = recorded.trace_id.bits();
    let trace_id = match u64::try_from(trace_id) {
        Ok(low) => format!("{low:016x}"),
        Err(_) => format!("{trace_id:032x}"),
    };
    set("traceId", json!(trace_id));
    set("id", json!(format!("{:016x}", recorded.span_id.bits())));
    if let Some(parent) = recorded.parent {
        set("parentId", json!(format!("{:016x}", parent.span_id.bits())));
    }
    set("name", json!(recorded.name.to_ascii_lowercase()));
    let kind = if recorded.kind == Kind::Server {
        "SERVER"
    } else {
        "CLIENT"
    };
    set("kind", json!(kind));
    set("timestamp", json!(recorded.start / 1_000));
    set(
        "duration",
        json!(((recorded.ends() - recorded.start) / 1_000).max(1)),
    );
    if recorded.sampling == Sampling::Debug {
        set("debug", json!(true));
    }
    set(
        "localEndpoint",
        json!({"serviceName": service.to_ascii_lowercase()}),
    );
    set("tags", Json::Object(tags(recorded)));
    let remote = recorded.remote.as_ref();
    let remote = remote.map(|(service, address)| endpoint(service.as_deref(), address.as_deref()));
    if let Some(remote) = remote.filter(|remote| !remote.is_empty()) {
        set("remoteEndpoint", Json::Object(remote));
    }
    Json::Object(fields)
}

/// All of them text.
fn tags(recorded: &Recorded) -> Map<String, Json> {
    let mut tags = Map::new();
    for (key, value) in recorded.all() {
        let text = match value {
            Value::Text(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
        };
        tags.insert(key.clone(), json!(text));
    }
    if !recorded.trace_state.is_empty() {
        tags.insert("w3c.tracestate".to_owned(), json!(recorded.trace_state));
    }
    if let Some(error) = &recorded.error {
        tags.insert("otel.status_code".to_owned(), json!("ERROR"));
        tags.insert("error".to_owned(), json!(error));
    }
    tags
}

/// A name, an address, and a port beside an address; what is no address is left out.
fn endpoint(service: Option<&str>, address: Option<&str>) -> Map<String, Json> {
    let mut fields = Map::new();
    if let Some(service) = service {
        fields.insert(
            "serviceName".to_owned(),
            json!(service.to_ascii_lowercase()),
        );
    }
    let text = address.unwrap_or_default();
    let (address, port) = match text.parse::<SocketAddr>() {
        Ok(socket) => (socket.ip().to_string(), socket.port()),
        Err(_) => (text.to_owned(), 0),
    };
    let field = if address.parse::<Ipv4Addr>().is_ok() {
        "ipv4"
    } else if address.parse::<Ipv6Addr>().is_ok() {
        "ipv6"
    } else {
        return fields;
    };
    fields.insert(field.to_owned(), json!(address));
    if port > 0 {
        fields.insert("port".to_owned(), json!(port));
    }
    fields
}
