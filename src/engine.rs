//! The corridor: what came in, what is decided, what must be written. Pure: no host, no clock, and randomness only
//! through [`Randomness`].

use crate::{
    policy::sampling::Sampler,
    propagation::{
        Format, HeaderWrites, Headers, Propagation, Read, Reads, Reason, Rejection, TraceHeaders,
        inject, tracecontext,
    },
    trace::{Sampling, SpanContext, SpanId, TraceId},
};

/// Where new ids come from.
pub trait Randomness {
    /// Fills `bytes` with what nobody can predict, or says that it cannot.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

/// Where a request's context comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Continued from what this format said.
    Continued(Format),
    /// Nothing valid came in: a trace starts here.
    Started,
}

impl Origin {
    pub const ALL: [Self; 4] = [
        Self::Continued(Format::TraceContext),
        Self::Continued(Format::B3),
        Self::Continued(Format::B3Multi),
        Self::Started,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Continued(format) => format.name(),
            Self::Started => "started",
        }
    }
}

/// What to do with one request.
#[derive(Clone, Debug)]
pub struct Plan {
    pub context: SpanContext,
    pub origin: Origin,
    pub writes: HeaderWrites,
    /// Two formats disagreed; the order of `extract` decided.
    pub conflict: bool,
    /// At most one for each known header family, tracestate apart.
    pub rejections: [Option<Rejection>; 4],
}

/// Decides on one request. Without randomness where it is needed there is no plan: the request passes untouched.
pub fn begin(
    propagation: &Propagation,
    sampler: &Sampler,
    headers: &Headers,
    randomness: &mut impl Randomness,
) -> Result<Plan, NoRandomness> {
    let known = TraceHeaders::of(headers);
    let reads = Reads::of(&known);
    let found = Found::among(&propagation.readers, &reads);
    let context = match &found.continued {
        Some(continued) => continued.decide(sampler, randomness)?,
        None => start(found.sampling, sampler, randomness)?,
    };
    let tracestate = check_tracestate(&known, headers, &reads);
    let writes = inject(propagation, &known, &reads, &context, tracestate.is_ok());
    Ok(Plan {
        context,
        origin: found
            .continued
            .as_ref()
            .map_or(Origin::Started, |continued| {
                Origin::Continued(continued.format)
            }),
        writes,
        conflict: found
            .continued
            .as_ref()
            .is_some_and(|continued| continued.conflict),
        rejections: rejections(&propagation.readers, &reads, tracestate),
    })
}

/// The list is read only beside a valid traceparent (W3C §4.2).
fn check_tracestate(
    known: &TraceHeaders<'_>,
    headers: &Headers,
    reads: &Reads,
) -> Result<(), Reason> {
    if reads.get(Format::TraceContext).is_none() {
        return Ok(());
    }
    match (known.tracestate.count, known.tracestate.first) {
        (1, Some(field)) => tracecontext::check_tracestate(core::iter::once(field)),
        (0, _) => Ok(()),
        _ => tracecontext::check_tracestate(headers.all("tracestate")),
    }
}

fn rejections(
    readers: &[Format],
    reads: &Reads,
    tracestate: Result<(), Reason>,
) -> [Option<Rejection>; 4] {
    let of = |format| {
        let reason = reads.result(format).err()?;
        readers
            .contains(&format)
            .then_some(Rejection { format, reason })
    };
    let format = Format::TraceContext;
    let list = tracestate.err().filter(|_| readers.contains(&format));
    [
        of(Format::TraceContext),
        of(Format::B3),
        of(Format::B3Multi),
        list.map(|reason| Rejection { format, reason }),
    ]
}

/// What the readers found, in their order.
struct Found {
    continued: Option<Continued>,
    /// The first sampling state that came without ids.
    sampling: Option<Sampling>,
}

/// A context that came in.
struct Continued {
    format: Format,
    trace_id: TraceId,
    span_id: SpanId,
    sampling: Option<Sampling>,
    random: bool,
    conflict: bool,
}

impl Found {
    fn among(readers: &[Format], reads: &Reads) -> Self {
        let mut found = Self {
            continued: None,
            sampling: None,
        };
        for format in readers {
            match (reads.get(*format), &mut found.continued) {
                (None, _) => {}
                (
                    Some(Read {
                        ids: None,
                        sampling,
                        ..
                    }),
                    None,
                ) => {
                    found.sampling = found.sampling.or(sampling);
                }
                (Some(read), None) => {
                    found.continued = Continued::from(*format, read, found.sampling);
                }
                (Some(read), Some(continued)) => continued.meet(read),
            }
        }
        found
    }
}

impl Continued {
    /// `before` is the sampling state of formats that come earlier in the order. Between the two spellings of B3,
    /// the single header's state counts (B3: "The single-header variant takes precedence").
    fn from(format: Format, read: Read, before: Option<Sampling>) -> Option<Self> {
        let (trace_id, span_id) = read.ids?;
        let sampling = if format == Format::B3Multi {
            completed(before, read.sampling)
        } else {
            completed(read.sampling, before)
        };
        Some(Self {
            format,
            trace_id,
            span_id,
            sampling,
            random: read.random,
            conflict: false,
        })
    }

    /// Takes from a format of lower precedence what completes this context, and notes where they disagree.
    fn meet(&mut self, other: Read) {
        // A sampling state without ids belongs to whatever trace the request is on.
        if let Some((trace_id, span_id)) = other.ids {
            if !self.trace_id.is_same_trace(trace_id) {
                self.conflict = true;
                return;
            }
            if self.trace_id.is_64_bit() {
                self.trace_id = trace_id;
            }
            self.random |= other.random;
            // B3's parent proves which is newer: a tracer of the application made a span under ours, and passed on the
            // other headers as it got them.
            if other.parent == Some(self.span_id) {
                self.span_id = span_id;
            }
            self.conflict |= span_id != self.span_id || disagree(self.sampling, other.sampling);
        }
        self.sampling = completed(self.sampling, other.sampling);
    }

    fn decide(
        &self,
        sampler: &Sampler,
        randomness: &mut impl Randomness,
    ) -> Result<SpanContext, NoRandomness> {
        let sampling = match self.sampling {
            Some(Sampling::Debug) => Sampling::Debug,
            Some(decided) if sampler.parent_based => decided,
            _ => sampler.decide(self.trace_id).into(),
        };
        // The sampled flag may change only together with the parent id (W3C §3.4, "Mutating the traceparent Field").
        let span_id = if disagree(self.sampling, Some(sampling)) {
            new_span_id(randomness)?
        } else {
            self.span_id
        };
        Ok(SpanContext {
            trace_id: self.trace_id,
            span_id,
            sampling,
            random: self.random,
        })
    }
}

/// `ours`, with what `theirs` adds without contradicting it.
const fn completed(ours: Option<Sampling>, theirs: Option<Sampling>) -> Option<Sampling> {
    match (ours, theirs) {
        (None, theirs) => theirs,
        // W3C cannot say debug, so a sampled winner learns it from B3.
        (Some(Sampling::Accept), Some(Sampling::Debug)) => Some(Sampling::Debug),
        (ours, _) => ours,
    }
}

fn disagree(ours: Option<Sampling>, theirs: Option<Sampling>) -> bool {
    matches!((ours, theirs), (Some(ours), Some(theirs)) if ours.is_sampled() != theirs.is_sampled())
}

fn start(
    came_in: Option<Sampling>,
    sampler: &Sampler,
    randomness: &mut impl Randomness,
) -> Result<SpanContext, NoRandomness> {
    let (trace_id, span_id) = new_ids(randomness)?;
    let sampling = match came_in {
        Some(Sampling::Debug) => Sampling::Debug,
        Some(decided) if sampler.parent_based => decided,
        _ => sampler.decide(trace_id).into(),
    };
    Ok(SpanContext {
        trace_id,
        span_id,
        sampling,
        random: false,
    })
}

/// Both ids of a new trace, in one call of the host.
fn new_ids(randomness: &mut impl Randomness) -> Result<(TraceId, SpanId), NoRandomness> {
    let mut bytes = [0_u8; 24];
    randomness.fill(&mut bytes)?;
    let ids = || {
        let (trace_id, rest) = bytes.split_first_chunk()?;
        let (span_id, _) = rest.split_first_chunk()?;
        Some((
            TraceId::new(u128::from_be_bytes(*trace_id))?,
            SpanId::new(u64::from_be_bytes(*span_id))?,
        ))
    };
    ids().ok_or(NoRandomness)
}

fn new_span_id(randomness: &mut impl Randomness) -> Result<SpanId, NoRandomness> {
    let mut bytes = [0_u8; 8];
    randomness.fill(&mut bytes)?;
    SpanId::new(u64::from_be_bytes(bytes)).ok_or(NoRandomness)
}
