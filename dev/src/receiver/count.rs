//! Only the span ids of a payload, for load tests: the messages with all other fields left out, which are then skipped.

use anyhow::Result;
use bytes::Bytes;
use prost::Message;
use serde::Deserialize;

#[derive(Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Message)]
struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Message)]
struct Span {
    #[prost(bytes = "bytes", tag = "2")]
    span_id: Bytes,
}

/// The span ids of an OTLP protobuf.
pub fn protobuf(body: &Bytes) -> Result<Vec<u64>> {
    let request = Request::decode(body.clone())?;
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    let id = |span: Span| {
        span.span_id
            .iter()
            .fold(0, |id, byte| id << 8 | u64::from(*byte))
    };
    Ok(scopes.flat_map(|scope| scope.spans).map(id).collect())
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
struct JsonRequest<'a> {
    #[serde(borrow)]
    resource_spans: Vec<JsonResourceSpans<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JsonResourceSpans<'a> {
    #[serde(borrow)]
    scope_spans: Vec<JsonScopeSpans<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JsonScopeSpans<'a> {
    #[serde(borrow)]
    spans: Vec<JsonSpan<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonSpan<'a> {
    span_id: &'a str,
}

#[derive(Deserialize)]
struct ZipkinSpan<'a> {
    id: &'a str,
}

/// The span ids of an OTLP JSON.
pub fn json(body: &[u8]) -> Result<Vec<&str>> {
    let request: JsonRequest<'_> = serde_json::from_slice(body)?;
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    Ok(scopes
        .flat_map(|scope| scope.spans)
        .map(|span| span.span_id)
        .collect())
}

/// The span ids of a Zipkin list.
pub fn zipkin(body: &[u8]) -> Result<Vec<&str>> {
    let spans: Vec<ZipkinSpan<'_>> = serde_json::from_slice(body)?;
    Ok(spans.into_iter().map(|span| span.id).collect())
}
