//! The vocabulary of a trace: identifiers and the span context that carries them. No policy, no I/O.

mod hex;
mod ids;
mod threshold;

pub use hex::{Text, decimal, lower_hex};
pub use ids::{SpanId, TraceId};
pub use threshold::Threshold;

/// A sampling decision, with B3's emphasis kept apart (B3 "Sampling State"). Defer, the absence of a decision,
/// is `Option::None` wherever a `Sampling` is optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    Deny,
    Accept,
    /// Accepted, and to be reported in any case. Only B3 can say it.
    Debug,
}

impl Sampling {
    pub const fn is_sampled(self) -> bool {
        matches!(self, Self::Accept | Self::Debug)
    }
}

impl From<bool> for Sampling {
    fn from(sampled: bool) -> Self {
        if sampled { Self::Accept } else { Self::Deny }
    }
}

/// What every format leaves on: one trace id, one span id, one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanContext {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub sampling: Sampling,
    /// W3C Level 2's random flag (§3.2.2.5.2): kept as it came in, never set on a trace that starts here,
    /// because older SDKs discard a traceparent whose flags are `03`.
    pub random: bool,
}
