//! The corridor: what came in, what is decided, what must be written. Pure: no host, no clock, and randomness only
//! through [`Randomness`].

mod beside;
mod tracer;

pub use beside::{Beside, Handed, Mirrored, beside, join};

use crate::{
    policy::{
        sampling::{Allowance, Sampler, Verdict},
        trust::Action,
    },
    propagation::{
        Format, HeaderWrites, Headers, List, Propagation, RandomFlag, Read, Reads, Reason,
        Rejection, TraceHeaders, inject,
        ot::{self, Ot},
        tracecontext,
    },
    span::{Link, Sides},
    trace::{Sampling, SpanContext, SpanId, TraceId},
};

/// Where new ids come from.
pub trait Randomness {
    /// Fills `bytes` with what nobody can predict, or says that it cannot.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

/// Why a request is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftAlone {
    /// Ids are needed, and there is no randomness to make them of.
    NoRandomness,
    /// It reports spans. To trace it would make more of them.
    Exporters,
    /// A rule says so.
    Ignored,
}

impl From<NoRandomness> for LeftAlone {
    fn from(NoRandomness: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

/// Where a request's context comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Continued from what this format said.
    Continued(Format),
    /// Nothing valid came in: a trace starts here.
    Started,
    /// A trace starts here, because of a rule, in place of one that came in.
    Restarted,
}

impl Origin {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Continued(format) => format.name(),
            Self::Started => "started",
            Self::Restarted => "restarted",
        }
    }
}

/// What to do with one request.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What leaves with the request, unless it leaves without.
    pub context: SpanContext,
    /// The spans to record: none where nothing is exported, or where the request is not sampled.
    pub spans: Option<Spans>,
    /// W3C's list beside the context, where it is not among the writes.
    pub tracestate: List,
    pub decided: Decided,
    pub origin: Origin,
    /// The span that the caller named; `None` where the trace begins here.
    pub caller: Option<SpanId>,
    pub writes: HeaderWrites,
    /// Two formats disagreed; the order of `extract` decided.
    pub conflict: bool,
    /// At most one for each format, and one for tracestate.
    pub rejections: Rejections,
}

impl Plan {
    /// The span that the hop is to access logs and to whoever asked: its own, or else the one that leaves.
    pub fn hops_span(&self) -> SpanId {
        self.spans.map_or(self.context.span_id, |spans| spans.outer)
    }
}

/// As many as a request can have.
pub type Rejections = [Option<Rejection>; Format::ALL.len() + 1];

/// Contexts that came in and were not continued: at most one for each format but the winner's, or the winner alone.
pub type Links = [Option<Link>; Format::ALL.len() - 1];

/// Who decided whether the request is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// Whoever sent it.
    Before,
    /// A peer that may.
    Forced,
    /// The sampler here or one of its rules.
    Here(Verdict),
}

/// The spans that the hop itself is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    pub sides: Sides,
    /// The span that the caller named; `None` for the first of a trace.
    pub parent: Option<SpanId>,
    /// The span under it.
    pub outer: SpanId,
    /// The client span under that one, where the hop is both sides. The last of them is what leaves.
    pub inner: Option<SpanId>,
    pub links: Links,
}

/// Decides on one request, whose context is given the trust of `action`. `record` says which spans the hop is, and is asked
/// only where one is recorded. Without a plan the request passes untouched.
pub fn begin<R: Randomness + Allowance>(
    propagation: &Propagation,
    sampler: &Sampler,
    headers: &Headers,
    action: Action,
    is_forced: bool,
    record: Option<impl FnOnce(&mut R) -> Sides>,
    randomness: &mut R,
) -> Result<Plan, LeftAlone> {
    let mut known = TraceHeaders::of(headers);
    check(action, &known)?;
    let mut reads = Reads::of(&known);
    let mut found = Found::among(&propagation.readers, &reads);
    if action == Action::Restart {
        // From here on as if nothing had come in.
        found = found.refuse();
        known = TraceHeaders::default();
        reads = Reads::of(&known);
    }
    let tracestate = Tracestate::of(&known, headers, &reads);
    let mut decided = Decided::Before;
    let decide = |came_in: Option<Sampling>, trace_id: TraceId, allowance: &mut R| match came_in {
        Some(Sampling::Debug) => Sampling::Debug,
        _ if is_forced => {
            decided = Decided::Forced;
            Sampling::Accept
        }
        Some(before) if sampler.parent_based => before,
        _ => {
            let randomness = tracestate.randomness(trace_id);
            let verdict = sampler.decide(randomness, headers, allowance);
            decided = Decided::Here(verdict);
            verdict.is_sampled.into()
        }
    };
    let mut context = found.context(propagation.random_flag, decide, randomness)?;
    if propagation.random_flag == RandomFlag::Drop {
        context.random = false;
    }
    let spans = match record.filter(|_| context.sampling.is_sampled()) {
        Some(sides) => {
            let sides = sides(randomness);
            Some(Spans::new(sides, &found, &mut context, randomness)?)
        }
        None => None,
    };
    let came = tracestate.fields(context.trace_id);
    let stays = |w3c: Read| {
        w3c.ids == Some((context.trace_id, context.span_id))
            && !disagree(w3c.sampling, Some(context.sampling))
    };
    let list = if !propagation.writes(Format::TraceContext, known.has(Format::TraceContext)) {
        List::Removed
    } else if reads.get(Format::TraceContext).is_some_and(stays) {
        // Without a new parent id nothing of the list may change (W3C §3.4).
        match came.clone().next() {
            Some(_) => List::AsItCame,
            None => List::Removed,
        }
    } else {
        told(came, decided, &context)
    };
    let (writes, told) = if action == Action::Strip {
        (HeaderWrites::default(), list)
    } else {
        let stays = match list {
            List::AsItCame => List::AsItCame,
            List::Removed | List::Is(_) => List::Removed,
        };
        let writes = inject(propagation, &known, &reads, &context, list, None);
        (writes, stays)
    };
    Ok(Plan {
        tracestate: told,
        decided,
        context,
        spans,
        origin: found.origin(),
        caller: found.named().map(|(_, span_id)| span_id),
        writes,
        conflict: found
            .continued
            .as_ref()
            .is_some_and(|continued| continued.conflict),
        rejections: rejections(&propagation.readers, &reads, tracestate.check),
    })
}

/// Whether a request is anything to decide on.
fn check(action: Action, known: &TraceHeaders<'_>) -> Result<(), LeftAlone> {
    match action {
        Action::Ignore => Err(LeftAlone::Ignored),
        // Who is not trusted is not left out either.
        Action::Continue | Action::Strip if known.is_exporters() => Err(LeftAlone::Exporters),
        Action::Continue | Action::Strip | Action::Restart => Ok(()),
    }
}

/// `list` with the threshold of the decision, as far as there is one: a probability that is not known is not told
/// (OpenTelemetry, trace/tracestate-probability-sampling.md, "General requirements").
fn told<'a>(
    list: impl Iterator<Item = &'a [u8]> + Clone,
    decided: Decided,
    context: &SpanContext,
) -> List {
    let ot = Ot::of(list.clone());
    let threshold = match decided {
        Decided::Here(verdict) => verdict.threshold,
        Decided::Forced => None,
        // What came in holds where the decision that came in is the one that it makes.
        Decided::Before => {
            let randomness = ot.randomness.unwrap_or(context.trace_id.randomness());
            ot.threshold
                .filter(|threshold| threshold.keeps(randomness) == context.sampling.is_sampled())
        }
    };
    let is_told = ot.threshold == threshold && ot.has_threshold == threshold.is_some();
    match list.clone().next() {
        Some(_) if is_told => List::AsItCame,
        None if threshold.is_none() => List::Removed,
        _ => match ot::with_threshold(list, threshold) {
            list if list.is_empty() => List::Removed,
            list => List::Is(list),
        },
    }
}

/// R of consistent sampling for a request on that trace.
pub fn randomness_of(headers: &Headers, trace_id: TraceId) -> u64 {
    let known = TraceHeaders::of(headers);
    Tracestate::of(&known, headers, &Reads::of(&known)).randomness(trace_id)
}

/// The same for one whose ids are not to decide.
pub fn new_randomness(randomness: &mut impl Randomness) -> Result<u64, NoRandomness> {
    Ok(new_ids(randomness)?.0.randomness())
}

/// W3C's list as it came in. It says something of its own trace alone.
struct Tracestate<'a> {
    headers: &'a Headers,
    check: Result<(), Reason>,
    /// Whose it is, where it is good.
    trace_id: Option<TraceId>,
}

impl<'a> Tracestate<'a> {
    /// It is read only beside a valid traceparent (W3C §4.2).
    fn of(known: &TraceHeaders<'_>, headers: &'a Headers, reads: &Reads) -> Self {
        let beside = reads.get(Format::TraceContext);
        let check = match (beside, known.tracestate.count, known.tracestate.first) {
            (None, ..) | (_, 0, _) => Ok(()),
            (_, 1, Some(field)) => tracecontext::check_tracestate(core::iter::once(field)),
            _ => tracecontext::check_tracestate(headers.all("tracestate")),
        };
        let ids = beside.and_then(|read| read.ids).filter(|_| check.is_ok());
        Self {
            headers,
            check,
            trace_id: ids.map(|(trace_id, _)| trace_id),
        }
    }

    fn is_of(&self, trace_id: TraceId) -> bool {
        self.trace_id.is_some_and(|id| id.is_same_trace(trace_id))
    }

    /// None where it is another trace's.
    fn fields(&self, trace_id: TraceId) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let headers = self.headers;
        let fields = self.is_of(trace_id).then(|| headers.all("tracestate"));
        fields.into_iter().flatten()
    }

    /// R of consistent sampling: what the list says, or else a part of the trace's id.
    fn randomness(&self, trace_id: TraceId) -> u64 {
        Ot::of(self.fields(trace_id))
            .randomness
            .unwrap_or(trace_id.randomness())
    }
}

fn rejections(readers: &[Format], reads: &Reads, tracestate: Result<(), Reason>) -> Rejections {
    let list = tracestate
        .err()
        .map(|reason| (Format::TraceContext, reason));
    let headers = Format::ALL.map(|format| Some((format, reads.result(format).err()?)));
    let mut rejections = Rejections::default();
    for (place, rejected) in rejections.iter_mut().zip(headers.into_iter().chain([list])) {
        *place = rejected
            .filter(|(format, _)| readers.contains(format))
            .map(|(format, reason)| Rejection { format, reason });
    }
    rejections
}

impl Spans {
    /// Names the hop's spans, and makes the innermost what leaves.
    fn new(
        sides: Sides,
        found: &Found,
        context: &mut SpanContext,
        randomness: &mut impl Randomness,
    ) -> Result<Self, NoRandomness> {
        let parent = found.named().map(|(_, span_id)| span_id);
        // A span id that was made here is the span's already: a new trace's, or a turned decision's.
        let outer = if parent == Some(context.span_id) {
            new_span_id(randomness)?
        } else {
            context.span_id
        };
        let inner = match sides {
            Sides::One(_) => None,
            Sides::Both => Some(new_span_id(randomness)?),
        };
        context.span_id = inner.unwrap_or(outer);
        Ok(Self {
            sides,
            parent,
            outer,
            inner,
            links: found.links(),
        })
    }
}

/// What the readers found, in their order.
#[derive(Default)]
struct Found {
    /// The trace of the first span that is named, or else the first that is announced without one.
    continued: Option<Continued>,
    /// What came in decided.
    sampling: Option<Sampling>,
    /// A trace that came in, and does not go on here.
    refused: Option<Refused>,
}

/// A trace that a rule has end here.
struct Refused {
    /// To its last span, where it has one.
    link: Option<Link>,
}

/// A context that came in.
struct Continued {
    format: Format,
    trace_id: TraceId,
    /// `None` where nobody has a span in it yet.
    span_id: Option<SpanId>,
    sampling: Option<Sampling>,
    random: bool,
    conflict: bool,
    /// Other traces that were named, none twice.
    others: Links,
}

impl Found {
    fn among(readers: &[Format], reads: &Reads) -> Self {
        // Whoever names a span, then who announces a trace, then who only decides.
        let first = readers
            .iter()
            .min_by_key(|format| match reads.get(**format) {
                Some(read) if read.ids.is_some() => 0,
                Some(read) if read.begins.is_some() => 1,
                Some(_) => 2,
                None => 3,
            });
        let Some((first, read)) = first.and_then(|format| Some((*format, reads.get(*format)?)))
        else {
            return Self::default();
        };
        let Some(mut continued) = Continued::from(first, read) else {
            return Self {
                sampling: read.sampling,
                ..Self::default()
            };
        };
        let mut is_before = true;
        for format in readers {
            let Some(read) = reads.get(*format) else {
                continue;
            };
            if *format == first {
                is_before = false;
            } else if is_before && (*format, first) == (Format::B3, Format::B3Multi) {
                // Of the two spellings of B3 the single header's state counts (B3: "The single-header variant takes
                // precedence").
                continued.sampling = completed(read.sampling, continued.sampling);
            } else {
                continued.meet(read);
            }
        }
        Self {
            sampling: continued.sampling,
            continued: Some(continued),
            refused: None,
        }
    }

    /// What goes on, and the span under which it does; `None` where nobody has a span in it.
    fn named(&self) -> Option<(&Continued, SpanId)> {
        let continued = self.continued.as_ref()?;
        Some((continued, continued.span_id?))
    }

    /// Nothing, where all of this came in.
    fn refuse(self) -> Self {
        let link = self.named().map(|(continued, span_id)| Link {
            trace_id: continued.trace_id,
            span_id,
        });
        Self {
            refused: self.continued.map(|_| Refused { link }),
            ..Self::default()
        }
    }

    fn origin(&self) -> Origin {
        match (&self.continued, &self.refused) {
            (Some(continued), _) => Origin::Continued(continued.format),
            (None, Some(_)) => Origin::Restarted,
            (None, None) => Origin::Started,
        }
    }

    /// Contexts that do not go on.
    fn links(&self) -> Links {
        if let Some(continued) = &self.continued {
            return continued.others;
        }
        let mut links = Links::default();
        if let (Some(first), Some(refused)) = (links.first_mut(), &self.refused) {
            *first = refused.link;
        }
        links
    }

    /// The trace that goes on, or a new one.
    fn context<R: Randomness>(
        &self,
        random_flag: RandomFlag,
        decide: impl FnOnce(Option<Sampling>, TraceId, &mut R) -> Sampling,
        randomness: &mut R,
    ) -> Result<SpanContext, NoRandomness> {
        if let Some(continued) = &self.continued {
            return continued.decide(decide, randomness);
        }
        let (trace_id, span_id) = new_ids(randomness)?;
        Ok(SpanContext {
            trace_id,
            span_id,
            sampling: decide(self.sampling, trace_id, randomness),
            random: random_flag == RandomFlag::Set,
        })
    }
}

impl Continued {
    fn from(format: Format, read: Read) -> Option<Self> {
        Some(Self {
            format,
            trace_id: read.trace_id()?,
            span_id: read.span_id(),
            sampling: read.sampling,
            random: read.random,
            conflict: false,
            others: Links::default(),
        })
    }

    /// Takes from another format what completes this context, and notes where they disagree.
    fn meet(&mut self, other: Read) {
        // A sampling state without ids belongs to whatever trace the request is on, unless that is named.
        if let Some(trace_id) = other.trace_id() {
            let span_id = other.span_id();
            if !self.trace_id.is_same_trace(trace_id) {
                self.conflict = true;
                if let Some(span_id) = span_id {
                    self.leave(Link { trace_id, span_id });
                }
                return;
            }
            if self.trace_id.is_64_bit() {
                self.trace_id = trace_id;
            }
            self.random |= other.random;
            // B3's parent proves which is newer: a tracer of the application made a span under ours, and passed on the
            // other headers as it got them.
            if other.parent.is_some() && other.parent == self.span_id {
                self.span_id = span_id;
            }
            let is_elsewhere = span_id.is_some() && span_id != self.span_id;
            self.conflict |= is_elsewhere || disagree(self.sampling, other.sampling);
        }
        self.sampling = completed(self.sampling, other.sampling);
    }

    fn leave(&mut self, link: Link) {
        if !self.others.contains(&Some(link))
            && let Some(free) = self.others.iter_mut().find(|other| other.is_none())
        {
            *free = Some(link);
        }
    }

    fn decide<R: Randomness>(
        &self,
        decide: impl FnOnce(Option<Sampling>, TraceId, &mut R) -> Sampling,
        randomness: &mut R,
    ) -> Result<SpanContext, NoRandomness> {
        let sampling = decide(self.sampling, self.trace_id, randomness);
        // The sampled flag may change only together with the parent id (W3C §3.4, "Mutating the traceparent Field").
        let span_id = match self.span_id {
            Some(span_id) if !disagree(self.sampling, Some(sampling)) => span_id,
            _ => new_span_id(randomness)?,
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
