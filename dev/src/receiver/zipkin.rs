//! Zipkin v2 JSON, as openzipkin/zipkin-api's zipkin2-api.yaml describes it; what that does not know is refused.

use super::span::{Code, Kind, Protocol, Scope, Span, Status, Value};
use anyhow::Result;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ZipkinSpan {
    trace_id: String,
    id: String,
    parent_id: Option<String>,
    #[serde(default)]
    name: String,
    kind: Option<ZipkinKind>,
    timestamp: Option<u64>,
    duration: Option<u64>,
    local_endpoint: Option<Endpoint>,
    remote_endpoint: Option<Endpoint>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default, rename = "annotations")]
    _annotations: Vec<Annotation>,
    #[serde(rename = "debug")]
    _debug: Option<bool>,
    #[serde(rename = "shared")]
    _shared: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum ZipkinKind {
    Client,
    Server,
    Producer,
    Consumer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Endpoint {
    service_name: Option<String>,
    ipv4: Option<std::net::Ipv4Addr>,
    ipv6: Option<std::net::Ipv6Addr>,
    port: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Annotation {
    #[serde(rename = "timestamp")]
    _timestamp: u64,
    #[serde(rename = "value")]
    _value: String,
}

/// The spans of a list.
pub fn read(body: &[u8], faults: &mut Vec<String>) -> Result<Vec<Span>> {
    let spans: Vec<ZipkinSpan> = serde_json::from_slice(body)?;
    for span in &spans {
        check(span, faults);
    }
    Ok(spans.into_iter().map(convert).collect())
}

/// What is Zipkin's alone; the rest is checked on every span.
fn check(span: &ZipkinSpan, faults: &mut Vec<String>) {
    let mut fault = |what: String| faults.push(format!("Zipkin span {}: {what}", span.id));
    if !matches!(span.trace_id.len(), 16 | 32) {
        fault(format!("a trace id of {} digits", span.trace_id.len()));
    }
    if span.name.chars().any(char::is_uppercase) {
        fault(format!("its name is not lower-case: {:?}", span.name));
    }
    if span.duration.is_none_or(|duration| duration == 0) {
        fault("no duration; the shortest is 1".to_owned());
    }
    for endpoint in [&span.local_endpoint, &span.remote_endpoint]
        .into_iter()
        .flatten()
    {
        let name = endpoint.service_name.as_deref();
        if name.is_some_and(|name| name.is_empty() || name.chars().any(char::is_uppercase)) {
            fault(format!("a service must be named in lower case: {name:?}"));
        }
        if endpoint.port == Some(0) {
            fault("an endpoint with port 0".to_owned());
        }
        if name.is_none() && endpoint.ipv4.is_none() && endpoint.ipv6.is_none() {
            fault("an endpoint with neither name nor address".to_owned());
        }
    }
}

fn convert(span: ZipkinSpan) -> Span {
    let name = |endpoint: Option<Endpoint>| endpoint.and_then(|endpoint| endpoint.service_name);
    let service = name(span.local_endpoint).unwrap_or_default();
    let start_ns = span.timestamp.unwrap_or_default().saturating_mul(1000);
    Span {
        protocol: Protocol::Zipkin,
        trace_id: format!("{:0>32}", span.trace_id),
        span_id: span.id,
        parent_id: span.parent_id,
        name: span.name,
        kind: match span.kind {
            None => Kind::Internal,
            Some(ZipkinKind::Client) => Kind::Client,
            Some(ZipkinKind::Server) => Kind::Server,
            Some(ZipkinKind::Producer) => Kind::Producer,
            Some(ZipkinKind::Consumer) => Kind::Consumer,
        },
        resource: BTreeMap::from([("service.name".to_owned(), Value::from(service.as_str()))]),
        service,
        remote_service: name(span.remote_endpoint),
        scope: Scope::default(),
        start_ns,
        end_ns: start_ns.saturating_add(span.duration.unwrap_or_default().saturating_mul(1000)),
        status: status(&span.tags),
        attributes: span
            .tags
            .into_iter()
            .map(|(key, text)| (key, Value::Str(text)))
            .collect(),
        links: Vec::new(),
        flags: 0,
        trace_state: String::new(),
    }
}

/// OpenTelemetry's mapping: `otel.status_code`, and `error` with the reason. Others set `error` alone.
fn status(tags: &BTreeMap<String, String>) -> Status {
    let error = tags.get("error");
    let code = match (tags.get("otel.status_code").map(String::as_str), error) {
        (Some("ERROR"), _) | (None, Some(_)) => Code::Error,
        (Some("OK"), _) => Code::Ok,
        _ => Code::Unset,
    };
    Status {
        code,
        message: error.cloned().unwrap_or_default(),
    }
}
