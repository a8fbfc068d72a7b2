//! Kiali and Tempo: searches by default over gRPC, else over HTTP; a trace always over HTTP.

use super::super::Tempo;
use super::{LIMIT, Search, Span, grpc, times};
use anyhow::{Context, Result};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use prost::Message;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the answer shall hold of each span.
const SELECT: &str = "select(status, .service_name, .node_id, .component, .upstream_cluster, .http.method, \
    .response_flags, resource.hostname, name)";
const SPANS_PER_TRACE: u32 = 10;

/// Of grafana/tempo, pkg/tempopb/tempo.proto, what Kiali uses.
#[derive(Clone, PartialEq, Message)]
struct SearchRequest {
    #[prost(uint32, tag = "2")]
    min_duration_ms: u32,
    #[prost(uint32, tag = "4")]
    limit: u32,
    #[prost(uint32, tag = "5")]
    start: u32,
    #[prost(uint32, tag = "6")]
    end: u32,
    #[prost(string, tag = "8")]
    query: String,
    #[prost(uint32, tag = "9")]
    spans_per_span_set: u32,
}

#[derive(Clone, PartialEq, Message)]
struct SearchResponse {
    #[prost(message, repeated, tag = "1")]
    traces: Vec<TraceSearchMetadata>,
}

#[derive(Clone, PartialEq, Message)]
struct TraceSearchMetadata {
    #[prost(string, tag = "1")]
    trace_id: String,
    #[prost(string, tag = "3")]
    root_trace_name: String,
    #[prost(message, optional, tag = "6")]
    span_set: Option<SpanSet>,
}

#[derive(Clone, PartialEq, Message)]
struct SpanSet {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<FoundSpan>,
}

#[derive(Clone, PartialEq, Message)]
struct FoundSpan {
    #[prost(message, repeated, tag = "5")]
    attributes: Vec<KeyValue>,
}

impl Search {
    /// The spans found in Tempo, over gRPC: not whole traces, and only some of their attributes.
    pub fn tempo(&self, tempo: &Tempo) -> Result<Vec<Span>> {
        let (start, end) = times();
        let request = SearchRequest {
            min_duration_ms: u32::try_from(self.min_duration.as_millis())?,
            limit: LIMIT,
            start: u32::try_from(start)?,
            end: u32::try_from(end)?,
            query: self.traceql(&[(".node_id", "=~", ".*")], |key, value| {
                condition(&format!(".{key}"), "=", value)
            }),
            spans_per_span_set: SPANS_PER_TRACE,
        };
        let answers: Vec<SearchResponse> =
            grpc::call(tempo.grpc(), "/tempopb.StreamingQuerier/Search", &request)?;
        let mut spans = Vec::new();
        for trace in answers.into_iter().flat_map(|answer| answer.traces) {
            for span in trace.span_set.unwrap_or_default().spans {
                let attributes = span.attributes.into_iter().map(|attribute| {
                    let text = match attribute.value.and_then(|any| any.value) {
                        Some(any_value::Value::StringValue(text)) => text,
                        _ => String::new(),
                    };
                    (attribute.key, text)
                });
                // Over gRPC the name is the root's, and the service the one that was asked for.
                spans.push(found(
                    &trace.trace_id,
                    &trace.root_trace_name,
                    &self.service,
                    attributes.collect(),
                ));
            }
        }
        Ok(spans)
    }

    /// The same over HTTP (`use_grpc: false`).
    pub fn tempo_http(&self, tempo: &Tempo) -> Result<Vec<Span>> {
        let (start, end) = times();
        let query = self.traceql(&[], |key, value| match key {
            // Since kiali/kiali pull request 8407.
            "error" => condition(".http.status_code", "!=", "200"),
            _ => condition(&format!(".{key}"), "=", value),
        });
        let mut parameters = vec![
            ("start", start.to_string()),
            ("end", end.to_string()),
            ("q", query),
            ("spss", SPANS_PER_TRACE.to_string()),
            ("limit", LIMIT.to_string()),
        ];
        if !self.min_duration.is_zero() {
            parameters.push((
                "minDuration",
                format!("{}ms", self.min_duration.as_millis()),
            ));
        }
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = tempo.endpoint().get("/api/search", &parameters)?;
        let mut spans = Vec::new();
        for trace in answer["traces"].as_array().context("no list of traces")? {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let found_spans = trace["spanSet"]["spans"]
                .as_array()
                .context("no list of spans")?;
            // The first span's, for all of them.
            let first =
                attributes(&found_spans.first().context("a trace without spans")?["attributes"])?;
            let service = first.get("service.name").cloned().unwrap_or_default();
            for span in found_spans {
                let name = span["name"]
                    .as_str()
                    .or(trace["rootTraceName"].as_str())
                    .unwrap_or_default();
                spans.push(found(
                    &text(&trace["traceID"]),
                    name,
                    &service,
                    attributes(&span["attributes"])?,
                ));
            }
        }
        Ok(spans)
    }

    /// `{ .service.name = "x" && … } && { } | select(…)`, with the blanks that Kiali leaves.
    fn traceql(&self, more: &[(&str, &str, &str)], tag: impl Fn(&str, &str) -> String) -> String {
        let service = condition(".service.name", "=", &self.service);
        let more = more
            .iter()
            .map(|(key, operator, value)| condition(key, operator, value));
        let tags = self.tags().into_iter().map(|(key, value)| tag(key, value));
        let all = more
            .chain(tags)
            .fold(service, |all, next| format!("{all} && {next} "));
        format!("{{ {all} }} && {{  }} | {SELECT}")
    }
}

impl Span {
    /// The page of one trace, out of Tempo.
    pub fn tempo_trace(tempo: &Tempo, trace_id: &str) -> Result<Vec<Self>> {
        let trace = tempo
            .endpoint()
            .get(&format!("/api/traces/{trace_id}"), &[])?;
        let mut spans = Vec::new();
        for batch in trace["batches"].as_array().context("no batches")? {
            let resource = attributes(&batch["resource"]["attributes"])?;
            let service = resource.get("service.name").cloned().unwrap_or_default();
            // Kiali reads the first scope alone.
            for span in batch["scopeSpans"][0]["spans"]
                .as_array()
                .context("no spans")?
            {
                let mut tags = attributes(&span["attributes"])?;
                if span["status"]["code"] == "STATUS_CODE_ERROR" {
                    tags.insert("error".to_owned(), "true".to_owned());
                }
                spans.push(Self {
                    trace_id: trace_id.to_owned(),
                    operation: span["name"].as_str().unwrap_or_default().to_owned(),
                    service: service.clone(),
                    tags,
                });
            }
        }
        Ok(spans)
    }
}

fn condition(key: &str, operator: &str, value: &str) -> String {
    format!("{key} {operator} \"{value}\" ")
}

/// A span of a search, whose status comes as one of its attributes.
fn found(
    trace_id: &str,
    operation: &str,
    service: &str,
    mut tags: BTreeMap<String, String>,
) -> Span {
    if tags.remove("status").as_deref() == Some("error") {
        tags.insert("error".to_owned(), "true".to_owned());
    }
    Span {
        trace_id: trace_id.to_owned(),
        operation: operation.to_owned(),
        service: service.to_owned(),
        tags,
    }
}

/// Kiali knows text alone.
fn attributes(list: &Value) -> Result<BTreeMap<String, String>> {
    let attribute = |pair: &Value| {
        let text = pair["value"]["stringValue"].as_str().unwrap_or_default();
        Ok((
            pair["key"].as_str().context("no key")?.to_owned(),
            text.to_owned(),
        ))
    };
    list.as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(attribute)
        .collect()
}
