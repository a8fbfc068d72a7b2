//! How Envoy's own tracers read what came in, where that is not what the specifications say.
//!
//! Envoy, source/extensions/tracers: `opentelemetry/span_context_extractor.cc`, `zipkin/span_context_extractor.cc`; how it decides
//! is in source/common/http/conn_manager_utility.cc (`mutateTracingRequestHeader`). tests/e2e/tracers asks every line.

use crate::{
    policy::tracer::{Decides, Formats, may_be_in_number},
    propagation::{Field, Format, Headers, Reads, Reason, TraceHeaders, tracecontext},
    trace::Sampling,
};

/// What a tracer makes of a header, compared with what the filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Understood {
    Alike,
    /// It may read what the filter rejects.
    Otherwise,
    /// Nothing, for certain: then it stays silent.
    No,
}

/// What a tracer that writes `written` reads, in its order.
pub fn readers(
    written: Formats,
    otherwise: &[Format],
    known: &TraceHeaders<'_>,
    reads: &Reads,
) -> Vec<Format> {
    let mut readers = written.read_by_writer(otherwise);
    let has_ids = reads.get(Format::B3).is_some_and(|read| read.ids.is_some());
    // The single header hides all that it does not say.
    if written.has_b3() && known.b3.is_present() && !has_ids {
        readers.truncate(1);
    }
    readers
}

/// The first format that is there with more than a decision.
pub fn first(
    written: Formats,
    readers: &[Format],
    known: &TraceHeaders<'_>,
    reads: &Reads,
) -> Option<(Format, Understood)> {
    let mut of_those_there = readers.iter().filter_map(|format| {
        let understood = match reads.result(*format) {
            // As good as nothing: of the several headers they ask for both ids, whatever the others say.
            Err(Reason::Incomplete) | Ok(None) => return None,
            _ if *format == Format::B3Multi && !has_ids(known) => return None,
            Ok(Some(read)) if read.ids.is_none() => return None,
            // Of one that was never seen to write, nobody knows what it reads.
            _ if !written.is_empty() && is_lost_on(*format, known) => Understood::No,
            Ok(Some(_)) => Understood::Alike,
            Err(_) => Understood::Otherwise,
        };
        Some((*format, understood))
    });
    of_those_there.next()
}

fn has_ids(known: &TraceHeaders<'_>) -> bool {
    known.trace_id.is_present() && known.span_id.is_present()
}

/// Whether a tracer surely cannot read the first value. Of formats that nobody has looked into that is never certain.
fn is_lost_on(format: Format, known: &TraceHeaders<'_>) -> bool {
    match format {
        Format::TraceContext => !known.traceparent.first.is_some_and(is_traceparent),
        Format::B3 => known.b3.first.is_some_and(|value| match value.len() {
            1 => !matches!(value, b"0" | b"1" | b"d"),
            // Ids of either length, alone, with a decision, and with a parent too; never a parent in its place.
            33 | 35 | 49 | 51 | 52 | 68 => !value
                .iter()
                .all(|byte| *byte == b'-' || may_be_in_number(byte)),
            _ => true,
        }),
        Format::B3Multi => {
            let is_number = |id: &[u8]| id.iter().all(may_be_in_number);
            let is_id = |id: Field<'_>| id.first.is_some_and(|id| !id.is_empty() && is_number(id));
            let parent = known.parent_span_id.first.unwrap_or_default();
            !(is_id(known.trace_id) && is_id(known.span_id) && is_number(parent))
        }
        _ => false,
    }
}

/// Of exactly version 00's length, of whatever version, with digits of either case; no id of zeros.
fn is_traceparent(value: &[u8]) -> bool {
    let is_id = |digits: &[u8]| digits.iter().any(|digit| *digit != b'0');
    let mut fields = value.split(|byte| *byte == b'-');
    let lengths = [2, 32, 16, 2].map(|length| {
        fields
            .next()
            .filter(|field| field.len() == length && field.iter().all(u8::is_ascii_hexdigit))
    });
    value.len() == tracecontext::LENGTH
        && matches!(lengths, [Some(_), Some(trace), Some(span), Some(_)] if is_id(trace) && is_id(span))
}

/// What a tracer makes of a trace that it continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What it reads.
    pub came_in: Option<bool>,
    /// Whether it samples it; `None` where nobody can tell.
    pub is_sampled: Option<bool>,
}

/// How a tracer that writes `written` decides on what it continues.
pub fn decision(
    written: Formats,
    decides: Decides,
    continued: Format,
    headers: &Headers,
    known: &TraceHeaders<'_>,
    reads: &Reads,
) -> Decision {
    let w3c = || {
        reads
            .get(Format::TraceContext)
            .and_then(|read| read.sampling)
            .map(Sampling::is_sampled)
    };
    let came_in = match continued {
        Format::B3 | Format::B3Multi => match (known.b3.first, known.sampled.first) {
            (Some(single), _) => of_single(single),
            (None, Some(sampled)) => Some(matches!(sampled, b"1" | b"true")),
            // It looks there instead.
            (None, None) if written.contains(Format::TraceContext) => w3c(),
            (None, None) => None,
        },
        // Either of the two yeses is enough for it.
        Format::TraceContext if written.has_b3() && known.b3.first.is_none() => {
            let by_b3 = matches!(known.sampled.first, Some(b"1" | b"true"));
            w3c().map(|sampled| sampled || by_b3)
        }
        _ => reads
            .get(continued)
            .and_then(|read| read.sampling)
            .map(Sampling::is_sampled),
    };
    let is_sampled = match (came_in, decides.turns) {
        (Some(true), Some(true)) if written.may_turn() => decides.envoys(headers),
        // Where Envoy decides alike there is nothing to turn.
        (Some(true), None) if written.may_turn() => {
            decides.envoys(headers).filter(|is_traced| *is_traced)
        }
        // Nobody knows whether it reads what is there.
        (None, _) if is_lost(known, reads) => None,
        (None, _) => decides.envoys(headers),
        (came_in, _) => came_in,
    };
    Decision {
        came_in,
        is_sampled,
    }
}

/// Whether there is a `traceparent` that the filter rejects.
fn is_lost(known: &TraceHeaders<'_>, reads: &Reads) -> bool {
    known.traceparent.is_present() && reads.get(Format::TraceContext).is_none()
}

/// Looked for by the length alone.
fn of_single(value: &[u8]) -> Option<bool> {
    let place = match value.len() {
        1 => 0,
        35 | 52 => 34,
        51 | 68 => 50,
        _ => return None,
    };
    value.get(place).map(|state| matches!(state, b'1' | b'd'))
}

/// Whether what the filter reads is spelled as every tracer reads it.
pub fn is_plain(format: Format, known: &TraceHeaders<'_>, reads: &Reads) -> bool {
    let are_bare = |fields: &[Field<'_>]| fields.iter().all(|field| field.first == field.trimmed());
    match (format, reads.get(format)) {
        (Format::TraceContext, _) => {
            let value = known.traceparent.first;
            value.is_some_and(|value| value.starts_with(b"00-")) && are_bare(&[known.traceparent])
        }
        // A parent in the decision's place, as Brave writes it.
        (Format::B3, Some(read)) => read.sampling.is_some() && are_bare(&[known.b3]),
        (Format::B3Multi, Some(read)) => {
            (!known.parent_span_id.is_present() || read.parent.is_some())
                && are_bare(&[known.trace_id, known.span_id, known.parent_span_id])
        }
        _ => false,
    }
}
