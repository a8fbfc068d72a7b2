//! OTLP, decoded by OpenTelemetry's own generated classes.

use super::span::{Code, Kind, Protocol, Scope, Span, Status, Value};
use anyhow::Result;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{self as proto, span::SpanKind, status::StatusCode};
use prost::Message;
use std::collections::BTreeMap;

/// The spans of a protobuf.
pub fn read_protobuf(
    protocol: Protocol,
    body: &Bytes,
    faults: &mut Vec<String>,
) -> Result<Vec<Span>> {
    let request = ExportTraceServiceRequest::decode(body.clone())?;
    Ok(spans(protocol, request, faults))
}

/// The spans of a JSON object.
pub fn read_json(json: serde_json::Value, faults: &mut Vec<String>) -> Result<Vec<Span>> {
    Ok(spans(
        Protocol::OtlpHttpJson,
        serde_json::from_value(json)?,
        faults,
    ))
}

fn spans(
    protocol: Protocol,
    request: ExportTraceServiceRequest,
    faults: &mut Vec<String>,
) -> Vec<Span> {
    let mut spans = Vec::new();
    for part in request.resource_spans {
        let resource = attributes(
            "resource",
            part.resource.unwrap_or_default().attributes,
            faults,
        );
        let service = resource
            .get("service.name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        for part in part.scope_spans {
            let scope = part.scope.unwrap_or_default();
            let scope = Scope {
                name: scope.name,
                version: scope.version,
            };
            for span in part.spans {
                spans.push(Span {
                    service: service.clone(),
                    resource: resource.clone(),
                    scope: scope.clone(),
                    ..read_span(protocol, span, faults)
                });
            }
        }
    }
    spans
}

fn read_span(protocol: Protocol, span: proto::Span, faults: &mut Vec<String>) -> Span {
    let status = span.status.unwrap_or_default();
    let link = |link: proto::span::Link| (hex(&link.trace_id), hex(&link.span_id));
    Span {
        protocol,
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_id: (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
        kind: kind(span.kind, faults),
        service: String::new(),
        remote_service: None,
        resource: BTreeMap::new(),
        scope: Scope::default(),
        start_ns: span.start_time_unix_nano,
        end_ns: span.end_time_unix_nano,
        status: Status {
            code: code(status.code, faults),
            message: status.message,
        },
        attributes: attributes(&span.name, span.attributes, faults),
        links: span.links.into_iter().map(link).collect(),
        flags: span.flags,
        trace_state: span.trace_state,
        name: span.name,
    }
}

fn kind(number: i32, faults: &mut Vec<String>) -> Kind {
    match SpanKind::try_from(number) {
        Ok(SpanKind::Unspecified) => Kind::Unspecified,
        Ok(SpanKind::Internal) => Kind::Internal,
        Ok(SpanKind::Server) => Kind::Server,
        Ok(SpanKind::Client) => Kind::Client,
        Ok(SpanKind::Producer) => Kind::Producer,
        Ok(SpanKind::Consumer) => Kind::Consumer,
        Err(_) => {
            faults.push(format!("there is no span kind {number}"));
            Kind::Unspecified
        }
    }
}

fn code(number: i32, faults: &mut Vec<String>) -> Code {
    match StatusCode::try_from(number) {
        Ok(StatusCode::Unset) => Code::Unset,
        Ok(StatusCode::Ok) => Code::Ok,
        Ok(StatusCode::Error) => Code::Error,
        Err(_) => {
            faults.push(format!("there is no status code {number}"));
            Code::Unset
        }
    }
}

fn attributes(of: &str, list: Vec<KeyValue>, faults: &mut Vec<String>) -> BTreeMap<String, Value> {
    let mut attributes = BTreeMap::new();
    for KeyValue { key, value, .. } in list {
        if attributes
            .insert(key.clone(), read_value(value, faults))
            .is_some()
        {
            faults.push(format!("{of}: attribute {key:?} twice"));
        }
    }
    attributes
}

fn read_value(value: Option<AnyValue>, faults: &mut Vec<String>) -> Value {
    use any_value::Value as Proto;
    match value.and_then(|value| value.value) {
        None => Value::Empty,
        Some(Proto::StringValue(text)) => Value::Str(text),
        Some(Proto::BoolValue(truth)) => Value::Bool(truth),
        Some(Proto::IntValue(number)) => Value::Int(number),
        Some(Proto::DoubleValue(number)) => Value::Double(number),
        Some(Proto::BytesValue(bytes)) => Value::Bytes(bytes),
        Some(Proto::ArrayValue(list)) => {
            let values = list.values.into_iter();
            Value::List(
                values
                    .map(|value| read_value(Some(value), faults))
                    .collect(),
            )
        }
        Some(Proto::KvlistValue(map)) => Value::Map(attributes("a map", map.values, faults)),
        Some(Proto::StringValueStrindex(_)) => {
            faults.push("an index of a string, which only profiles have".to_owned());
            Value::Empty
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
