//! Where the mesh's spans go.

use anyhow::Result;
use serde_json::{Value, json};
use std::net::SocketAddr;
use throughline_dev::backends::{Endpoint, Jaeger, Otelcol, Span, Tempo, Zipkin};
use throughline_dev::mesh::Cluster;
use throughline_dev::receiver::{Protocol, Receiver};

/// What takes spans and gives them back.
#[derive(Clone, Copy, Debug)]
pub enum Backend<'a> {
    /// The project's own, which keeps what it gets as it is.
    Receiver(&'a Receiver),
    Zipkin(&'a Zipkin),
    Jaeger(&'a Jaeger),
    Tempo(&'a Tempo),
    Otelcol(&'a Otelcol),
}

impl Backend<'_> {
    pub fn name(self) -> &'static str {
        match self {
            Self::Receiver(_) => "receiver",
            Self::Zipkin(_) => "zipkin",
            Self::Jaeger(_) => "jaeger",
            Self::Tempo(_) => "tempo",
            Self::Otelcol(_) => "otelcol",
        }
    }

    /// What can be sent to it.
    pub fn protocols(self) -> &'static [Protocol] {
        match self {
            Self::Zipkin(_) => &[Protocol::Zipkin],
            _ => &[
                Protocol::OtlpGrpc,
                Protocol::OtlpHttp,
                Protocol::OtlpHttpJson,
                Protocol::Zipkin,
            ],
        }
    }

    fn address(self, protocol: Protocol) -> SocketAddr {
        let pick = |grpc: Endpoint, http: Endpoint, zipkin: Endpoint| match protocol {
            Protocol::OtlpGrpc => grpc.0,
            Protocol::OtlpHttp | Protocol::OtlpHttpJson => http.0,
            Protocol::Zipkin => zipkin.0,
        };
        match self {
            Self::Receiver(it) => match protocol {
                Protocol::OtlpGrpc => it.grpc(),
                _ => it.http(),
            },
            Self::Zipkin(it) => it.endpoint().0,
            Self::Jaeger(it) => pick(it.otlp_grpc(), it.otlp_http(), it.zipkin()),
            Self::Tempo(it) => pick(it.otlp_grpc(), it.otlp_http(), it.zipkin()),
            Self::Otelcol(it) => pick(it.otlp_grpc(), it.otlp_http(), it.zipkin()),
        }
    }

    /// The spans of a trace, by its query API; none while it is unknown.
    pub fn trace(self, id: &str) -> Result<Vec<Span>> {
        match self {
            Self::Receiver(it) => {
                let spans = it.spans();
                let ours = spans.iter().filter(|span| span.trace_id == id);
                Ok(ours.map(Span::from).collect())
            }
            Self::Zipkin(it) => it.trace(id),
            Self::Jaeger(it) => it.trace(id),
            Self::Tempo(it) => it.trace(id),
            Self::Otelcol(it) => it.trace(id),
        }
    }
}

/// A backend by one of its protocols.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    pub backend: Backend<'a>,
    pub protocol: Protocol,
}

impl<'a> Destination<'a> {
    /// Every way into these backends.
    pub fn all(backends: &[Backend<'a>]) -> Vec<Self> {
        let ways = |backend: &Backend<'a>| {
            let backend = *backend;
            let protocols = backend.protocols().iter();
            protocols.map(move |protocol| Self {
                backend,
                protocol: *protocol,
            })
        };
        backends.iter().flat_map(ways).collect()
    }

    /// In Envoys and in failures.
    pub fn name(self) -> String {
        format!("{}-{}", self.backend.name(), self.protocol)
    }

    /// Envoy's cluster for it.
    pub fn cluster(self) -> Cluster {
        let cluster = Cluster::new(&self.name(), self.backend.address(self.protocol));
        match self.protocol {
            Protocol::OtlpGrpc => cluster.http2(),
            _ => cluster,
        }
    }

    /// The filter's configuration: nothing but the export.
    pub fn configuration(self) -> Value {
        json!({
            "propagation": {"inject": ["tracecontext", "b3multi", "b3"]},
            "export": {
                "protocol": self.protocol.to_string(),
                "cluster": self.name(),
                "batch": {"scheduleDelay": "50ms"},
            },
        })
    }
}
