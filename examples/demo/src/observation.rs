//! What one request left behind: headers at every service, access log lines of every Envoy, reported spans.

use crate::bookinfo::Bookinfo;
use crate::log::{self, LogLine, Logs};
use crate::mesh::Mesh;
use crate::service::Seen;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use throughline_demo::interrupt::Interrupt;
use throughline_demo::trace::Trace;

/// What was seen of one request.
#[derive(Clone, Debug)]
pub struct Observation {
    /// By service.
    pub seen: BTreeMap<&'static str, Seen>,
    /// In the order in which the request passed.
    pub log: Vec<LogLine>,
    /// What Envoys reported of it.
    pub traces: Vec<Trace>,
}

impl Observation {
    /// Collects everything after one request. Logs and spans are written a little after the answer: it waits for them.
    pub fn of(
        mesh: &mut Mesh<'_>,
        logs: &mut Logs,
        bookinfo: &Bookinfo,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut seen = BTreeMap::new();
        for pod in &mut mesh.pods {
            let name = pod.service.name;
            let request = pod.application.seen()?.pop();
            seen.insert(
                name,
                request.with_context(|| format!("{name} saw no request"))?,
            );
        }
        let log = logs.next(mesh, 2 * bookinfo.hops().len(), interrupt)?;
        let ids = log::trace_ids(&log);
        let traces = mesh.collector.traces(&ids, log.len() + 1, interrupt)?;
        Ok(Self { seen, log, traces })
    }
}
