//! What one request says about its trace, format by format.

use super::{Format, TraceHeaders, b3, tracecontext};
use crate::trace::{Sampling, SpanId, TraceId};

/// What one format says: ids, a sampling state, or both. Never neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    pub ids: Option<(TraceId, SpanId)>,
    /// `None` defers the decision to the receiver. W3C never defers.
    pub sampling: Option<Sampling>,
    /// W3C's random flag.
    pub random: bool,
    /// B3's parent span id, where there is a good one.
    pub parent: Option<SpanId>,
}

impl Read {
    pub(super) const fn of(trace_id: TraceId, span_id: SpanId, sampling: Option<Sampling>) -> Self {
        Self {
            ids: Some((trace_id, span_id)),
            sampling,
            random: false,
            parent: None,
        }
    }

    pub(super) const fn of_sampling(sampling: Sampling) -> Self {
        Self {
            ids: None,
            sampling: Some(sampling),
            random: false,
            parent: None,
        }
    }
}

/// Why a header was rejected, for counters. A name never changes once released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Repeated,
    Length,
    Syntax,
    Version,
    TraceId,
    SpanId,
    ParentSpanId,
    Flags,
    Sampled,
    /// A trace id without a span id, or the other way round.
    Incomplete,
    TracestateKey,
    TracestateValue,
    TracestateMembers,
}

impl Reason {
    pub const ALL: [Self; 13] = [
        Self::Repeated,
        Self::Length,
        Self::Syntax,
        Self::Version,
        Self::TraceId,
        Self::SpanId,
        Self::ParentSpanId,
        Self::Flags,
        Self::Sampled,
        Self::Incomplete,
        Self::TracestateKey,
        Self::TracestateValue,
        Self::TracestateMembers,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::Length => "length",
            Self::Syntax => "syntax",
            Self::Version => "version",
            Self::TraceId => "trace_id",
            Self::SpanId => "span_id",
            Self::ParentSpanId => "parent_span_id",
            Self::Flags => "flags",
            Self::Sampled => "sampled",
            Self::Incomplete => "incomplete",
            Self::TracestateKey => "tracestate_key",
            Self::TracestateValue => "tracestate_value",
            Self::TracestateMembers => "tracestate_members",
        }
    }
}

/// A header that was there and could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub format: Format,
    pub reason: Reason,
}

type Result = core::result::Result<Option<Read>, Reason>;

/// Every known format of one request. All are read, also those that `extract` leaves out: what leaves must agree
/// with what came in, or replace it.
#[derive(Clone, Copy, Debug)]
pub struct Reads {
    tracecontext: Result,
    b3: Result,
    b3multi: Result,
}

impl Reads {
    pub fn of(headers: &TraceHeaders<'_>) -> Self {
        Self {
            tracecontext: tracecontext::read(headers),
            b3: b3::read_single(headers),
            b3multi: b3::read_multi(headers),
        }
    }

    pub const fn result(&self, format: Format) -> Result {
        match format {
            Format::TraceContext => self.tracecontext,
            Format::B3 => self.b3,
            Format::B3Multi => self.b3multi,
        }
    }

    pub fn get(&self, format: Format) -> Option<Read> {
        self.result(format).ok().flatten()
    }
}
