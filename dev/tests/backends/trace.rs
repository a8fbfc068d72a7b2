//! The known trace, and how it is sent.

use anyhow::Result;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};
use throughline_dev::backends::{Edges, Span};
use throughline_dev::receiver::{Code, Kind};

pub const PRODUCTPAGE: &str = "productpage.bookinfo";
pub const REVIEWS: &str = "reviews.bookinfo";

const MILLISECOND: u64 = 1_000_000;

/// A request to productpage, which calls reviews, which fails; five seconds ago. Names are in lower case and times in
/// whole microseconds, because Zipkin keeps no others.
pub fn spans(trace_id: &str) -> Result<Vec<Span>> {
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let root = Span {
        trace_id: trace_id.to_owned(),
        span_id: "00f067aa0ba902b7".to_owned(),
        parent_id: None,
        name: "get /productpage".to_owned(),
        kind: Kind::Server,
        service: PRODUCTPAGE.to_owned(),
        start_ns: (now - 5000) * MILLISECOND,
        duration_ns: 250 * MILLISECOND,
        status: Code::Unset,
        attributes: BTreeMap::from([("http.status_code".to_owned(), "200".to_owned())]),
    };
    let call = Span {
        span_id: "00f067aa0ba902b8".to_owned(),
        parent_id: Some(root.span_id.clone()),
        name: "get reviews".to_owned(),
        kind: Kind::Client,
        start_ns: root.start_ns + 10 * MILLISECOND,
        duration_ns: 200 * MILLISECOND,
        status: Code::Error,
        attributes: BTreeMap::from([("http.status_code".to_owned(), "500".to_owned())]),
        ..root.clone()
    };
    let callee = Span {
        span_id: "00f067aa0ba902b9".to_owned(),
        parent_id: Some(call.span_id.clone()),
        name: "get /reviews".to_owned(),
        kind: Kind::Server,
        service: REVIEWS.to_owned(),
        start_ns: call.start_ns + 10 * MILLISECOND,
        duration_ns: 180 * MILLISECOND,
        ..call.clone()
    };
    Ok(vec![root, call, callee])
}

/// The dependency graph of so many such traces.
pub fn edges(traces: u64) -> Edges {
    Edges::from([((PRODUCTPAGE.to_owned(), REVIEWS.to_owned()), traces)])
}

/// OTLP's JSON. The one attribute goes as the number that it is in life.
pub fn as_otlp(spans: &[Span]) -> Value {
    let attribute =
        |(key, value): (&String, &String)| json!({"key": key, "value": {"intValue": value}});
    let resource_spans = spans.iter().map(|span| {
        json!({
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": span.service}}]},
            "scopeSpans": [{"spans": [{
                "traceId": span.trace_id,
                "spanId": span.span_id,
                "parentSpanId": span.parent_id.clone().unwrap_or_default(),
                "name": span.name,
                "kind": if span.kind == Kind::Server { 2 } else { 3 },
                "startTimeUnixNano": span.start_ns.to_string(),
                "endTimeUnixNano": (span.start_ns + span.duration_ns).to_string(),
                "attributes": span.attributes.iter().map(attribute).collect::<Vec<_>>(),
                "status": if span.status == Code::Error { json!({"code": 2}) } else { json!({}) },
            }]}],
        })
    });
    json!({"resourceSpans": resource_spans.collect::<Vec<_>>()})
}

/// The same in protobuf.
pub fn as_protobuf(spans: &[Span]) -> Result<Vec<u8>> {
    let request: ExportTraceServiceRequest = serde_json::from_value(as_otlp(spans))?;
    Ok(request.encode_to_vec())
}

/// Zipkin's JSON, which has text only.
pub fn as_zipkin(spans: &[Span]) -> Value {
    let span = |span: &Span| {
        let mut json = json!({
            "traceId": span.trace_id,
            "id": span.span_id,
            "name": span.name,
            "kind": span.kind.to_string(),
            "timestamp": span.start_ns / 1000,
            "duration": span.duration_ns / 1000,
            "localEndpoint": {"serviceName": span.service},
            "tags": span.attributes,
        });
        if let Some(parent) = &span.parent_id {
            json["parentId"] = json!(parent);
        }
        if span.status == Code::Error {
            // The Collector's receiver, which is Jaeger's and Tempo's too, goes by this tag and takes it off.
            json["tags"]["error"] = json!("true");
        }
        json
    };
    spans.iter().map(span).collect()
}
