//! Jaeger.

use super::ports::Ports;
use super::server::Server;
use super::{Edges, Endpoint, Span, edges, otlp};
use crate::receiver::{Code, Kind};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// A running Jaeger (its version 2, of one binary). It stores in Badger, as Istio's add-on does: the store in memory of
/// 1.76.0 answers some searches wrongly (docs/backends.md).
#[derive(Debug)]
pub struct Jaeger {
    server: Server,
    endpoint: Endpoint,
    grpc: Endpoint,
    otlp_grpc: Endpoint,
    otlp_http: Endpoint,
    zipkin: Endpoint,
}

impl Jaeger {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let ports = Ports::<5>::reserve()?;
        let [query, grpc, otlp_grpc, otlp_http, zipkin] = ports.addresses();
        let server = Server::start(
            "jaeger",
            ports,
            |command, directory| {
                // Ephemeral, it would ignore these directories and leave one of its own behind.
                let store = json!({"badger": {
                    "ephemeral": false,
                    "directories": {"keys": directory.join("keys"), "values": directory.join("values")},
                }});
                // JSON is YAML.
                let config = json!({
                    "extensions": {
                        "jaeger_storage": {"backends": {"store": store}},
                        "jaeger_query": {
                            "storage": {"traces": "store"},
                            "http": {"endpoint": query.to_string()},
                            "grpc": {"endpoint": grpc.to_string()},
                        },
                    },
                    "receivers": {
                        "otlp": {"protocols": {
                            "grpc": {"endpoint": otlp_grpc.to_string()},
                            "http": {"endpoint": otlp_http.to_string()},
                        }},
                        "zipkin": {"endpoint": zipkin.to_string()},
                    },
                    "exporters": {"jaeger_storage_exporter": {"trace_storage": "store"}},
                    "service": {
                        "extensions": ["jaeger_storage", "jaeger_query"],
                        "pipelines": {"traces": {
                            "receivers": ["otlp", "zipkin"],
                            "exporters": ["jaeger_storage_exporter"],
                        }},
                        // Its own metrics would want a port.
                        "telemetry": {"metrics": {"level": "none"}},
                    },
                });
                let file = directory.join("jaeger.json");
                fs::write(&file, config.to_string())?;
                command.arg("--config").arg(file);
                Ok(())
            },
            || Endpoint(query).answers("/api/services"),
        )?;
        Ok(Self {
            server,
            endpoint: Endpoint(query),
            grpc: Endpoint(grpc),
            otlp_grpc: Endpoint(otlp_grpc),
            otlp_http: Endpoint(otlp_http),
            zipkin: Endpoint(zipkin),
        })
    }

    /// Where it answers queries over HTTP.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Where it answers queries over gRPC.
    pub fn grpc(&self) -> Endpoint {
        self.grpc
    }

    /// Where it takes OTLP over gRPC (port 4317 in a cluster).
    pub fn otlp_grpc(&self) -> Endpoint {
        self.otlp_grpc
    }

    /// Where it takes OTLP over HTTP, at `/v1/traces` (4318).
    pub fn otlp_http(&self) -> Endpoint {
        self.otlp_http
    }

    /// Where it takes Zipkin's spans, at `/api/v2/spans` (9411).
    pub fn zipkin(&self) -> Endpoint {
        self.zipkin
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The spans of a trace; none while it is unknown. From its API v3, which gives back OTLP as it came.
    pub fn trace(&self, trace_id: &str) -> Result<Vec<Span>> {
        match self
            .endpoint
            .find(&format!("/api/v3/traces/{trace_id}"), &[])?
        {
            Some(answer) => otlp::spans(&answer["result"]["resourceSpans"]),
            None => Ok(Vec::new()),
        }
    }

    /// The same from the older API, which Jaeger's page, Grafana and Kiali use.
    pub fn trace_for_pages(&self, trace_id: &str) -> Result<Vec<Span>> {
        match self
            .endpoint
            .find(&format!("/api/traces/{trace_id}"), &[])?
        {
            Some(answer) => Ok(traces(&answer)?.into_iter().flatten().collect()),
            None => Ok(Vec::new()),
        }
    }

    /// The traces of a search.
    pub fn search(&self, search: &JaegerSearch) -> Result<Vec<Vec<Span>>> {
        let tags = json!(search.tags).to_string();
        let mut parameters = vec![("service", search.service), ("tags", &tags)];
        if !search.min_duration.is_empty() {
            parameters.push(("minDuration", search.min_duration));
        }
        traces(&self.endpoint.get("/api/traces", &parameters)?)
    }

    /// The names of the services that reported.
    pub fn services(&self) -> Result<Vec<String>> {
        let answer = self.endpoint.get("/api/services", &[])?;
        Ok(serde_json::from_value(answer["data"].clone())?)
    }

    /// Its dependency graph of the last hour.
    pub fn dependencies(&self) -> Result<Edges> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)?
            .as_millis()
            .to_string();
        let parameters = [("endTs", now.as_str()), ("lookback", "3600000")];
        let answer = self.endpoint.get("/api/dependencies", &parameters)?;
        edges::of_links(&answer["data"])
    }
}

/// What to search in Jaeger.
#[derive(Clone, Default, Debug)]
pub struct JaegerSearch<'a> {
    /// The service, which every search needs.
    pub service: &'a str,
    /// Attributes that a span of this service must have; `error` is `true` for a failed one.
    pub tags: BTreeMap<&'a str, &'a str>,
    /// Such as `1.2s` or `100ms`; empty for any.
    pub min_duration: &'a str,
}

/// The traces of an answer of the older API.
fn traces(answer: &Value) -> Result<Vec<Vec<Span>>> {
    let traces = answer["data"].as_array().context("no list of traces")?;
    traces.iter().map(spans).collect()
}

fn spans(trace: &Value) -> Result<Vec<Span>> {
    let spans = trace["spans"].as_array().context("no list of spans")?;
    let read = |span| read(span, &trace["processes"]).with_context(|| format!("span {span}"));
    spans.iter().map(read).collect()
}

fn read(span: &Value, processes: &Value) -> Result<Span> {
    let text = |field: &str| span[field].as_str().with_context(|| format!("no {field}"));
    let references = span["references"].as_array().map_or(&[][..], Vec::as_slice);
    let parent = references.iter().find(|reference| {
        reference["refType"] == "CHILD_OF" && reference["traceID"] == span["traceID"]
    });
    let tags = span["tags"].as_array().context("no tags")?;
    let tag = |key: &str| {
        tags.iter()
            .find(|tag| tag["key"] == key)
            .and_then(|tag| tag["value"].as_str())
    };
    let status = match tag("otel.status_code") {
        None => Code::Unset,
        Some("OK") => Code::Ok,
        Some("ERROR") => Code::Error,
        Some(other) => bail!("status {other}"),
    };
    let kind = match tag("span.kind") {
        None => Kind::Unspecified,
        Some("internal") => Kind::Internal,
        Some("server") => Kind::Server,
        Some("client") => Kind::Client,
        Some("producer") => Kind::Producer,
        Some("consumer") => Kind::Consumer,
        Some(other) => bail!("kind {other}"),
    };
    Ok(Span {
        trace_id: format!("{:0>32}", text("traceID")?),
        span_id: format!("{:0>16}", text("spanID")?),
        parent_id: parent
            .and_then(|reference| reference["spanID"].as_str())
            .map(str::to_owned),
        name: text("operationName")?.to_owned(),
        kind,
        service: processes[text("processID")?]["serviceName"]
            .as_str()
            .context("no process")?
            .to_owned(),
        start_ns: 1000 * span["startTime"].as_u64().context("no start")?,
        duration_ns: 1000 * span["duration"].as_u64().context("no duration")?,
        status,
        attributes: tags
            .iter()
            .filter(|tag| !is_added(tag, status))
            .map(attribute)
            .collect::<Result<_>>()?,
    })
}

/// What Jaeger makes of a span's own fields. A failed one gets `error` as a truth value.
fn is_added(tag: &Value, status: Code) -> bool {
    const ADDED: [&str; 5] = [
        "span.kind",
        "otel.status_code",
        "otel.status_description",
        "otel.scope.name",
        "otel.scope.version",
    ];
    let key = tag["key"].as_str().unwrap_or_default();
    ADDED.contains(&key) || (key == "error" && tag["type"] == "bool" && status == Code::Error)
}

fn attribute(tag: &Value) -> Result<(String, String)> {
    let key = tag["key"].as_str().with_context(|| format!("tag {tag}"))?;
    let value = match &tag["value"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok((key.to_owned(), value))
}
