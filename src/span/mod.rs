//! The hop's own span: what is recorded of a request, under which names, and how it ends. No wire format, no host.

mod flags;
mod grpc;
mod identity;
mod outcome;
mod own;
mod request;
mod sides;
mod target;

pub use flags::ResponseFlags;
pub use grpc::Status as GrpcStatus;
pub use identity::Identity;
pub use outcome::{Outcome, Upstream};
pub use own::is_own;
pub use request::RequestView;
pub use sides::Sides;
pub use target::host_and_port;

use crate::trace::{Sampling, SpanId, TraceId};

/// OpenTelemetry's span kinds, as far as a proxy has them (specification, trace/api.md, "SpanKind").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Server,
    Client,
}

/// What a span is from its first moment on.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent: Option<Parent>,
    pub kind: Kind,
    pub name: &'a str,
    /// Nanoseconds since the epoch.
    pub at: u64,
    pub sampling: Sampling,
    pub random: bool,
    /// W3C's list, as it leaves with the request; empty where there is none.
    pub trace_state: &'a str,
    pub links: &'a [Link],
}

/// The span that this one is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    pub span_id: SpanId,
    /// Whether it came over the wire; not where a gateway's client span is under its own server span.
    pub is_remote: bool,
}

/// A context that came in and was not continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub trace_id: TraceId,
    pub span_id: SpanId,
}

/// How a span ends.
#[derive(Clone, Debug, Default)]
pub struct End<'a> {
    /// Nanoseconds since the epoch.
    pub at: u64,
    /// OpenTelemetry's status: `Some` is Error, with what `error.type` says; `None` is Unset.
    pub error: Option<&'a str>,
    /// Whether an error also gets the attribute `error`, by which Envoy's own tracers mark it.
    pub legacy: bool,
    /// The other side, for formats that have a place for it.
    pub remote: Option<Remote<'a>>,
}

/// The other side of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remote<'a> {
    pub service: Option<&'a str>,
    /// `address:port`, `[address]:port`, or an address alone.
    pub endpoint: Option<&'a str>,
}

/// Which names are written (`spans.semconv`, OTEL_SEMCONV_STABILITY_OPT_IN).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semconv {
    /// OpenTelemetry's stable HTTP conventions.
    pub stable: bool,
    /// The names before them and those of Envoy's own tracers, which people's queries use.
    pub legacy: bool,
}

impl Default for Semconv {
    fn default() -> Self {
        Self {
            stable: true,
            legacy: true,
        }
    }
}

/// `spans`, compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanSettings {
    pub semconv: Semconv,
    /// Bytes of a path in a tag, as MeshConfig's `maxPathTagLength`.
    pub max_path: usize,
    pub redact_query: bool,
    /// What becomes of spans beside those that a tracer of the host's reports of the same hop.
    pub when_mirroring: WhenMirroring,
}

/// `spans.whenMirroring`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenMirroring {
    #[default]
    Drop,
    Export,
}

impl Default for SpanSettings {
    fn default() -> Self {
        Self {
            semconv: Semconv::default(),
            max_path: 256,
            redact_query: true,
            when_mirroring: WhenMirroring::Drop,
        }
    }
}

/// Where attributes are written to: one encoding or another.
pub trait Attributes {
    fn text(&mut self, key: &str, value: &str);
    fn int(&mut self, key: &str, value: i64);
    fn bool(&mut self, key: &str, value: bool);
}
