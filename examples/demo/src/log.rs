//! The access logs of all Envoys of a mesh, read request by request.

use crate::mesh::Mesh;
use anyhow::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use throughline_demo::carried::Carried;
use throughline_demo::interrupt::Interrupt;
use throughline_dev::poll;

/// The listeners of every Envoy; a gateway lacks the first.
const LISTENERS: [&str; 2] = ["inbound", "outbound"];

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

/// How far the logs were read: lines by Envoy and listener.
#[derive(Default, Debug)]
pub struct Logs(BTreeMap<(&'static str, &'static str), usize>);

impl Logs {
    /// Waits for that many new lines, and returns them in the order of the Envoys.
    pub fn next(
        &mut self,
        mesh: &Mesh<'_>,
        count: usize,
        interrupt: &Interrupt,
    ) -> Result<Vec<LogLine>> {
        let lines = poll::until(&format!("{count} lines of access logs"), || {
            interrupt.check()?;
            let lines = self.unread(mesh)?;
            Ok((lines.len() >= count).then_some(lines))
        })?;
        for line in &lines {
            *self.0.entry((line.envoy, line.listener)).or_default() += 1;
        }
        Ok(lines)
    }

    fn unread(&self, mesh: &Mesh<'_>) -> Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        for (name, envoy) in mesh.envoys() {
            for listener in LISTENERS {
                let read = self.0.get(&(name, listener)).copied().unwrap_or(0);
                let entries = envoy.access_log(listener)?;
                let unread = entries.iter().skip(read);
                lines.extend(unread.map(|entry| line(name, listener, entry)));
            }
        }
        Ok(lines)
    }
}

/// The traces that lines name, the first one first.
pub fn trace_ids(lines: &[LogLine]) -> Vec<String> {
    let mut ids = Vec::new();
    for id in lines.iter().filter_map(|line| line.trace_id.as_ref()) {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}

fn line(envoy: &'static str, listener: &'static str, entry: &Value) -> LogLine {
    LogLine {
        envoy,
        listener,
        path: text(entry, "path").unwrap_or_default(),
        status: entry.get("status").and_then(Value::as_u64).unwrap_or(0),
        trace_id: text(entry, "trace.id"),
        span_id: text(entry, "span.id"),
        carried: Carried::in_json(entry),
    }
}

fn text(entry: &Value, key: &str) -> Option<String> {
    let text = entry.get(key).and_then(Value::as_str);
    text.filter(|text| *text != "-").map(str::to_owned)
}
