//! What Envoys report their spans to.

use crate::interrupt::Interrupt;
use crate::trace::Trace;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use throughline_dev::mesh::Cluster;
use throughline_dev::poll;
use throughline_dev::receiver::Receiver;

/// The cluster in which Envoys find it.
pub const CLUSTER: &str = "collector";

/// A running collector.
#[derive(Debug)]
pub enum Collector {
    /// The demo's own.
    Receiver(Receiver),
}

impl Collector {
    /// Starts it.
    pub fn start() -> Result<Self> {
        Ok(Self::Receiver(Receiver::start()?))
    }

    /// Envoy's cluster for it.
    pub fn cluster(&self) -> Cluster {
        match self {
            Self::Receiver(receiver) => Cluster::new(CLUSTER, receiver.http()),
        }
    }

    /// The filter's `export` to it.
    pub fn export(&self) -> Value {
        let protocol = match self {
            Self::Receiver(_) => "otlp-http",
        };
        // Nobody wants to wait for the two seconds that are the default.
        json!({"protocol": protocol, "cluster": CLUSTER, "batch": {"scheduleDelay": "100ms"}})
    }

    /// Fails if it got what no exporter should send.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Receiver(receiver) => match receiver.invalid() {
                faults if faults.is_empty() => Ok(()),
                faults => bail!("what came is not as it should be: {}", faults.join("; ")),
            },
        }
    }

    fn find(&self, ids: &[String]) -> Result<Vec<Trace>> {
        match self {
            Self::Receiver(receiver) => {
                let spans = receiver.spans().into_iter();
                let ours = spans.filter(|span| ids.contains(&span.trace_id));
                Ok(Trace::of(ours.collect()))
            }
        }
    }

    /// Waits until the traces of these ids have so many spans.
    pub fn traces(
        &self,
        ids: &[String],
        spans: usize,
        interrupt: &Interrupt,
    ) -> Result<Vec<Trace>> {
        let mut found = 0;
        poll::until(&format!("Envoys to report {spans} spans"), || {
            interrupt.check()?;
            let traces = self.find(ids)?;
            found = traces.iter().map(|trace| trace.rows.len()).sum();
            Ok((found >= spans).then_some(traces))
        })
        .with_context(|| format!("{found} came"))
    }
}
