//! The OpenTelemetry Collector.

use super::ports::Ports;
use super::server::Server;
use super::{Edges, Endpoint, Span, edges, exposition, otlp};
use crate::log;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// A running Collector that writes what it gets to a file, and its service graph to a page for Prometheus.
#[derive(Debug)]
pub struct Otelcol {
    server: Server,
    otlp_grpc: Endpoint,
    otlp_http: Endpoint,
    zipkin: Endpoint,
    prometheus: Endpoint,
    spans: PathBuf,
}

impl Otelcol {
    /// Starts one. `configure` may change its configuration: the receivers `otlp` and `zipkin` and the pipeline `traces`
    /// from them to the exporter `file` and the connector `service_graph`, and from there the pipeline `metrics` to the
    /// exporter `prometheus`. All of them must stay in use.
    pub fn start(configure: impl FnOnce(&mut Value)) -> Result<Self> {
        let ports = Ports::<4>::reserve()?;
        let [otlp_grpc, otlp_http, zipkin, prometheus] = ports.addresses();
        let server = Server::start(
            "otelcol",
            ports,
            |command, directory| {
                // JSON is YAML.
                let mut config = json!({
                    "receivers": {
                        "otlp": {"protocols": {
                            "grpc": {"endpoint": otlp_grpc.to_string()},
                            "http": {"endpoint": otlp_http.to_string()},
                        }},
                        "zipkin": {"endpoint": zipkin.to_string()},
                    },
                    "connectors": {"service_graph": {"metrics_flush_interval": "100ms"}},
                    "exporters": {
                        "file": {"path": directory.join("spans.jsonl"), "flush_interval": "50ms"},
                        "prometheus": {"endpoint": prometheus.to_string(), "enable_open_metrics": true},
                    },
                    "service": {
                        "pipelines": {
                            "traces": {"receivers": ["otlp", "zipkin"], "exporters": ["file", "service_graph"]},
                            "metrics": {"receivers": ["service_graph"], "exporters": ["prometheus"]},
                        },
                        // Its own metrics would want a port.
                        "telemetry": {"metrics": {"level": "none"}},
                    },
                });
                configure(&mut config);
                let file = directory.join("otelcol.json");
                fs::write(&file, config.to_string())?;
                command.arg("--config").arg(file);
                Ok(())
            },
            || true,
        )?;
        Ok(Self {
            spans: server.directory().join("spans.jsonl"),
            server,
            otlp_grpc: Endpoint(otlp_grpc),
            otlp_http: Endpoint(otlp_http),
            zipkin: Endpoint(zipkin),
            prometheus: Endpoint(prometheus),
        })
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

    /// Where Prometheus reads its metrics, at `/metrics`.
    pub fn prometheus(&self) -> Endpoint {
        self.prometheus
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The export requests that it wrote so far, in OTLP's JSON.
    pub fn requests(&self) -> Result<Vec<Value>> {
        let text = log::read(&self.spans);
        // The last line may still be growing.
        let whole = text
            .rfind('\n')
            .and_then(|end| text.get(..end))
            .unwrap_or_default();
        let request = |line| serde_json::from_str(line).with_context(|| format!("line {line:?}"));
        whole.lines().map(request).collect()
    }

    /// The spans that it wrote so far.
    pub fn spans(&self) -> Result<Vec<Span>> {
        let mut spans = Vec::new();
        for request in self.requests()? {
            spans.extend(otlp::spans(&request["resourceSpans"])?);
        }
        Ok(spans)
    }

    /// The spans of one trace.
    pub fn trace(&self, trace_id: &str) -> Result<Vec<Span>> {
        let mut spans = self.spans()?;
        spans.retain(|span| span.trace_id == trace_id);
        Ok(spans)
    }

    /// Its service graph, as Grafana draws it from the metrics; without the nodes that it makes up for who does not report.
    pub fn dependencies(&self) -> Result<Edges> {
        let page = self.prometheus.text("/metrics")?;
        let calls = exposition::samples(&page, "traces_service_graph_request_total")?;
        edges::of_metrics(&calls)
    }
}
