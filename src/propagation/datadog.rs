//! Datadog's headers (docs.datadoghq.com, "Trace Context Propagation"; 128-bit ids as its tracers carry them, the high half
//! as `_dd.p.tid` among the tags).

use super::{Read, Reason, TraceHeaders, carrier::trim_ows};
use crate::trace::{Sampling, SpanContext, SpanId, Text, TraceId, decimal, lower_hex};

/// What Datadog's tracers take of the tags.
const LONGEST_TAGS: usize = 512;
const HIGH_HALF: &[u8] = b"_dd.p.tid";

/// What the headers say; `Ok(None)` where they say nothing.
pub fn read(headers: &TraceHeaders<'_>) -> Result<Option<Read>, Reason> {
    let sampling = sampling(headers)?;
    let trace_id = headers.datadog_trace_id.alone()?;
    let span_id = headers.datadog_parent_id.alone()?;
    let (trace_id, span_id) = match (trace_id, span_id) {
        (Some(trace_id), Some(span_id)) => (trace_id, span_id),
        (None, None) => return Ok(sampling.map(Read::of_sampling)),
        _ => return Err(Reason::Incomplete),
    };
    let low = decimal(trace_id).filter(|low| *low != 0);
    let low = u128::from(low.ok_or(Reason::TraceId)?);
    // A high half that cannot be read leaves the low one, as in Datadog's tracers.
    let high = tags(headers).find_map(high_half).unwrap_or(0);
    let trace_id = TraceId::new(high << 64 | low).ok_or(Reason::TraceId)?;
    let span_id = decimal(span_id).ok_or(Reason::SpanId)?;
    Ok(Some(match SpanId::new(span_id) {
        Some(span_id) => Read::of(trace_id, span_id, sampling),
        // Datadog's synthetic tests have the trace's first span made by whom they ask (docs.datadoghq.com/synthetics/apm).
        None => Read::of_trace(trace_id, sampling),
    }))
}

fn sampling(headers: &TraceHeaders<'_>) -> Result<Option<Sampling>, Reason> {
    match headers.datadog_sampling_priority.alone()? {
        None => Ok(None),
        // -1: a user's no; 0: the sampler's; 1: the sampler's yes; 2: a user's.
        Some(b"1" | b"2") => Ok(Some(Sampling::Accept)),
        Some(b"0" | b"-1") => Ok(Some(Sampling::Deny)),
        Some(_) => Err(Reason::Sampled),
    }
}

/// The tags that came in, each `name=value`.
fn tags<'a>(headers: &TraceHeaders<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let field = headers.datadog_tags;
    let value = field.trimmed().filter(|_| field.count == 1);
    let value = value.filter(|value| value.len() <= LONGEST_TAGS);
    let members = value.unwrap_or_default().split(|byte| *byte == b',');
    members.map(trim_ows).filter(|member| !member.is_empty())
}

fn high_half(member: &[u8]) -> Option<u128> {
    let digits = value_of(member, HIGH_HALF)?;
    (digits.len() == 16).then(|| lower_hex(digits)).flatten()
}

fn value_of<'a>(member: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    member.strip_prefix(name)?.strip_prefix(b"=")
}

/// The low half of the trace id in decimal; `None` where it is zero, which Datadog has no word for.
pub fn trace_id(context: &SpanContext) -> Option<Text> {
    let low = u64::try_from(context.trace_id.bits() & u128::from(u64::MAX)).ok()?;
    (low != 0).then(|| Text::new().push_decimal(low))
}

/// Whether the tags that came in may stay beside `context`: they have its high half, once.
pub fn tags_say(headers: &TraceHeaders<'_>, context: &SpanContext) -> bool {
    let high = context.trace_id.bits() >> 64;
    let mut halves = tags(headers).filter(|member| value_of(member, HIGH_HALF).is_some());
    let says = match halves.next() {
        None => high == 0,
        Some(member) => high_half(member) == Some(high) && high != 0,
    };
    let field = headers.datadog_tags;
    let is_read = field
        .trimmed()
        .is_some_and(|value| field.count == 1 && !value.is_empty() && value.len() <= LONGEST_TAGS);
    says && is_read && halves.next().is_none()
}

/// The tags with which `context` leaves: its high half first, then the others that came in if they are of its trace, as far as they fit. Empty where
/// there are none.
pub fn tags_of(headers: &TraceHeaders<'_>, context: &SpanContext, is_on_trace: bool) -> Vec<u8> {
    let mut list = Vec::new();
    let mut add = |member: &[u8]| {
        let comma: &[u8] = if list.is_empty() { b"" } else { b"," };
        let added = comma.len().saturating_add(member.len());
        // A list that is longer the next tracer would not read, and the high half with it.
        if list.len().saturating_add(added) <= LONGEST_TAGS {
            list.extend_from_slice(comma);
            list.extend_from_slice(member);
        }
    };
    let high = context.trace_id.bits() >> 64;
    if high != 0 {
        let member = Text::new().push(HIGH_HALF).push(b"=").push_hex(high, 16);
        add(member.as_bytes());
    }
    let others = tags(headers).filter(|member| value_of(member, HIGH_HALF).is_none());
    others.filter(|_| is_on_trace).for_each(add);
    list
}
