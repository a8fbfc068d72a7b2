//! What one request left behind: headers at every service, access log lines of every Envoy, reported spans.

use crate::carried::Carried;
use crate::interrupt::Interrupt;
use crate::mesh::Mesh;
use crate::mode::Mode;
use crate::service::Seen;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use throughline_dev::envoy::Envoy;
use throughline_dev::poll;

/// What was seen of one request.
#[derive(Clone, Debug)]
pub struct Observation {
    /// By service.
    pub seen: BTreeMap<&'static str, Seen>,
    /// In the order in which the request passed.
    pub log: Vec<LogLine>,
    /// The trace id of each span that Envoys reported; `None` without a native tracer.
    pub reported: Option<Vec<String>>,
}

/// An entry of an access log.
#[derive(Clone, Debug)]
pub struct LogLine {
    pub envoy: &'static str,
    pub listener: &'static str,
    pub path: String,
    pub status: u64,
    pub trace_id: Option<String>,
    pub span_id: Option<String>,
    /// What left that Envoy.
    pub carried: Carried,
}

impl Observation {
    /// Collects everything after one request. Logs and spans are written a little after the answer: it waits for them.
    pub fn of(mesh: &mut Mesh, mode: Mode, interrupt: &Interrupt) -> Result<Self> {
        let mut seen = BTreeMap::new();
        for pod in &mut mesh.pods {
            let name = pod.service.name;
            let request = pod.process.seen()?.pop();
            seen.insert(
                name,
                request.with_context(|| format!("{name} saw no request"))?,
            );
        }
        let log = log(mesh, interrupt)?;
        let reported = match mode {
            // One for each entry, and one more where the gateway makes its call a span of its own.
            Mode::Native => Some(mesh.collector.wait_for(log.len() + 1, interrupt)?),
            Mode::Filter => None,
        };
        Ok(Self {
            seen,
            log,
            reported,
        })
    }
}

fn log(mesh: &Mesh, interrupt: &Interrupt) -> Result<Vec<LogLine>> {
    let entries = |name, envoy, listener, count| entries(name, envoy, listener, count, interrupt);
    let mut log = entries(crate::bookinfo::GATEWAY, &mesh.gateway, "outbound", 1)?;
    for pod in &mesh.pods {
        let (name, calls) = (pod.service.name, pod.service.calls.len());
        log.extend(entries(name, &pod.envoy, "inbound", 1)?);
        log.extend(entries(name, &pod.envoy, "outbound", calls)?);
    }
    Ok(log)
}

fn entries(
    name: &'static str,
    envoy: &Envoy,
    listener: &'static str,
    count: usize,
    interrupt: &Interrupt,
) -> Result<Vec<LogLine>> {
    let what = format!("the {listener} access log of {name}");
    let entries = poll::until(&what, || {
        interrupt.check()?;
        let entries = envoy.access_log(listener)?;
        Ok((entries.len() >= count).then_some(entries))
    })?;
    let line = |entry: &Value| LogLine {
        envoy: name,
        listener,
        path: text(entry, "path").unwrap_or_default(),
        status: entry.get("status").and_then(Value::as_u64).unwrap_or(0),
        trace_id: text(entry, "trace.id"),
        span_id: text(entry, "span.id"),
        carried: Carried::in_json(entry),
    };
    Ok(entries.iter().map(line).collect())
}

fn text(entry: &Value, key: &str) -> Option<String> {
    let text = entry.get(key).and_then(Value::as_str);
    text.filter(|text| *text != "-").map(str::to_owned)
}
