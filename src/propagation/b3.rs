//! B3, in one header and in several (openzipkin/b3-propagation).

use super::{Read, Reason, TraceHeaders};
use crate::trace::{Sampling, SpanContext, SpanId, Text, TraceId};

/// `{32}-{16}-{1}-{16}`.
const LONGEST_SINGLE: usize = 68;

/// What the single header says; `Ok(None)` where it is absent.
pub fn read_single(headers: &TraceHeaders<'_>) -> Result<Option<Read>, Reason> {
    headers.b3.trimmed().map(parse_single).transpose()
}

fn parse_single(value: &[u8]) -> Result<Read, Reason> {
    if value.len() > LONGEST_SINGLE {
        return Err(Reason::Length);
    }
    let mut fields = value.split(|byte| *byte == b'-');
    let first = fields.next().unwrap_or_default();
    let Some(span_id) = fields.next() else {
        // A sampling state may travel alone (B3 "Single Header").
        return state(first)
            .map(Read::of_sampling)
            .ok_or(if first.len() == 1 {
                Reason::Sampled
            } else {
                Reason::Syntax
            });
    };
    let trace_id = TraceId::from_16_or_32_digits(first).ok_or(Reason::TraceId)?;
    let span_id = SpanId::from_16_digits(span_id).ok_or(Reason::SpanId)?;
    let (sampling, parent) = match (fields.next(), fields.next(), fields.next()) {
        (None, ..) => (None, None),
        // Defer with a parent: Brave writes it, so the fourth place moves up.
        (Some(parent), None, _) if parent.len() == 16 => (None, parse_parent(parent)?),
        (Some(sampling), None, _) => (Some(state(sampling).ok_or(Reason::Sampled)?), None),
        (Some(sampling), Some(parent), None) => (
            Some(state(sampling).ok_or(Reason::Sampled)?),
            parse_parent(parent)?,
        ),
        (Some(_), Some(_), Some(_)) => return Err(Reason::Syntax),
    };
    Ok(Read {
        parent,
        ..Read::of(trace_id, span_id, sampling)
    })
}

const fn state(field: &[u8]) -> Option<Sampling> {
    match field {
        b"0" => Some(Sampling::Deny),
        b"1" => Some(Sampling::Accept),
        b"d" => Some(Sampling::Debug),
        _ => None,
    }
}

/// All zero means none.
fn parse_parent(digits: &[u8]) -> Result<Option<SpanId>, Reason> {
    match SpanId::from_16_digits(digits) {
        None if digits != [b'0'; 16] => Err(Reason::ParentSpanId),
        parent => Ok(parent),
    }
}

/// What the several headers say; `Ok(None)` where they say nothing.
pub fn read_multi(headers: &TraceHeaders<'_>) -> Result<Option<Read>, Reason> {
    let sampling = multi_sampling(headers)?;
    let (trace_id, span_id) = match (headers.trace_id.trimmed(), headers.span_id.trimmed()) {
        (Some(trace_id), Some(span_id)) => (trace_id, span_id),
        (None, None) => return Ok(sampling.map(Read::of_sampling)),
        _ => return Err(Reason::Incomplete),
    };
    let trace_id = TraceId::from_16_or_32_digits(trace_id).ok_or(Reason::TraceId)?;
    let span_id = SpanId::from_16_digits(span_id).ok_or(Reason::SpanId)?;
    // A parent that cannot be read is dropped alone: the ids that matter are good, and applications that copy
    // headers blindly send it empty (istio#11696).
    let parent = headers
        .parent_span_id
        .trimmed()
        .and_then(SpanId::from_16_digits);
    Ok(Some(Read {
        parent,
        ..Read::of(trace_id, span_id, sampling)
    }))
}

fn multi_sampling(headers: &TraceHeaders<'_>) -> Result<Option<Sampling>, Reason> {
    // "Debug implies an accept decision" (B3 "Debug Flag"); any other value of the flags says nothing.
    if headers.flags.trimmed() == Some(b"1") {
        return Ok(Some(Sampling::Debug));
    }
    match headers.sampled.trimmed() {
        None => Ok(None),
        Some(b"1") => Ok(Some(Sampling::Accept)),
        Some(b"0") => Ok(Some(Sampling::Deny)),
        // Older tracers wrote words (B3 "Sampling State", note).
        Some(word) if word.eq_ignore_ascii_case(b"true") => Ok(Some(Sampling::Accept)),
        Some(word) if word.eq_ignore_ascii_case(b"false") => Ok(Some(Sampling::Deny)),
        // Never read as deny: a typing error would silence a trace.
        Some(_) => Err(Reason::Sampled),
    }
}

/// `{trace id}-{span id}-{state}`, and the parent where one is known.
pub fn single(context: &SpanContext, parent: Option<SpanId>) -> Text {
    let state: &[u8] = match context.sampling {
        Sampling::Deny => b"-0",
        Sampling::Accept => b"-1",
        Sampling::Debug => b"-d",
    };
    let text = Text::new()
        .push(context.trace_id.b3_text().as_bytes())
        .push(b"-")
        .push_hex(context.span_id.bits().into(), 16)
        .push(state);
    match parent {
        Some(parent) => text.push(b"-").push_hex(parent.bits().into(), 16),
        None => text,
    }
}
