//! Jaeger's `uber-trace-id` (jaegertracing.io, "Client Libraries", Propagation Format).

use super::{Read, Reason, TraceHeaders};
use crate::{
    text::split_exactly,
    trace::{Sampling, SpanContext, SpanId, Text, TraceId, lower_hex},
};

const SAMPLED: u128 = 0b01;
const DEBUG: u128 = 0b10;

/// `{32}:{16}:{16}:{2}`, each colon as `%3A`.
const LONGEST: usize = 75;

/// What the header says; `Ok(None)` where it is absent.
pub fn read(headers: &TraceHeaders<'_>) -> Result<Option<Read>, Reason> {
    headers
        .uber_trace_id
        .alone()?
        .map(|value| parse(&unescaped(value)?))
        .transpose()
}

fn parse(value: &[u8]) -> Result<Read, Reason> {
    let [trace_id, span_id, _parent, flags] = split_exactly(value, b':').ok_or(Reason::Syntax)?;
    // Leading zeros may be left out. The parent is deprecated and says nothing.
    let trace_id = lower_hex(trace_id).and_then(TraceId::new);
    let span_id = lower_hex(span_id)
        .and_then(|bits| u64::try_from(bits).ok())
        .and_then(SpanId::new);
    let flags = lower_hex(flags).filter(|flags| *flags <= 0xff);
    let flags = flags.ok_or(Reason::Flags)?;
    let sampling = if flags & SAMPLED == 0 {
        Sampling::Deny
    } else if flags & DEBUG == 0 {
        Sampling::Accept
    } else {
        Sampling::Debug
    };
    Ok(Read::of(
        trace_id.ok_or(Reason::TraceId)?,
        span_id.ok_or(Reason::SpanId)?,
        Some(sampling),
    ))
}

/// Clients that take it for a part of an URL write colons as `%3A`.
fn unescaped(value: &[u8]) -> Result<Vec<u8>, Reason> {
    if value.len() > LONGEST {
        return Err(Reason::Length);
    }
    let mut text = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, tail)) = rest.split_first() {
        let (byte, tail) = match rest {
            [b'%', b'3', b'a' | b'A', tail @ ..] => (b':', tail),
            _ => (*byte, tail),
        };
        text.push(byte);
        rest = tail;
    }
    Ok(text)
}

/// `{trace id}:{span id}:0:{flags}`.
pub fn value(context: &SpanContext) -> Text {
    let flags: &[u8] = match context.sampling {
        Sampling::Deny => b":0:0",
        Sampling::Accept => b":0:1",
        Sampling::Debug => b":0:3",
    };
    Text::new()
        .push(context.trace_id.b3_text().as_bytes())
        .push(b":")
        .push_hex(context.span_id.bits().into(), 16)
        .push(flags)
}
