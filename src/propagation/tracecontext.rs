//! W3C Trace Context Level 2: `traceparent` and `tracestate`.

use super::{Read, Reason, TraceHeaders, carrier::trim_ows};
use crate::{
    text::split_exactly,
    trace::{Sampling, SpanContext, SpanId, Text, TraceId, lower_hex},
};

const SAMPLED: u128 = 0b01;
const RANDOM: u128 = 0b10;

/// Length of a version 00 traceparent, and the least of a later one (§3.2.2, §3.2.4).
pub const LENGTH: usize = 55;

/// §3.3.1.1: at most 32 list members.
pub const MAX_MEMBERS: usize = 32;
/// §3.3.1.3.1 and §3.3.1.3.2: at most 256 characters each.
const MAX_KEY: usize = 256;
pub const MAX_VALUE: usize = 256;

/// The context in `traceparent`; `Ok(None)` where the header is absent.
pub fn read(headers: &TraceHeaders<'_>) -> Result<Option<Read>, Reason> {
    let Some(value) = headers.traceparent.trimmed() else {
        return Ok(None);
    };
    if headers.traceparent.count > 1 {
        return Err(Reason::Repeated);
    }
    parse(value).map(Some)
}

fn parse(value: &[u8]) -> Result<Read, Reason> {
    let (fixed, rest) = value.split_at_checked(LENGTH).ok_or(Reason::Length)?;
    let [version, trace_id, span_id, flags] = split_exactly(fixed, b'-').ok_or(Reason::Syntax)?;
    let version = two_digits(version).ok_or(Reason::Version)?;
    match (version, rest) {
        (0xff, _) => return Err(Reason::Version),
        (_, []) => {}
        (0, _) => return Err(Reason::Length),
        (_, [b'-', ..]) => {}
        _ => return Err(Reason::Syntax),
    }
    let trace_id = TraceId::from_32_digits(trace_id).ok_or(Reason::TraceId)?;
    let span_id = SpanId::from_16_digits(span_id).ok_or(Reason::SpanId)?;
    let flags = two_digits(flags).ok_or(Reason::Flags)?;
    Ok(Read {
        random: flags & RANDOM != 0,
        ..Read::of(
            trace_id,
            span_id,
            Some(Sampling::from(flags & SAMPLED != 0)),
        )
    })
}

fn two_digits(digits: &[u8]) -> Option<u128> {
    (digits.len() == 2).then(|| lower_hex(digits)).flatten()
}

/// `00-{trace id}-{span id}-{flags}`. Debug leaves as sampled: W3C has no word for it.
pub fn traceparent(context: &SpanContext) -> Text {
    let sampled = if context.sampling.is_sampled() {
        SAMPLED
    } else {
        0
    };
    let random = if context.random { RANDOM } else { 0 };
    Text::new()
        .push(b"00-")
        .push_hex(context.trace_id.bits(), 32)
        .push(b"-")
        .push_hex(context.span_id.bits().into(), 16)
        .push(b"-")
        .push_hex(sampled | random, 2)
}

/// Checks a tracestate that may be spread over several fields (§3.3.1.1). A list is good or bad as a whole.
pub fn check_tracestate<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<(), Reason> {
    let members = fields
        .flat_map(|field| field.split(|byte| *byte == b','))
        .map(trim_ows)
        .filter(|member| !member.is_empty());
    let mut count = 0_usize;
    for member in members {
        count = count.saturating_add(1);
        if count > MAX_MEMBERS {
            return Err(Reason::TracestateMembers);
        }
        check_member(member)?;
    }
    Ok(())
}

fn check_member(member: &[u8]) -> Result<(), Reason> {
    let equals = member
        .iter()
        .position(|byte| *byte == b'=')
        .ok_or(Reason::TracestateKey)?;
    let (key, value) = member
        .split_at_checked(equals)
        .and_then(|(key, rest)| Some((key, rest.split_first()?.1)))
        .ok_or(Reason::TracestateKey)?;
    let (first, others) = key.split_first().ok_or(Reason::TracestateKey)?;
    let key_is_good = key.len() <= MAX_KEY
        && (first.is_ascii_lowercase() || first.is_ascii_digit())
        && others.iter().all(
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'),
        );
    if !key_is_good {
        return Err(Reason::TracestateKey);
    }
    let value_is_good = !value.is_empty()
        && value.len() <= MAX_VALUE
        && value
            .iter()
            .all(|byte| matches!(byte, 0x20..=0x7e) && *byte != b'=');
    if !value_is_good {
        return Err(Reason::TracestateValue);
    }
    Ok(())
}
