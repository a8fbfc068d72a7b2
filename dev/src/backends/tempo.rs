//! Grafana Tempo.

use super::install;
use super::ports::Ports;
use super::server::Server;
use super::{Endpoint, Prometheus, Span, otlp};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;

/// A running Tempo with its default limits and times, storing in files. A trace is there at once by its id; a search finds
/// it five to ten seconds later: poll.
#[derive(Debug)]
pub struct Tempo {
    server: Server,
    endpoint: Endpoint,
    grpc: Endpoint,
    otlp_grpc: Endpoint,
    otlp_http: Endpoint,
    zipkin: Endpoint,
}

impl Tempo {
    /// Has Tempo check a configuration file of its own, without starting on it.
    pub fn check_config(file: &Path) -> Result<()> {
        let output = Command::new(install::program("tempo")?)
            .arg(format!("-config.file={}", file.display()))
            .arg("-config.verify=true")
            .output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    /// Starts one. Given a Prometheus, it writes service graphs and span metrics there, as Grafana's documentation sets
    /// it up, but every second.
    pub fn start(metrics: Option<&Prometheus>) -> Result<Self> {
        Self::start_on(Ipv4Addr::LOCALHOST.into(), metrics)
    }

    /// The same, with its receivers at the interface of that address.
    pub fn start_on(receivers: IpAddr, metrics: Option<&Prometheus>) -> Result<Self> {
        // Its own parts find each other at the loopback interface.
        let own = Ipv4Addr::LOCALHOST.into();
        let ports = Ports::reserve_on([own, own, receivers, receivers, receivers])?;
        let [http, grpc, otlp_grpc, otlp_http, zipkin] = ports.addresses();
        let server = Server::start(
            "tempo",
            ports,
            |command, directory| {
                // JSON is YAML.
                let mut config = json!({
                    "server": {
                        "http_listen_address": http.ip(),
                        "http_listen_port": http.port(),
                        "grpc_listen_address": grpc.ip(),
                        "grpc_listen_port": grpc.port(),
                    },
                    // Else it looks for the address of a network interface, which a machine may not have.
                    "memberlist": {"bind_addr": [http.ip()]},
                    "distributor": {"receivers": {
                        "otlp": {"protocols": {
                            "grpc": {"endpoint": otlp_grpc.to_string()},
                            "http": {"endpoint": otlp_http.to_string()},
                        }},
                        "zipkin": {"endpoint": zipkin.to_string()},
                    }},
                    // Else these would be below /var/tempo, and the next Tempo would find what this one had.
                    "live_store": {
                        "wal": {"path": directory.join("live")},
                        "shutdown_marker_dir": directory.join("live-marker"),
                    },
                    "block_builder": {"wal": {"path": directory.join("builder")}},
                    "backend_scheduler": {"local_work_path": directory.join("work")},
                    "storage": {"trace": {
                        "backend": "local",
                        "wal": {"path": directory.join("wal")},
                        "local": {"path": directory.join("blocks")},
                    }},
                    "usage_report": {"reporting_enabled": false},
                });
                if let Some(prometheus) = metrics {
                    config["metrics_generator"] = json!({
                        "registry": {"collection_interval": "1s"},
                        "storage": {
                            "path": directory.join("metrics"),
                            "remote_write": [{
                                "url": format!("http://{}/api/v1/write", prometheus.endpoint().0),
                                "send_exemplars": true,
                            }],
                        },
                    });
                    config["overrides"]["defaults"]["metrics_generator"]["processors"] =
                        json!(["service-graphs", "span-metrics"]);
                }
                let file = directory.join("tempo.json");
                fs::write(&file, config.to_string())?;
                command.arg(format!("-config.file={}", file.display()));
                Ok(())
            },
            || Endpoint(http).answers("/ready"),
        )?;
        Ok(Self {
            server,
            endpoint: Endpoint(http),
            grpc: Endpoint(grpc),
            otlp_grpc: Endpoint(otlp_grpc),
            otlp_http: Endpoint(otlp_http),
            zipkin: Endpoint(zipkin),
        })
    }

    /// Where it answers queries.
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

    /// The spans of a trace; none while it is unknown.
    pub fn trace(&self, trace_id: &str) -> Result<Vec<Span>> {
        match self
            .endpoint
            .find(&format!("/api/v2/traces/{trace_id}"), &[])?
        {
            Some(answer) => otlp::spans(&answer["trace"]["resourceSpans"]),
            None => Ok(Vec::new()),
        }
    }

    /// The same from the older API, which Kiali uses.
    pub fn trace_v1(&self, trace_id: &str) -> Result<Vec<Span>> {
        match self
            .endpoint
            .find(&format!("/api/traces/{trace_id}"), &[])?
        {
            Some(answer) => otlp::spans(&answer["batches"]),
            None => Ok(Vec::new()),
        }
    }

    /// The ids of the traces that a TraceQL query finds. An error has Tempo's own words.
    pub fn search(&self, traceql: &str) -> Result<BTreeSet<String>> {
        trace_ids(&self.endpoint.get("/api/search", &[("q", traceql)])?)
    }

    /// The same for a query that finds more than the twenty that Tempo gives unasked.
    pub fn search_up_to(&self, limit: usize, traceql: &str) -> Result<BTreeSet<String>> {
        let parameters = [("q", traceql), ("limit", &limit.to_string())];
        trace_ids(&self.endpoint.get("/api/search", &parameters)?)
    }

    /// The ids of the traces with these tags: `name=value`, separated by spaces.
    pub fn search_by_tags(&self, tags: &str) -> Result<BTreeSet<String>> {
        trace_ids(&self.endpoint.get("/api/search", &[("tags", tags)])?)
    }

    /// The names of the attributes that it has seen.
    pub fn tags(&self) -> Result<BTreeSet<String>> {
        let answer = self.endpoint.get("/api/search/tags", &[])?;
        Ok(serde_json::from_value(answer["tagNames"].clone())?)
    }
}

/// Tempo drops leading zeros from the ids of a search.
fn trace_ids(answer: &Value) -> Result<BTreeSet<String>> {
    let traces = answer["traces"].as_array().context("no list of traces")?;
    traces
        .iter()
        .map(|trace| {
            Ok(format!(
                "{:0>32}",
                trace["traceID"].as_str().context("no trace id")?
            ))
        })
        .collect()
}
