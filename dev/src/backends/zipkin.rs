//! Zipkin's own server.

use super::ports::Ports;
use super::server::Server;
use super::{Edges, Endpoint, Span, edges};
use crate::receiver::{Code, Kind};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A running Zipkin with its storage in memory. What was sent is found about a second later: poll.
#[derive(Debug)]
pub struct Zipkin {
    server: Server,
    endpoint: Endpoint,
}

impl Zipkin {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let ports = Ports::<1>::reserve()?;
        let [address] = ports.addresses();
        let endpoint = Endpoint(address);
        let server = Server::start(
            "zipkin",
            ports,
            |command, directory| {
                command
                    .env("JDK_JAVA_OPTIONS", java_options(directory))
                    .arg(format!("--armeria.ports[0].ip={}", address.ip()))
                    .arg(format!("--armeria.ports[0].port={}", address.port()))
                    .arg("--armeria.ports[0].protocols[0]=http");
                Ok(())
            },
            || endpoint.answers("/health"),
        )?;
        Ok(Self { server, endpoint })
    }

    /// Where it has its page `/zipkin/`, answers queries, and takes spans at `/api/v2/spans`.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// The page of one trace.
    pub fn page(&self, trace_id: &str) -> String {
        format!("http://{}/zipkin/traces/{trace_id}", self.endpoint.0)
    }

    /// The spans of a trace; none while it is unknown.
    pub fn trace(&self, trace_id: &str) -> Result<Vec<Span>> {
        match self
            .endpoint
            .find(&format!("/api/v2/trace/{trace_id}"), &[])?
        {
            Some(trace) => spans(&trace),
            None => Ok(Vec::new()),
        }
    }

    /// The traces of a search: `serviceName`, `spanName`, `annotationQuery`, `minDuration` in microseconds and so on.
    pub fn search(&self, parameters: &[(&str, &str)]) -> Result<Vec<Vec<Span>>> {
        let traces = self.endpoint.get("/api/v2/traces", parameters)?;
        traces
            .as_array()
            .context("no list of traces")?
            .iter()
            .map(spans)
            .collect()
    }

    /// The names of the services that reported.
    pub fn services(&self) -> Result<Vec<String>> {
        Ok(serde_json::from_value(
            self.endpoint.get("/api/v2/services", &[])?,
        )?)
    }

    /// Its dependency graph of the last day.
    pub fn dependencies(&self) -> Result<Edges> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)?
            .as_millis()
            .to_string();
        let links = self
            .endpoint
            .get("/api/v2/dependencies", &[("endTs", &now)])?;
        edges::of_links(&links)
    }
}

/// Half a gigabyte at most, and a start in half the time, as it is not here to be fast. Its temporary files, which stay
/// when it is killed, go where ours do.
fn java_options(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        "-Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \"-Djava.io.tmpdir={directory}\""
    )
}

fn spans(trace: &Value) -> Result<Vec<Span>> {
    let spans = trace.as_array().context("no list of spans")?;
    spans
        .iter()
        .map(|span| read(span).with_context(|| format!("span {span}")))
        .collect()
}

/// OpenTelemetry's mapping of Zipkin: no kind is `INTERNAL`, and the tags tell the status.
fn read(span: &Value) -> Result<Span> {
    let text = |field: &str| span[field].as_str().map(str::to_owned);
    let attributes: BTreeMap<String, String> = match &span["tags"] {
        Value::Null => Default::default(),
        tags => serde_json::from_value(tags.clone())?,
    };
    let status = match (
        attributes.get("otel.status_code").map(String::as_str),
        attributes.get("error"),
    ) {
        (Some("ERROR"), _) | (None, Some(_)) => Code::Error,
        (Some("OK"), _) => Code::Ok,
        _ => Code::Unset,
    };
    let kind = match span["kind"].as_str() {
        None => Kind::Internal,
        Some("SERVER") => Kind::Server,
        Some("CLIENT") => Kind::Client,
        Some("PRODUCER") => Kind::Producer,
        Some("CONSUMER") => Kind::Consumer,
        Some(other) => bail!("kind {other}"),
    };
    Ok(Span {
        trace_id: format!("{:0>32}", text("traceId").context("no trace id")?),
        span_id: text("id").context("no span id")?,
        parent_id: text("parentId"),
        name: text("name").unwrap_or_default(),
        kind,
        service: span["localEndpoint"]["serviceName"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        start_ns: 1000 * span["timestamp"].as_u64().context("no timestamp")?,
        duration_ns: 1000 * span["duration"].as_u64().context("no duration")?,
        status,
        attributes,
    })
}
