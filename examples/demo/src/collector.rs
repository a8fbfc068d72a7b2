//! What Envoys report their spans to.

use crate::backend::Backend;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use throughline_demo::interrupt::Interrupt;
use throughline_demo::trace::{Span, Trace};
use throughline_dev::backends::{Jaeger, Zipkin};
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
    Zipkin(Zipkin),
    Jaeger(Jaeger),
}

impl Collector {
    /// Starts the demo's own, or a backend.
    pub fn start(backend: Option<Backend>) -> Result<Self> {
        Ok(match backend {
            None => Self::Receiver(Receiver::start()?),
            Some(Backend::Zipkin) => Self::Zipkin(Zipkin::start()?),
            Some(Backend::Jaeger) => Self::Jaeger(Jaeger::start()?),
        })
    }

    /// Envoy's cluster for it.
    pub fn cluster(&self) -> Cluster {
        match self {
            Self::Receiver(receiver) => Cluster::new(CLUSTER, receiver.http()),
            Self::Zipkin(zipkin) => Cluster::new(CLUSTER, zipkin.endpoint().0),
            Self::Jaeger(jaeger) => Cluster::new(CLUSTER, jaeger.otlp_grpc().0).http2(),
        }
    }

    /// The filter's `export` to it.
    pub fn export(&self) -> Value {
        let protocol = match self {
            Self::Receiver(_) => "otlp-http",
            Self::Zipkin(_) => "zipkin",
            Self::Jaeger(_) => "otlp-grpc",
        };
        // Nobody wants to wait for the two seconds that are the default.
        json!({"protocol": protocol, "cluster": CLUSTER, "batch": {"scheduleDelay": "100ms"}})
    }

    /// Where a browser finds a trace. A Jaeger that was built from its module has a placeholder for a page; its API has
    /// the trace.
    pub fn link(&self, trace_id: &str) -> Option<String> {
        match self {
            Self::Receiver(_) => None,
            Self::Zipkin(zipkin) => Some(zipkin.page(trace_id)),
            Self::Jaeger(jaeger) => {
                let address = jaeger.endpoint().0;
                Some(format!(
                    "http://{address}/api/traces/{trace_id}?prettyPrint=true"
                ))
            }
        }
    }

    /// Fails if it got what no exporter should send, as far as it tells.
    pub fn check(&self) -> Result<()> {
        if let Self::Receiver(receiver) = self {
            let faults = receiver.invalid();
            if !faults.is_empty() {
                bail!("what came is not as it should be: {}", faults.join("; "));
            }
        }
        Ok(())
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
            let spans_of_ids = self.spans(ids)?;
            found = spans_of_ids.len();
            Ok((found >= spans).then(|| Trace::of(spans_of_ids)))
        })
        .with_context(|| format!("{found} came"))
    }

    fn spans(&self, ids: &[String]) -> Result<Vec<Span>> {
        let backend = |trace: &dyn Fn(&str) -> Result<Vec<throughline_dev::backends::Span>>| {
            let mut spans = Vec::new();
            for id in ids {
                spans.extend(trace(id)?.into_iter().map(Span::from));
            }
            Ok(spans)
        };
        match self {
            Self::Receiver(receiver) => {
                let spans = receiver.spans().into_iter();
                let ours = spans.filter(|span| ids.contains(&span.trace_id));
                Ok(ours.map(Span::from).collect())
            }
            Self::Zipkin(zipkin) => backend(&|id| zipkin.trace(id)),
            Self::Jaeger(jaeger) => backend(&|id| jaeger.trace(id)),
        }
    }
}
