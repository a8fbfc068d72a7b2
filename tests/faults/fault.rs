//! What goes wrong with a collector, and what may become of the spans then.

use serde_json::{Value, json};
use std::time::Duration;
use throughline_dev::mesh::Cluster;
use throughline_dev::receiver::{Behaviour, Protocol};

/// A fault, from when it begins to when it is over.
pub struct Fault {
    pub name: &'static str,
    pub breakage: Breakage,
    pub protocols: &'static [Protocol],
    /// Whether it is there before Envoy starts.
    pub from_the_start: bool,
    /// Whether it ever ends.
    pub ends: bool,
    /// How long there is load while it lasts, in seconds, and how many requests each second.
    pub load: (u64, u32),
    /// More of `export`.
    pub export: Value,
    /// Whether the export says that it does not work.
    pub is_told: bool,
    /// The outcomes and reasons that spans are lost for. Each must happen, and no other may.
    pub lost: &'static [(&'static str, &'static str)],
}

/// What is broken.
#[derive(Clone, Copy)]
pub enum Breakage {
    /// The collector's ports are closed.
    Down,
    /// It answers as it should not.
    Behaves(fn(Protocol) -> Behaviour),
    /// Envoy has other clusters than the one that leads there.
    Clusters(fn(Cluster) -> Vec<Cluster>),
}

const HTTP: Protocol = Protocol::OtlpHttp;
const GRPC: Protocol = Protocol::OtlpGrpc;
const ALL: &[Protocol] = &[HTTP, GRPC, Protocol::OtlpHttpJson, Protocol::Zipkin];
const OTLP: &[Protocol] = &[HTTP, GRPC, Protocol::OtlpHttpJson];

/// Requests a second, unless a fault has more.
pub const RATE: u32 = 500;

/// Where the encoding makes no difference.
const TRANSPORTS: &[Protocol] = &[HTTP, GRPC];

impl Fault {
    /// Midway and then over; all spans are exported in the end.
    fn new(name: &'static str, protocols: &'static [Protocol], breakage: Breakage) -> Self {
        Self {
            name,
            breakage,
            protocols,
            from_the_start: false,
            ends: true,
            load: (3, RATE),
            export: json!({}),
            is_told: true,
            lost: &[],
        }
    }

    fn already_there(mut self) -> Self {
        self.from_the_start = true;
        self
    }

    fn for_good(mut self) -> Self {
        self.ends = false;
        self
    }

    fn untold(mut self) -> Self {
        self.is_told = false;
        self
    }

    fn load(mut self, seconds: u64, per_second: u32) -> Self {
        self.load = (seconds, per_second);
        self
    }

    fn export(mut self, export: Value) -> Self {
        self.export = export;
        self
    }

    fn loses(mut self, lost: &'static [(&'static str, &'static str)]) -> Self {
        self.lost = lost;
        self
    }
}

/// All of them.
pub fn all() -> Vec<Fault> {
    let behaves = Breakage::Behaves;
    vec![
        Fault::new("down from the start", ALL, Breakage::Down).already_there(),
        Fault::new(
            "down from the start, a queue of 256 spans",
            TRANSPORTS,
            Breakage::Down,
        )
        .already_there()
        .export(json!({"batch": {"maxQueueSize": 256}}))
        .loses(&[("dropped", "queue_full")]),
        Fault::new(
            "down from the start, 2000 requests/s, a queue of 64 KiB",
            ALL,
            Breakage::Down,
        )
        .already_there()
        .load(5, 4 * RATE)
        .export(json!({"batch": {"maxQueueBytes": 65_536}}))
        .loses(&[("dropped", "queue_bytes")]),
        Fault::new("killed midway and back", ALL, Breakage::Down),
        Fault::new(
            "killed midway for good, a queue of 256 spans",
            &[HTTP],
            Breakage::Down,
        )
        .for_good()
        .export(json!({"batch": {"maxQueueSize": 256, "maxExportBatchSize": 256}}))
        .loses(&[("dropped", "queue_full"), ("failed", "retries_exhausted")]),
        Fault::new("slow: an answer takes 30 s", TRANSPORTS, behaves(slow))
            .load(12, RATE)
            .export(json!({"batch": {"maxQueueSize": 16_384, "maxQueueBytes": 16 << 20}})),
        Fault::new(
            "slow: an answer takes 30 s, time-out 40 s",
            TRANSPORTS,
            behaves(slow),
        )
        .load(12, RATE)
        .untold()
        .export(
            json!({"timeout": "40s", "batch": {"maxQueueSize": 16_384, "maxQueueBytes": 16 << 20}}),
        ),
        Fault::new("hangs", TRANSPORTS, behaves(|_| Behaviour::Never))
            .export(json!({"timeout": "1s"})),
        Fault::new("answers 400", ALL, behaves(refuses))
            .untold()
            .loses(&[("failed", "rejected")]),
        Fault::new("answers 429 with Retry-After", ALL, behaves(throttles)).untold(),
        Fault::new("answers 503", ALL, behaves(is_unavailable)),
        Fault::new("answers garbage", OTLP, behaves(|_| Behaviour::Garbage))
            .untold()
            .loses(&[("failed", "bad_response")]),
        Fault::new("takes a part of each batch", OTLP, behaves(takes_a_part))
            .untold()
            .loses(&[("failed", "partial_success")]),
        Fault::new("resets connections", ALL, behaves(|_| Behaviour::Reset)),
        Fault::new(
            "cluster missing",
            TRANSPORTS,
            Breakage::Clusters(|_| Vec::new()),
        ),
        Fault::new(
            "cluster missing from the start",
            TRANSPORTS,
            Breakage::Clusters(|_| Vec::new()),
        )
        .already_there(),
        Fault::new(
            "cluster without hosts",
            TRANSPORTS,
            Breakage::Clusters(without_hosts),
        ),
        Fault::new(
            "cluster without HTTP/2",
            &[GRPC],
            Breakage::Clusters(without_http2),
        )
        .already_there(),
    ]
}

fn slow(_: Protocol) -> Behaviour {
    Behaviour::AcceptAfter(Duration::from_secs(30))
}

fn refuses(protocol: Protocol) -> Behaviour {
    const INVALID_ARGUMENT: u32 = 3;
    match protocol {
        Protocol::OtlpGrpc => Behaviour::grpc_status(INVALID_ARGUMENT),
        _ => Behaviour::status(400),
    }
}

fn throttles(protocol: Protocol) -> Behaviour {
    const RESOURCE_EXHAUSTED: u32 = 8;
    match protocol {
        Protocol::OtlpGrpc => Behaviour::GrpcStatus {
            code: RESOURCE_EXHAUSTED,
            message: "too fast".to_owned(),
            retry_info: Some(Duration::from_secs(1)),
        },
        _ => Behaviour::Status {
            code: 429,
            retry_after: Some("1".to_owned()),
            body: "too fast".to_owned(),
        },
    }
}

fn is_unavailable(protocol: Protocol) -> Behaviour {
    const UNAVAILABLE: u32 = 14;
    match protocol {
        Protocol::OtlpGrpc => Behaviour::grpc_status(UNAVAILABLE),
        _ => Behaviour::status(503),
    }
}

fn takes_a_part(_: Protocol) -> Behaviour {
    Behaviour::PartialSuccess {
        rejected: 3,
        message: "three are too many".to_owned(),
    }
}

fn without_hosts(cluster: Cluster) -> Vec<Cluster> {
    vec![cluster.merge(&json!({"load_assignment": {"endpoints": []}}))]
}

fn without_http2(cluster: Cluster) -> Vec<Cluster> {
    vec![cluster.http1()]
}
