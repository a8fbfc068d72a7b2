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
    /// Both spellings.
    const B3: Self = Self(1 << (Format::B3 as u8) | 1 << (Format::B3Multi as u8));

    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    pub const fn bits(self) -> u8 {
        self.0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether either spelling is among them.
    pub const fn has_b3(self) -> bool {
        self.0 & Self::B3.0 != 0
    }

    /// Whether a writer of these may turn a decision that came in: OpenTelemetry's tracer, and not Zipkin's.
    pub const fn may_turn(self) -> bool {
        self.contains(Format::TraceContext) && !self.has_b3()
    }

    pub const fn contains(self, format: Format) -> bool {
        self.0 & (1 << (format as u8)) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Format> {
        Format::ALL
            .into_iter()
            .filter(move |format| self.contains(*format))
    }

    /// Those that name another trace or span than what was left with the request; without `left` all that name any. A
    /// decision alone is a route's to set, and no tracer's.
    pub fn written_over(left: Option<&SpanContext>, reads: &Reads) -> Self {
        let differs = |format: &Format| {
            let ids = reads.get(*format).and_then(|read| read.ids);
            ids.is_some_and(|(trace_id, span_id)| {
                left.is_none_or(|left| {
                    span_id != left.span_id || !trace_id.is_same_trace(left.trace_id)
                })
            })
        };
        let written = Format::ALL.into_iter().filter(differs);
        Self(written.fold(0, |bits, format| bits | (1 << (format as u8))))
    }

    /// These, and of what was `known` the other spelling of B3: Envoy's Zipkin tracer answers each with the same.
    pub const fn joined_to(self, known: Self) -> Self {
        if self.has_b3() {
            Self(self.0 | known.0 & Self::B3.0)
        } else {
            self
        }
    }

    /// The spelling of B3 that a writer of these leaves as it is beside the one that it writes, when it continues `format`.
    pub const fn spelling_left_out(self, format: Format) -> Option<Format> {
        if !self.has_b3() {
            None
        } else if matches!(format, Format::B3) && self.contains(Format::B3) {
            Some(Format::B3Multi)
        } else {
            Some(Format::B3)
        }
    }

    /// What a tracer reads that writes these, in its order; `otherwise` where nobody knows what it writes. Envoy's Zipkin
    /// tracer takes `b3` first, then `x-b3-*`, and `traceparent` only where it writes that, too.
    pub fn read_by_writer(self, otherwise: &[Format]) -> Vec<Format> {
        if self.is_empty() {
            return otherwise.to_vec();
        }
        let b3 = [Format::B3, Format::B3Multi].into_iter();
        let others = self.iter().filter(|format| {
            !matches!(format, Format::TraceContext | Format::B3 | Format::B3Multi)
        });
        b3.filter(|_| self.has_b3())
            .chain(others)
            .chain(
                self.contains(Format::TraceContext)
                    .then_some(Format::TraceContext),
            )
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

/// Whether any format says another decision than what was left with the request.
pub fn is_redecided(left: &SpanContext, reads: &Reads) -> bool {
    let decided = |format| reads.get(format).and_then(|read| read.sampling);
    Format::ALL
        .into_iter()
        .filter_map(decided)
        .any(|sampling| sampling.is_sampled() != left.sampling.is_sampled())
}

/// What is known of how a tracer decides on a trace that came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decides {
    /// Whether it turns the decision of a request that came in sampled where Envoy itself decides otherwise, as Envoy's
    /// OpenTelemetry tracer does from 1.39 on; `None` until one was seen that tells.
    pub turns: Option<bool>,
    /// Whether `x-request-id` was seen to say another decision than Envoy's (`pack_trace_reason`, or
    /// `use_request_id_for_trace_sampling`, switched off): then nothing tells beforehand.
    pub is_untold: bool,
}

impl Decides {
    /// What Envoy decides, where that is known.
    pub fn envoys(self, headers: &Headers) -> Option<bool> {
        is_traced(headers).filter(|_| !self.is_untold)
    }
}

/// How many digits at its beginning Envoy samples by, and the length of a UUID, in which it says what it decided.
const NUMBER: usize = 8;
const UUID: usize = 36;

/// What Envoy says in `x-request-id`, a UUID, of its decision to trace the request: the version, if there is one.
fn reason(id: &[u8]) -> Option<u8> {
    id.get(14).copied().filter(|_| id.len() == UUID)
}

/// Whether Envoy decided to trace the request: 9 is by chance, a forced, b asked for by the client. What has no number at its
/// beginning is never traced; of other ids than UUIDs, and of numbers that only C reads as such, nobody knows.
pub fn is_traced(headers: &Headers) -> Option<bool> {
    let id = headers.first("x-request-id")?;
    let number = id.get(..NUMBER).unwrap_or_default();
    if number.is_empty() || !number.iter().all(may_be_in_number) {
        return Some(false);
    }
    what_it_says(headers)
}

/// The same, where Envoy itself wrote it there.
pub fn what_it_says(headers: &Headers) -> Option<bool> {
    let id = headers.first("x-request-id")?;
    let number = id.get(..NUMBER).unwrap_or_default();
    reason(id)
        .filter(|_| number.iter().all(u8::is_ascii_hexdigit))
        .map(|reason| matches!(reason, b'9' | b'a' | b'b'))
}

/// C's `strtoull` also takes a sign, 0x and white space before the digits.
pub const fn may_be_in_number(byte: &u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'X' | b'+' | b'-' | b' ' | b'\t')
}

/// Whether somebody had Envoy trace the request.
pub fn is_forced(headers: &Headers) -> bool {
    let reason = headers.first("x-request-id").and_then(reason);
    matches!(reason, Some(b'a' | b'b'))
}
