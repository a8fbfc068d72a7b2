//! What one request says about its trace, format by format.

use super::{Format, TraceHeaders, b3, datadog, gcp, jaeger, tracecontext, xray};
use crate::trace::{Sampling, SpanId, TraceId};

/// What one format says: ids, a trace id alone, a sampling state, or of both. Never neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    pub ids: Option<(TraceId, SpanId)>,
    /// A trace that nobody has a span in yet: what a load balancer announces. Never beside `ids`.
    pub begins: Option<TraceId>,
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
            begins: None,
            sampling,
            random: false,
            parent: None,
        }
    }

    pub(super) const fn of_trace(trace_id: TraceId, sampling: Option<Sampling>) -> Self {
        Self {
            ids: None,
            begins: Some(trace_id),
            sampling,
            random: false,
            parent: None,
        }
    }

    pub(super) const fn of_sampling(sampling: Sampling) -> Self {
        Self {
            ids: None,
            begins: None,
            sampling: Some(sampling),
            random: false,
            parent: None,
        }
    }

    /// The trace that it names.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.ids.map(|(trace_id, _)| trace_id).or(self.begins)
    }

    pub fn span_id(&self) -> Option<SpanId> {
        self.ids.map(|(_, span_id)| span_id)
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
pub struct Reads([Result; Format::ALL.len()]);

impl Reads {
    pub fn of(headers: &TraceHeaders<'_>) -> Self {
        Self(Format::ALL.map(|format| match format {
            Format::TraceContext => tracecontext::read(headers),
            Format::B3 => b3::read_single(headers),
            Format::B3Multi => b3::read_multi(headers),
            Format::Jaeger => jaeger::read(headers),
            Format::XRay => xray::read(headers),
            Format::Datadog => datadog::read(headers),
            Format::Gcp => gcp::read(headers),
            Format::GrpcTraceBin => gcp::read_binary(headers),
        }))
    }

    pub fn result(&self, format: Format) -> Result {
        self.0.get(format as usize).copied().unwrap_or(Ok(None))
    }

    pub fn get(&self, format: Format) -> Option<Read> {
        self.result(format).ok().flatten()
    }
}
