//! Beside a tracer of the host's: it began its span before the filter, and writes its context when the filter is done.
//! So nothing is generated here; what came in is translated, where the tracer continues it.

use super::{
    Decided, Found, LeftAlone, Links, NoRandomness, Origin, Plan, Randomness, Rejections, Spans,
    Tracestate, check, new_span_id, rejections,
};
use crate::{
    policy::{
        sampling::{Allowance, Sampler},
        tracer::Formats,
        trust::Action,
    },
    propagation::{
        Format, HeaderWrites, Headers, List, Propagation, RandomFlag, Reads, Reason, TraceHeaders,
        inject, tracecontext, withdraw,
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
    /// It continues what came in, and so does every other format: on its trace, under the span that came in.
    Continues(Mirrored),
    /// It starts a trace that nobody knows yet, or goes on with one that is not trusted.
    Alters(Handed),
}

/// A request whose context a tracer continues.
#[derive(Debug)]
pub struct Mirrored {
    pub plan: Plan,
    /// Whether spans of the filter's own are wanted.
    pub wanted: Sampling,
    /// Spelled as every tracer reads it.
    pub is_plain: bool,
}

/// A request that is left to a tracer, without any header of a trace.
#[derive(Debug)]
pub struct Handed {
    pub writes: HeaderWrites,
    /// What the tracer makes of it.
    pub origin: Origin,
    /// What came in decided, if it decided anything without naming a trace.
    pub decided: Option<Sampling>,
    /// Nothing that it reads came in.
    pub is_bare: bool,
}

/// Decides on one request beside a tracer that writes `written`; where it `denies`, it turns what came in sampled.
pub fn beside<R: Randomness + Allowance>(
    propagation: &Propagation,
    sampler: &Sampler,
    headers: &Headers,
    action: Action,
    written: Formats,
    denies: bool,
    randomness: &mut R,
) -> Result<Beside, LeftAlone> {
    let known = TraceHeaders::of(headers);
    check(action, &known)?;
    let readers = written.read_by_writer(&propagation.readers);
    let reads = Reads::of(&known);
    let first = readers
        .iter()
        .map(|format| match reads.result(*format) {
            // To a tracer of Envoy's that is as good as nothing.
            Err(Reason::Incomplete) => Ok(None),
            // A later version's, which it does not read.
            Ok(Some(_)) if *format == Format::TraceContext && !has_length(&known) => {
                Err(Reason::Length)
            }
            result => result.map(|read| read.and_then(|read| read.ids)),
        })
        .find(|result| *result != Ok(None));
    if let Some(Err(_)) = first {
        return Ok(Beside::Alone);
    }
    let found = Found::among(&readers, &reads);
    let continued = found.continued.as_ref();
    let Some(continued) = continued.filter(|_| action == Action::Continue) else {
        // The tracer goes on with what is not trusted, and nobody can keep it from that; no other format joins it.
        return Ok(Beside::Alters(Handed {
            writes: withdraw(&known),
            origin: continued.map_or(Origin::Started, |continued| {
                Origin::Continued(continued.format)
            }),
            decided: found.sampling.filter(|_| action == Action::Continue),
            is_bare: !readers.iter().any(|format| known.has(*format)),
        }));
    };
    let tracestate = Tracestate::of(&known, headers, &reads);
    let mut decided = Decided::Before;
    // The tracer keeps a decision that came in. Where none did, nobody knows its own before it has written it.
    let decide = |came_in: Option<Sampling>, trace_id: TraceId, allowance: &mut R| {
        came_in.unwrap_or_else(|| {
            let randomness = tracestate.randomness(trace_id);
            let verdict = sampler.decide(randomness, headers, allowance);
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
    let list = if tracestate.is_of(context.trace_id) {
        List::AsItCame
    } else {
        List::Removed
    };
    let plan = Plan {
        writes: inject(
            propagation,
            &known,
            &reads,
            &context,
            list,
            written.spelling_left_out(continued.format),
        ),
        decided,
        context,
        spans: None,
        keeps_tracestate: false,
        origin: Origin::Continued(continued.format),
        conflict: continued.conflict,
        rejections: rejections(&propagation.readers, &reads, tracestate.check),
    };
    Ok(Beside::Continues(Mirrored {
        is_plain: is_plain(continued.format, &known, &reads),
        plan,
        wanted,
    }))
}

/// Envoy's own read a traceparent of exactly version 00's length, of whatever version.
fn has_length(known: &TraceHeaders<'_>) -> bool {
    known
        .traceparent
        .trimmed()
        .is_some_and(|value| value.len() == tracecontext::LENGTH)
}

/// Whether a header that the filter reads is one that Envoy's own tracers read for certain: of others they make nothing, and
/// stay silent.
fn is_plain(format: Format, known: &TraceHeaders<'_>, reads: &Reads) -> bool {
    match (format, reads.get(format)) {
        (Format::TraceContext, _) => {
            let value = known.traceparent.trimmed();
            value.is_some_and(|value| value.starts_with(b"00-"))
        }
        // A parent in the decision's place, as Brave writes it.
        (Format::B3, Some(read)) => read.sampling.is_some(),
        (Format::B3Multi, Some(read)) => {
            !known.parent_span_id.is_present() || read.parent.is_some()
        }
        _ => false,
    }
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
