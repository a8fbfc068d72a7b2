//! An Envoy that reports its spans, and the collector with the fault.

use crate::fault::{Breakage, Fault};
use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use throughline_dev::accounts::{Accounts, labelled};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, client};
use throughline_dev::load::{Bound, Load, Protocol as Downstream, Report};
use throughline_dev::mesh::{Cluster, ClusterDiscovery, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::receiver::{Behaviour, Protocol, Receiver};
use throughline_dev::usage;

const LISTENER: &str = "inbound";
const COLLECTOR: &str = "collector";

const CONNECTIONS: usize = 8;

/// What the export holds at most, unless it is configured.
const QUEUE_BYTES: u64 = 4 << 20;

pub struct Stage {
    pub envoy: Envoy,
    pub receiver: Receiver,
    breakage: Breakage,
    cluster: Cluster,
    clusters: ClusterDiscovery,
    /// As configured, or the default.
    pub queue_bytes: u64,
}

impl Stage {
    /// Starts both, broken where the fault is there from the start.
    pub fn start(
        release: Release,
        module: &Path,
        fault: &Fault,
        protocol: Protocol,
    ) -> Result<Self> {
        let receiver = Receiver::start()?;
        let cluster = receiver.cluster(COLLECTOR, protocol);
        let mut export = json!({
            "protocol": protocol.to_string(),
            "cluster": COLLECTOR,
            // More calls than in production, so that more of them meet the fault.
            "batch": {"scheduleDelay": "200ms"},
        });
        merge(&mut export, &fault.export);
        let queue_bytes = export["batch"]["maxQueueBytes"]
            .as_u64()
            .unwrap_or(QUEUE_BYTES);
        let clusters = match (fault.from_the_start, fault.breakage) {
            (true, Breakage::Clusters(broken)) => broken(cluster.clone()),
            _ => vec![cluster.clone()],
        };
        let clusters = ClusterDiscovery::new(&clusters)?;
        match (fault.from_the_start, fault.breakage) {
            (true, Breakage::Down) => receiver.stop(),
            (true, Breakage::Behaves(broken)) => receiver.behave(broken(protocol)),
            _ => {}
        }
        let listener = Listener::inbound(LISTENER)
            .route(Route::answer(200, "fine"))
            .plugin(&Plugin::new(module, &json!({"export": export})));
        let proxy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
            .listener(listener)
            .merge(&clusters.bootstrap());
        let envoy = labelled(proxy).start(&release.binary()?)?;
        Ok(Self {
            envoy,
            receiver,
            breakage: fault.breakage,
            cluster,
            clusters,
            queue_bytes,
        })
    }

    /// The fault begins.
    pub fn break_it(&self, protocol: Protocol) -> Result<()> {
        match self.breakage {
            Breakage::Down => self.receiver.stop(),
            Breakage::Behaves(broken) => self.receiver.behave(broken(protocol)),
            Breakage::Clusters(broken) => self
                .clusters
                .deliver(&self.envoy, &broken(self.cluster.clone()))?,
        }
        Ok(())
    }

    /// The fault is over.
    pub fn mend(&self) -> Result<()> {
        match self.breakage {
            Breakage::Down => self.receiver.restart(),
            Breakage::Behaves(_) => {
                self.receiver.behave(Behaviour::Accept);
                Ok(())
            }
            Breakage::Clusters(_) => self
                .clusters
                .deliver(&self.envoy, std::slice::from_ref(&self.cluster)),
        }
    }

    /// So many requests a second for so long.
    pub fn load(&self, time: Duration, per_second: u32) -> Result<Report> {
        Load::new(Bound::Time(time))
            .over(Downstream::Http1, CONNECTIONS)
            .per_second(per_second)
            .run(self.envoy.listener(LISTENER)?)
    }

    /// One request.
    pub fn request(&self) -> Result<u16> {
        let answer = client::send(self.envoy.listener(LISTENER)?, &Request::get("/"))?;
        Ok(answer.status)
    }

    /// What the filter says became of its spans.
    pub fn accounts(&self) -> Result<Accounts> {
        Accounts::read(&self.envoy)
    }

    /// The CPU time that Envoy has used.
    pub fn cpu(&self) -> Result<Duration> {
        usage::cpu(self.envoy.id())
    }

    /// Envoy's resident memory, in bytes.
    pub fn memory(&self) -> Result<u64> {
        Ok(usage::memory(self.envoy.id())?.resident)
    }
}

/// Objects by key, two levels deep, which is all that `export` has.
fn merge(into: &mut Value, extra: &Value) {
    for (key, value) in extra.as_object().into_iter().flatten() {
        match (&mut into[key], value) {
            (Value::Object(into), Value::Object(extra)) => into.extend(extra.clone()),
            (into, value) => *into = value.clone(),
        }
    }
}
