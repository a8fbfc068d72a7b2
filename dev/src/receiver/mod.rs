//! What spans are exported to, in tests and in the demo: OTLP over HTTP (protobuf and JSON) and gRPC, and Zipkin v2.
//! It checks every payload, keeps or counts the spans, and misbehaves on demand as collectors do.

mod behaviour;
mod check;
mod count;
mod export;
mod grpc;
mod ledger;
mod otlp;
mod otlp_json;
mod payload;
mod reply;
mod server;
mod span;
mod web;
mod zipkin;

pub use behaviour::Behaviour;
pub use ledger::{Call, Outcome, Tally};
pub use span::{Code, Kind, Protocol, Scope, Span, Status, Value};

use crate::mesh::Cluster;
use crate::poll;
use anyhow::{Context, Result};
use export::Shared;
use server::{Port, Speaks};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::{Builder, Runtime};

/// A running receiver; dropping it closes its ports and connections.
#[derive(Debug)]
pub struct Receiver {
    http: SocketAddr,
    grpc: SocketAddr,
    ports: Mutex<[Port; 2]>,
    shared: Arc<Shared>,
    runtime: Runtime,
}

impl Receiver {
    /// Listens on two free ports of the loopback interface.
    pub fn start() -> Result<Self> {
        Self::start_on(Ipv4Addr::LOCALHOST.into())
    }

    /// Listens on two free ports of the interface with that address.
    pub fn start_on(interface: IpAddr) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("receiver")
            .enable_all()
            .build()?;
        let take = |speaks| Port::take(interface, speaks, runtime.handle());
        let ports = [take(Speaks::Http)?, take(Speaks::Grpc)?];
        let receiver = Self {
            http: ports[0].address(),
            grpc: ports[1].address(),
            ports: Mutex::new(ports),
            shared: Arc::new(Shared::new()),
            runtime,
        };
        receiver.restart()?;
        Ok(receiver)
    }

    /// Only counts spans from now on: neither kept nor checked, they cost next to nothing.
    #[must_use]
    pub fn counting_only(self) -> Self {
        self.shared.only_count();
        self
    }

    /// Where it takes OTLP over HTTP (`…/v1/traces`) and Zipkin (`…/api/v2/spans`).
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where it takes OTLP over gRPC.
    pub fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// The cluster by which an Envoy reaches it.
    pub fn cluster(&self, name: &str, protocol: Protocol) -> Cluster {
        match protocol {
            Protocol::OtlpGrpc => Cluster::new(name, self.grpc).http2(),
            _ => Cluster::new(name, self.http),
        }
    }

    /// How it treats calls from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.script().always(behaviour);
    }

    /// How it treats the next calls, one for each, before it goes back to its usual behaviour.
    pub fn then(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.shared.script().queue(behaviours);
    }

    /// The spans that were accepted since the last [`Self::take`], in order.
    pub fn spans(&self) -> Vec<Span> {
        self.shared.ledger().spans().to_vec()
    }

    /// The same, and forgets them.
    pub fn take(&self) -> Vec<Span> {
        self.shared.ledger().take()
    }

    /// How many they are.
    pub fn count(&self) -> u64 {
        self.shared.ledger().since_taken()
    }

    /// Waits until there are so many, and returns them.
    pub fn wait_for(&self, spans: u64) -> Result<Vec<Span>> {
        let what = format!("{spans} spans");
        poll::until(&what, || Ok((self.count() >= spans).then(|| self.spans()))).with_context(
            || {
                let (count, tally, invalid) = (self.count(), self.tally(), self.invalid());
                format!("{count} spans are here ({tally:?}, faults: {invalid:?})")
            },
        )
    }

    /// The last ten thousand export calls, in order.
    pub fn requests(&self) -> Vec<Call> {
        self.shared.ledger().calls()
    }

    /// What became of all spans since the start, exactly.
    pub fn tally(&self) -> Tally {
        self.shared.ledger().tally()
    }

    /// The faults of what came (the first thousand): what was refused, and what should not be as it is. Empty for a good
    /// exporter.
    pub fn invalid(&self) -> Vec<String> {
        self.shared.ledger().faults().to_vec()
    }

    /// Closes both ports and every connection: from now on connecting is refused.
    pub fn stop(&self) {
        for port in &mut *self.ports() {
            port.close(self.runtime.handle());
        }
    }

    /// Listens again, at the same addresses.
    pub fn restart(&self) -> Result<()> {
        for port in &mut *self.ports() {
            port.open(self.runtime.handle(), &self.shared)?;
        }
        Ok(())
    }

    fn ports(&self) -> MutexGuard<'_, [Port; 2]> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}
