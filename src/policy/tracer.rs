//! One of the host's own tracers beside the filter. It starts its span before any filter runs and writes its headers after
//! all of them, so what it decided is known only when the request is over: by what it wrote.

use crate::{
    propagation::{Format, Headers, Reads},
    trace::{Sampling, SpanContext},
};

/// `nativeTracer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeTracer {
    /// Found out from what leaves.
    Auto,
    /// There is none.
    Own,
    /// There is one, and it writes the context: here nothing is generated.
    Mirror,
}

impl NativeTracer {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Own => "own",
            Self::Mirror => "mirror",
        }
    }
}

/// A set of formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Formats(u8);

impl Formats {
    pub const NONE: Self = Self(0);

    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    pub const fn bits(self) -> u8 {
        self.0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn contains(self, format: Format) -> bool {
        self.0 & (1 << (format as u8)) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Format> {
        Format::ALL
            .into_iter()
            .filter(move |format| self.contains(*format))
    }

    /// Those that say something else than what was left with the request; without `left` all that say anything.
    pub fn written_over(left: Option<&SpanContext>, reads: &Reads) -> Self {
        let differs = |format: &Format| {
            let Some(read) = reads.get(*format) else {
                return false;
            };
            match (read.ids, left) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some((trace_id, span_id)), Some(left)) => {
                    span_id != left.span_id
                        || !trace_id.is_same_trace(left.trace_id)
                        || read.sampling.is_some_and(|decided| {
                            decided.is_sampled() != left.sampling.is_sampled()
                        })
                }
            }
        };
        let written = Format::ALL.into_iter().filter(differs);
        Self(written.fold(0, |bits, format| bits | (1 << (format as u8))))
    }

    /// What a tracer reads that writes these, in its order; `otherwise` where nobody knows what it writes. Envoy's Zipkin
    /// tracer takes `b3` first, then `x-b3-*`, and `traceparent` only where it writes that, too.
    pub fn read_by_writer(self, otherwise: &[Format]) -> Vec<Format> {
        if self.is_empty() {
            return otherwise.to_vec();
        }
        let has = |format: Format| self.contains(format).then_some(format);
        let single = self.contains(Format::B3Multi).then_some(Format::B3);
        let others = self.iter().filter(|format| {
            !matches!(format, Format::TraceContext | Format::B3 | Format::B3Multi)
        });
        single
            .or(has(Format::B3))
            .into_iter()
            .chain(has(Format::B3Multi))
            .chain(others)
            .chain(has(Format::TraceContext))
            .collect()
    }

    /// The context that a writer of these left with the request.
    pub fn context(self, reads: &Reads) -> Option<SpanContext> {
        self.iter().find_map(|format| {
            let read = reads.get(format)?;
            let (trace_id, span_id) = read.ids?;
            Some(SpanContext {
                trace_id,
                span_id,
                sampling: read.sampling.unwrap_or(Sampling::Deny),
                random: read.random,
            })
        })
    }
}

/// Whether Envoy decided not to trace the request: what it says in `x-request-id`, a UUID whose version says why it is traced
/// (9 by chance, a forced, b asked for by the client).
pub fn is_untraced(headers: &Headers) -> bool {
    const UUID: usize = 36;
    headers
        .first("x-request-id")
        .is_some_and(|id| id.len() == UUID && !matches!(id.get(14), Some(b'9' | b'a' | b'b')))
}
