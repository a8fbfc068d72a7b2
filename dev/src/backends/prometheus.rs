//! Prometheus, where Tempo writes the metrics that it makes of spans, and which reads those of proxies.

use super::exposition::Labels;
use super::ports::Ports;
use super::server::Server;
use super::{Edges, Endpoint, edges};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;

/// A running Prometheus that takes what is written to it, exemplars included.
#[derive(Debug)]
pub struct Prometheus {
    server: Server,
    endpoint: Endpoint,
}

impl Prometheus {
    /// Starts one that reads from nowhere.
    pub fn start() -> Result<Self> {
        Self::configured(&[("prometheus.yaml", "{}")])
    }

    /// Starts one with these files, by name, the configuration first.
    pub fn configured(files: &[(&str, &str)]) -> Result<Self> {
        let ports = Ports::<1>::reserve()?;
        let [address] = ports.addresses();
        let endpoint = Endpoint(address);
        let server = Server::start(
            "prometheus",
            ports,
            |command, directory| {
                for (name, text) in files {
                    fs::write(directory.join(name), text)?;
                }
                let (configuration, _) = files.first().context("no configuration")?;
                let file = directory.join(configuration);
                command
                    .arg(format!("--config.file={}", file.display()))
                    .arg(format!(
                        "--storage.tsdb.path={}",
                        directory.join("data").display()
                    ))
                    .arg(format!("--web.listen-address={address}"))
                    .args([
                        "--web.enable-remote-write-receiver",
                        "--enable-feature=exemplar-storage",
                    ]);
                Ok(())
            },
            || endpoint.answers("/-/ready"),
        )?;
        Ok(Self { server, endpoint })
    }

    /// Where it answers queries and, at `/api/v1/write`, takes metrics.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The samples that a PromQL query finds now.
    pub fn query(&self, promql: &str) -> Result<Vec<(Labels, f64)>> {
        let answer = self.endpoint.get("/api/v1/query", &[("query", promql)])?;
        let samples = answer["data"]["result"]
            .as_array()
            .context("no list of samples")?;
        samples
            .iter()
            .map(|found| sample(found).with_context(|| format!("sample {found}")))
            .collect()
    }

    /// The service graph as Grafana draws it.
    pub fn service_graph(&self) -> Result<Edges> {
        edges::of_metrics(&self.query("traces_service_graph_request_total")?)
    }
}

fn sample(found: &Value) -> Result<(Labels, f64)> {
    let value = found["value"][1].as_str().context("no value")?.parse()?;
    Ok((serde_json::from_value(found["metric"].clone())?, value))
}
