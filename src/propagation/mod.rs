//! Wire formats, a file each, and their composition: what a request says ([`read`]), and the header writes after
//! which all formats say one thing ([`inject`]). The contract is docs/propagation.md.

pub mod b3;
pub mod baggage;
mod carrier;
mod inject;
mod read;
pub mod tracecontext;

pub use carrier::{Field, Headers, TraceHeaders, trim_ows};
pub use inject::{HeaderWrite, HeaderWrites, inject};
pub use read::{Read, Reads, Reason, Rejection};

/// A wire format, by the name it has in `OTEL_PROPAGATORS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    TraceContext,
    /// B3 in one header. In `extract` it also reads the several headers, after the single one.
    B3,
    B3Multi,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::TraceContext, Self::B3, Self::B3Multi];

    pub const fn name(self) -> &'static str {
        match self {
            Self::TraceContext => "tracecontext",
            Self::B3 => "b3",
            Self::B3Multi => "b3multi",
        }
    }
}

/// What to do with a known format that came in and is not injected. It is never left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleHeaders {
    Rewrite,
    Remove,
}

/// Which formats are read, in order of precedence, and which are written.
#[derive(Clone, Debug)]
pub struct Propagation {
    /// Formats to read, first wins; none twice.
    pub readers: Vec<Format>,
    pub inject: Vec<Format>,
    pub stale_headers: StaleHeaders,
}

impl Propagation {
    /// `b3` in an extract list stands for both spellings, the single header first
    /// (OpenTelemetry, context/api-propagators.md, "B3 Extract").
    pub fn new(extract: &[Format], inject: &[Format], stale_headers: StaleHeaders) -> Self {
        let mut readers = Vec::new();
        let spelled = extract.iter().flat_map(|format| match format {
            Format::B3 => [Some(Format::B3), Some(Format::B3Multi)],
            other => [Some(*other), None],
        });
        for format in spelled.flatten() {
            if !readers.contains(&format) {
                readers.push(format);
            }
        }
        Self {
            readers,
            inject: inject.to_vec(),
            stale_headers,
        }
    }

    /// Whether `format`, which may have come in, leaves.
    pub fn writes(&self, format: Format, came_in: bool) -> bool {
        self.inject.contains(&format) || (came_in && self.stale_headers == StaleHeaders::Rewrite)
    }
}
