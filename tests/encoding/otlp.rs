//! The export request that a payload is, in OpenTelemetry's own classes.

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Link, SpanKind},
        status::StatusCode,
    },
};
use throughline::{span::Kind, trace::Sampling};

use crate::{
    VERSION,
    span::{Payload, Recorded, Value},
};

pub fn request(payload: &Payload) -> ExportTraceServiceRequest {
    let resource = payload.resource.iter();
    let attributes = resource.map(|(name, value)| text(name, value)).collect();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes,
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "throughline".to_owned(),
                    version: VERSION.to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans: payload.spans.iter().map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn span(recorded: &Recorded) -> Span {
    let mut attributes: Vec<KeyValue> = recorded
        .all()
        .map(|(key, value)| match value {
            Value::Text(value) => text(key, value),
            Value::Int(number) => attribute(key, any_value::Value::IntValue(*number)),
            Value::Bool(truth) => attribute(key, any_value::Value::BoolValue(*truth)),
        })
        .collect();
    if recorded.error.is_some() && recorded.legacy {
        attributes.push(attribute(
            "error",
            any_value::Value::StringValue("true".into()),
        ));
    }
    Span {
        trace_id: recorded.trace_id.bits().to_be_bytes().to_vec(),
        span_id: recorded.span_id.bits().to_be_bytes().to_vec(),
        trace_state: recorded.trace_state.clone(),
        parent_span_id: recorded
            .parent
            .map(|parent| parent.span_id.bits().to_be_bytes().to_vec())
            .unwrap_or_default(),
        flags: flags(recorded),
        name: recorded.name.clone(),
        kind: match recorded.kind {
            Kind::Server => SpanKind::Server.into(),
            Kind::Client => SpanKind::Client.into(),
        },
        start_time_unix_nano: recorded.start,
        end_time_unix_nano: recorded.ends(),
        attributes,
        links: recorded
            .links
            .iter()
            .map(|link| Link {
                trace_id: link.trace_id.bits().to_be_bytes().to_vec(),
                span_id: link.span_id.bits().to_be_bytes().to_vec(),
                ..Link::default()
            })
            .collect(),
        status: recorded.error.as_ref().map(|_| Status {
            code: StatusCode::Error.into(),
            message: String::new(),
        }),
        ..Span::default()
    }
}

/// `Span.flags` (trace.proto, SpanFlags): W3C's in the low byte; 0x100, it is known whether the parent is remote; 0x200,
/// it is.
pub fn flags(recorded: &Recorded) -> u32 {
    let mut flags = 0x100;
    if recorded.sampling != Sampling::Deny {
        flags |= 0x01;
    }
    if recorded.random {
        flags |= 0x02;
    }
    if recorded.parent.is_some_and(|parent| parent.is_remote) {
        flags |= 0x200;
    }
    flags
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
