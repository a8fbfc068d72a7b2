//! Wire formats, a file each, and their composition: what a request says ([`read`]), and the header writes after
//! which all formats say one thing ([`inject`]). The contract is docs/propagation.md.

pub mod b3;
pub mod baggage;
mod carrier;
mod datadog;
mod erase;
mod gcp;
mod inject;
mod jaeger;
pub mod ot;
mod read;
pub mod tracecontext;
mod withdraw;
mod xray;

pub use carrier::{Field, Headers, TraceHeaders, trim_ows};
pub use erase::{TRACE_HEADERS, erase, is_trace_header};
pub use inject::{HeaderWrite, HeaderWrites, List, Value, inject};
pub use read::{Read, Reads, Reason, Rejection};
pub use withdraw::withdraw;

/// A wire format, by the name it has in `OTEL_PROPAGATORS`, where it has one there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    TraceContext,
    /// B3 in one header. In `extract` it also reads the several headers, after the single one.
    B3,
    B3Multi,
    Jaeger,
    XRay,
    Datadog,
    /// Google Cloud's. In `extract` it also reads [`GrpcTraceBin`](Self::GrpcTraceBin), after its own.
    Gcp,
    /// OpenCensus's binary form, in gRPC's metadata. Nobody is asked to begin with it: it is read, and kept in agreement.
    GrpcTraceBin,
}

impl Format {
    pub const ALL: [Self; 8] = [
        Self::TraceContext,
        Self::B3,
        Self::B3Multi,
        Self::Jaeger,
        Self::XRay,
        Self::Datadog,
        Self::Gcp,
        Self::GrpcTraceBin,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::TraceContext => "tracecontext",
            Self::B3 => "b3",
            Self::B3Multi => "b3multi",
            Self::Jaeger => "jaeger",
            Self::XRay => "xray",
            Self::Datadog => "datadog",
            Self::Gcp => "gcp",
            Self::GrpcTraceBin => "grpc-trace-bin",
        }
    }
}

/// What to do with a known format that came in and is not injected. It is never left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleHeaders {
    Rewrite,
    Remove,
}

/// What to do with W3C's random flag (Level 2, §3.2.2.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RandomFlag {
    /// As it came in; traces that start here have none, because older SDKs discard a traceparent with flags `03`.
    Preserve,
    /// On traces that start here, too: their ids are random.
    Set,
    /// Never.
    Drop,
}

/// Which formats are read, in order of precedence, and which are written.
#[derive(Clone, Debug)]
pub struct Propagation {
    /// Formats to read, first wins; none twice.
    pub readers: Vec<Format>,
    pub inject: Vec<Format>,
    pub stale_headers: StaleHeaders,
    pub random_flag: RandomFlag,
    /// Whether W3C Baggage that came in leaves.
    pub keeps_baggage: bool,
}

impl Propagation {
    /// The readers of an extract list. `b3` stands for both spellings, the single header first
    /// (OpenTelemetry, context/api-propagators.md, "B3 Extract"), and `gcp` for both of Google's.
    pub fn readers(extract: &[Format]) -> Vec<Format> {
        let mut readers = Vec::new();
        let spelled = extract.iter().flat_map(|format| match format {
            Format::B3 => [Some(Format::B3), Some(Format::B3Multi)],
            Format::Gcp => [Some(Format::Gcp), Some(Format::GrpcTraceBin)],
            other => [Some(*other), None],
        });
        for format in spelled.flatten() {
            if !readers.contains(&format) {
                readers.push(format);
            }
        }
        readers
    }

    /// Whether `format`, which may have come in, leaves.
    pub fn writes(&self, format: Format, came_in: bool) -> bool {
        self.inject.contains(&format) || (came_in && self.stale_headers == StaleHeaders::Rewrite)
    }
}
