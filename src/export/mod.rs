//! Finished spans on their way out: encoded, queued within hard limits, sent in batches, retried as OTLP demands, and
//! every one of them counted. Knows bytes and times, not HTTP calls: [`crate::filter`] makes those.

mod answer;
mod backoff;
mod batch;
mod encoding;
mod exporter;
mod http_date;
mod message;

pub use answer::{Answer, Reply};
pub use batch::Batch;
pub use encoding::{Block, Encoding, Envelope, SpanWriter};
pub use exporter::{Exporter, Limits, Loss, Verdict};

/// How spans are sent (`export.protocol`, OTEL_EXPORTER_OTLP_PROTOCOL).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    OtlpHttp,
    OtlpGrpc,
    OtlpHttpJson,
    Zipkin,
}

impl Protocol {
    pub const fn encoding(self) -> Encoding {
        match self {
            Self::OtlpHttp | Self::OtlpGrpc => Encoding::Protobuf,
            Self::OtlpHttpJson => Encoding::Json,
            Self::Zipkin => Encoding::Zipkin,
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OtlpHttp => "application/x-protobuf",
            Self::OtlpGrpc => "application/grpc",
            Self::OtlpHttpJson | Self::Zipkin => "application/json",
        }
    }

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtlpHttp => "otlp-http",
            Self::OtlpGrpc => "otlp-grpc",
            Self::OtlpHttpJson => "otlp-http-json",
            Self::Zipkin => "zipkin",
        }
    }

    pub const fn default_port(self) -> u16 {
        match self {
            Self::OtlpHttp | Self::OtlpHttpJson => 4318,
            Self::OtlpGrpc => 4317,
            Self::Zipkin => 9411,
        }
    }

    pub const fn default_path(self) -> &'static str {
        match self {
            Self::OtlpHttp | Self::OtlpHttpJson => "/v1/traces",
            Self::OtlpGrpc => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Zipkin => "/api/v2/spans",
        }
    }
}

/// `export`, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSettings {
    pub protocol: Protocol,
    pub destination: Destination,
    pub path: String,
    /// Further headers, lower case.
    pub headers: Vec<(String, String)>,
    /// Milliseconds.
    pub timeout: u32,
    pub limits: Limits,
}

/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A cluster by Envoy's name.
    Cluster(String),
    /// A service of the mesh, whose cluster Istio names `outbound|<port>||<host>`.
    Service { host: String, port: u16 },
}

impl Destination {
    pub fn cluster(&self) -> String {
        match self {
            Self::Cluster(name) => name.clone(),
            Self::Service { host, port } => format!("outbound|{port}||{host}"),
        }
    }

    /// The request's `:authority`.
    pub fn authority(&self) -> String {
        match self {
            // What Envoy's own tracers say: the cluster's name, as far as a host may be called so.
            Self::Cluster(name) => name
                .chars()
                .map(|char| {
                    if char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_') {
                        char
                    } else {
                        '_'
                    }
                })
                .collect(),
            Self::Service { host, port } => format!("{host}:{port}"),
        }
    }
}
