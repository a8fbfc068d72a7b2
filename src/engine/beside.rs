//! Beside a tracer of the host's: it began its span before the filter, and writes its context when the filter is done.
//! So nothing is generated here; what came in is translated, where the tracer continues it.

use super::{
    Decided, Found, LeftAlone, Links, NoRandomness, Origin, Plan, Randomness, Rejections, Spans,
    check_tracestate, new_span_id, rejections,
};
use crate::{
    policy::{
        sampling::{Allowance, Sampler},
        trust::Action,
    },
    propagation::{
        Format, HeaderWrites, Headers, List, Propagation, RandomFlag, Reads, Reason, TraceHeaders,
        inject, withdraw,
    },
    span::Sides,
    trace::{Sampling, SpanContext, SpanId, TraceId},
};

/// What to do with one request that a tracer has begun to trace.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, on the stack; a box would be an allocation"
)]
pub enum Beside {
    /// It could make nothing of what came in, and stays silent: the request is the filter's.
    Alone,
    /// It continues what came in, and so does every other format: on its trace, under the span that came in. And whether
    /// spans of the filter's own are wanted.
    Continues(Plan, Sampling),
    /// It starts a trace that nobody knows yet. What came in names another, and does not leave; what it decided, if it
    /// decided anything without naming a trace, counts.
    Starts(HeaderWrites, Option<Sampling>),
}

/// Decides on one request. `readers` is what the tracer reads, in its order; where it `denies`, it turns what came in
/// sampled.
pub fn beside<R: Randomness + Allowance>(
    propagation: &Propagation,
    sampler: &Sampler,
    headers: &Headers,
    action: Action,
    readers: &[Format],
    denies: bool,
    randomness: &mut R,
) -> Result<Beside, LeftAlone> {
    let known = TraceHeaders::of(headers);
    match action {
        Action::Ignore => return Err(LeftAlone::Ignored),
        Action::Continue | Action::Strip if known.is_exporters() => {
            return Err(LeftAlone::Exporters);
        }
        // The tracer goes on with what is not trusted, and nobody can keep it from that; no other format joins it.
        Action::Restart | Action::Strip => return Ok(Beside::Starts(withdraw(&known), None)),
        Action::Continue => {}
    }
    let reads = Reads::of(&known);
    let first = readers
        .iter()
        .map(|format| match reads.result(*format) {
            // To a tracer of Envoy's that is as good as nothing.
            Err(Reason::Incomplete) => Ok(None),
            result => result.map(|read| read.and_then(|read| read.ids)),
        })
        .find(|result| *result != Ok(None));
    if let Some(Err(_)) = first {
        return Ok(Beside::Alone);
    }
    let found = Found::among(readers, &reads);
    let Some(continued) = &found.continued else {
        return Ok(Beside::Starts(withdraw(&known), found.sampling));
    };
    let mut decided = Decided::Before;
    // The tracer keeps a decision that came in. Where none did, nobody knows its own before it has written it.
    let decide = |came_in: Option<Sampling>, trace_id: TraceId, allowance: &mut R| {
        came_in.unwrap_or_else(|| {
            let verdict = sampler.decide(trace_id.randomness(), headers, allowance);
            decided = Decided::Here(verdict);
            verdict.is_sampled.into()
        })
    };
    let mut context = continued.decide(decide, randomness)?;
    let wanted = context.sampling;
    if denies {
        context.sampling = Sampling::Deny;
    }
    if propagation.random_flag == RandomFlag::Drop {
        context.random = false;
    }
    let tracestate = check_tracestate(&known, headers, &reads);
    let is_its_own = reads
        .get(Format::TraceContext)
        .and_then(|read| read.ids)
        .is_some_and(|(trace_id, _)| trace_id.is_same_trace(context.trace_id));
    let list = if tracestate.is_ok() && is_its_own {
        List::AsItCame
    } else {
        List::Removed
    };
    let plan = Plan {
        writes: inject(propagation, &known, &reads, &context, list),
        decided,
        context,
        spans: None,
        keeps_tracestate: false,
        origin: Origin::Continued(continued.format),
        conflict: continued.conflict,
        rejections: rejections(&propagation.readers, &reads, tracestate),
    };
    Ok(Beside::Continues(plan, wanted))
}

/// The hop's spans on the context that a tracer left with the request, known when it is over. Where the tracer reports a
/// span of that id, they are under it; where it reports none, they take its place under `came_in`.
pub fn join(
    left: &SpanContext,
    came_in: Option<SpanId>,
    is_reported: bool,
    sides: Sides,
    randomness: &mut impl Randomness,
) -> Result<Plan, NoRandomness> {
    let takes_its_place = !is_reported && came_in != Some(left.span_id);
    let (parent, last) = if takes_its_place {
        (came_in, left.span_id)
    } else {
        (Some(left.span_id), new_span_id(randomness)?)
    };
    let (outer, inner) = match sides {
        Sides::One(_) => (last, None),
        Sides::Both => (new_span_id(randomness)?, Some(last)),
    };
    let sampling = match left.sampling {
        Sampling::Debug => Sampling::Debug,
        Sampling::Accept | Sampling::Deny => Sampling::Accept,
    };
    Ok(Plan {
        context: SpanContext { sampling, ..*left },
        spans: Some(Spans {
            sides,
            parent,
            outer,
            inner,
            links: Links::default(),
        }),
        keeps_tracestate: false,
        decided: Decided::Before,
        origin: Origin::Started,
        writes: HeaderWrites::default(),
        conflict: false,
        rejections: Rejections::default(),
    })
}
