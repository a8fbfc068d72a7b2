//! Beside a tracer of the host's: it began its span before the filter, and writes its context when the filter is done.
//! So nothing is generated here; what came in is translated, where the tracer continues it.

use super::{
    Decided, Found, LeftAlone, Links, NoRandomness, Origin, Plan, Randomness, Rejections, Spans,
    Tracestate, check, new_span_id, rejections,
    tracer::{self, Understood},
};
use crate::{
    policy::{
        tracer::{Decides, Formats},
        trust::Action,
    },
    propagation::{
        HeaderWrites, Headers, List, Propagation, RandomFlag, Reads, TraceHeaders, inject, withdraw,
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
    /// Whether spans of the filter's own are wanted, as far as what came in says.
    pub wanted: Option<Sampling>,
    /// The decision that the tracer reads.
    pub read: Option<bool>,
    /// Spelled as every tracer reads it.
    pub is_plain: bool,
}

/// A request that is left to a tracer, without any header of a trace.
#[derive(Debug)]
pub struct Handed {
    pub writes: HeaderWrites,
    /// What the tracer makes of it.
    pub origin: Origin,
    /// The caller's span, and its trace, where it may be known.
    pub caller: Option<(TraceId, SpanId)>,
    /// The decision that the tracer reads with it.
    pub read: Option<bool>,
    /// What came in decided.
    pub decided: Option<Sampling>,
    /// Nothing that it reads came in.
    pub is_bare: bool,
    /// What came in is spelled as every tracer reads it.
    pub is_plain: bool,
}

/// Decides on one request beside a tracer that writes `written`, and decides like that.
pub fn beside(
    propagation: &Propagation,
    headers: &Headers,
    action: Action,
    written: Formats,
    decides: Decides,
) -> Result<Beside, LeftAlone> {
    let known = TraceHeaders::of(headers);
    check(action, &known)?;
    let reads = Reads::of(&known);
    let readers = tracer::readers(written, &propagation.readers, &known, &reads);
    let found = Found::among(&readers, &reads);
    let hand_over = |origin, caller: Option<(TraceId, SpanId)>, read, decided| {
        Ok(Beside::Alters(Handed {
            writes: withdraw(&known),
            origin,
            caller,
            read,
            decided,
            is_bare: !readers.iter().any(|format| known.has(*format)),
            is_plain: caller.is_some()
                && found.named().is_some_and(|(continued, _)| {
                    tracer::is_plain(continued.format, &known, &reads)
                }),
        }))
    };
    match tracer::first(written, &readers, &known, &reads) {
        None | Some((_, Understood::Alike)) => {}
        Some((_, Understood::No)) => return Ok(Beside::Alone),
        // What it makes of it, nobody else reads.
        Some((format, Understood::Otherwise)) => {
            return hand_over(Origin::Continued(format), None, None, None);
        }
    }
    let (continued, span_id) = match found.named() {
        Some(named) if action == Action::Continue => named,
        // It goes on here, and no other format leaves; that the tracer's does, nobody can keep it from.
        Some((continued, span_id)) if action == Action::Strip => {
            let (origin, caller) = (
                Origin::Continued(continued.format),
                (continued.trace_id, span_id),
            );
            let decision =
                tracer::decision(written, decides, continued.format, headers, &known, &reads);
            return hand_over(origin, Some(caller), decision.came_in, continued.sampling);
        }
        // The same with what is not trusted.
        Some((continued, _)) => {
            return hand_over(Origin::Continued(continued.format), None, None, None);
        }
        None => {
            let decided = found.sampling.filter(|_| action.trusts());
            return hand_over(Origin::Started, None, None, decided);
        }
    };
    let origin = Origin::Continued(continued.format);
    let format = continued.format;
    let decision = tracer::decision(written, decides, format, headers, &known, &reads);
    let Some(is_sampled) = decision.is_sampled else {
        let caller = (continued.trace_id, span_id);
        return hand_over(origin, Some(caller), decision.came_in, continued.sampling);
    };
    let context = SpanContext {
        trace_id: continued.trace_id,
        span_id,
        sampling: match continued.sampling {
            Some(Sampling::Debug) if is_sampled => Sampling::Debug,
            _ => is_sampled.into(),
        },
        random: continued.random && propagation.random_flag != RandomFlag::Drop,
    };
    let tracestate = Tracestate::of(&known, headers, &reads);
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
        caller: Some(span_id),
        decided: Decided::Before,
        context,
        spans: None,
        tracestate: List::Removed,
        origin,
        conflict: continued.conflict,
        rejections: rejections(&propagation.readers, &reads, tracestate.check),
    };
    Ok(Beside::Continues(Mirrored {
        is_plain: tracer::is_plain(continued.format, &known, &reads),
        plan,
        wanted: continued.sampling,
        read: decision.came_in,
    }))
}

fn is_list_of(headers: &Headers, trace_id: TraceId) -> bool {
    let known = TraceHeaders::of(headers);
    Tracestate::of(&known, headers, &Reads::of(&known)).is_of(trace_id)
}

/// The hop's spans on the context that a tracer left with the request, known when it is over. Where the tracer reports a
/// span of that id, they are under it; where it reports none, they take its place under `came_in`. A list of the request's
/// goes with them where its sender is `trusted`.
pub fn join(
    left: &SpanContext,
    came_in: Option<SpanId>,
    is_reported: bool,
    sides: Sides,
    trusted: Option<&Headers>,
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
        tracestate: match trusted {
            Some(headers) if is_list_of(headers, left.trace_id) => List::AsItCame,
            _ => List::Removed,
        },
        decided: Decided::Before,
        origin: Origin::Started,
        caller: came_in,
        writes: HeaderWrites::default(),
        conflict: false,
        rejections: Rejections::default(),
    })
}
