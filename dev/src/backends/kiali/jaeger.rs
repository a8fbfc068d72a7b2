//! Kiali and Jaeger: by default over gRPC, else over HTTP.

use super::super::{Endpoint, Jaeger};
use super::{LIMIT, Search, Span, grpc, times};
use anyhow::{Context, Result, bail};
use prost::Message;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Of jaegertracing/jaeger-idl v0.6.0, proto/api_v2/query.proto and model.proto, what Kiali uses.
#[derive(Clone, PartialEq, Message)]
struct FindTracesRequest {
    #[prost(message, optional, tag = "1")]
    query: Option<TraceQueryParameters>,
}

#[derive(Clone, PartialEq, Message)]
struct TraceQueryParameters {
    #[prost(string, tag = "1")]
    service_name: String,
    #[prost(map = "string, string", tag = "3")]
    tags: HashMap<String, String>,
    #[prost(message, optional, tag = "4")]
    start_time_min: Option<Seconds>,
    #[prost(message, optional, tag = "5")]
    start_time_max: Option<Seconds>,
    #[prost(message, optional, tag = "6")]
    duration_min: Option<Seconds>,
    #[prost(int32, tag = "8")]
    search_depth: i32,
}

/// `google.protobuf.Timestamp`, and `Duration`.
#[derive(Clone, PartialEq, Message)]
struct Seconds {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct GetTraceRequest {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct SpansResponseChunk {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<ModelSpan>,
}

#[derive(Clone, PartialEq, Message)]
struct ModelSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(string, tag = "3")]
    operation_name: String,
    #[prost(message, repeated, tag = "8")]
    tags: Vec<KeyValue>,
    #[prost(message, optional, tag = "10")]
    process: Option<Process>,
}

#[derive(Clone, PartialEq, Message)]
struct Process {
    #[prost(string, tag = "1")]
    service_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(int32, tag = "2")]
    v_type: i32,
    #[prost(string, tag = "3")]
    v_str: String,
    #[prost(bool, tag = "4")]
    v_bool: bool,
    #[prost(int64, tag = "5")]
    v_int64: i64,
}

impl Search {
    /// The spans of the traces found in Jaeger, over gRPC.
    pub fn jaeger(&self, jaeger: &Jaeger) -> Result<Vec<Span>> {
        let (start, end) = times();
        let second = |seconds| Some(Seconds { seconds, nanos: 0 });
        let query = TraceQueryParameters {
            service_name: self.service.clone(),
            tags: self
                .tags()
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            start_time_min: second(start),
            start_time_max: second(end),
            duration_min: Some(Seconds {
                seconds: i64::try_from(self.min_duration.as_secs())?,
                nanos: i32::try_from(self.min_duration.subsec_nanos())?,
            }),
            search_depth: i32::try_from(LIMIT)?,
        };
        let request = FindTracesRequest { query: Some(query) };
        spans(grpc::call(
            jaeger.grpc(),
            "/jaeger.api_v2.QueryService/FindTraces",
            &request,
        )?)
    }

    /// The same over HTTP (`use_grpc: false`).
    pub fn jaeger_http(&self, jaeger: &Jaeger) -> Result<Vec<Span>> {
        let (start, end) = times();
        let tags: BTreeMap<_, _> = self.tags().into_iter().collect();
        let mut parameters = vec![
            ("service", self.service.clone()),
            ("start", format!("{start}000000")),
            ("end", format!("{end}000000")),
            ("tags", json!(tags).to_string()),
            ("limit", LIMIT.to_string()),
        ];
        if !self.min_duration.is_zero() {
            parameters.push((
                "minDuration",
                format!("{}us", self.min_duration.as_micros()),
            ));
        }
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        traces(&jaeger.endpoint().get("/api/traces", &parameters)?)
    }
}

impl Span {
    /// The page of one trace, out of Jaeger over gRPC.
    pub fn jaeger_trace(jaeger: &Jaeger, trace_id: &str) -> Result<Vec<Self>> {
        let request = GetTraceRequest {
            trace_id: u128::from_str_radix(trace_id, 16)?.to_be_bytes().to_vec(),
        };
        spans(grpc::call(
            jaeger.grpc(),
            "/jaeger.api_v2.QueryService/GetTrace",
            &request,
        )?)
    }

    /// The same over HTTP.
    pub fn jaeger_trace_http(jaeger: &Jaeger, trace_id: &str) -> Result<Vec<Self>> {
        let endpoint: Endpoint = jaeger.endpoint();
        traces(&endpoint.get(&format!("/api/traces/{trace_id}"), &[])?)
    }
}

fn spans(chunks: Vec<SpansResponseChunk>) -> Result<Vec<Span>> {
    let spans = chunks.into_iter().flat_map(|chunk| chunk.spans);
    spans
        .map(|span| {
            Ok(Span {
                trace_id: span
                    .trace_id
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
                operation: span.operation_name,
                service: span
                    .process
                    .context("a span without a process")?
                    .service_name,
                tags: span.tags.into_iter().map(tag).collect::<Result<_>>()?,
            })
        })
        .collect()
}

fn tag(tag: KeyValue) -> Result<(String, String)> {
    let value = match tag.v_type {
        0 => tag.v_str,
        1 => tag.v_bool.to_string(),
        2 => tag.v_int64.to_string(),
        other => bail!("tag {} of type {other}", tag.key),
    };
    Ok((tag.key, value))
}

fn traces(answer: &Value) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    for trace in answer["data"].as_array().context("no list of traces")? {
        for span in trace["spans"].as_array().context("no list of spans")? {
            spans.push(
                json_span(span, &trace["processes"]).with_context(|| format!("span {span}"))?,
            );
        }
    }
    Ok(spans)
}

fn json_span(span: &Value, processes: &Value) -> Result<Span> {
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    let tag = |tag: &Value| {
        let value = match &tag["value"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Ok((text(&tag["key"])?, value))
    };
    Ok(Span {
        trace_id: text(&span["traceID"])?,
        operation: text(&span["operationName"])?,
        service: text(
            &processes[span["processID"].as_str().context("no process")?]["serviceName"],
        )?,
        tags: span["tags"]
            .as_array()
            .context("no tags")?
            .iter()
            .map(tag)
            .collect::<Result<_>>()?,
    })
}
