//! AWS X-Ray's `x-amzn-trace-id` (AWS X-Ray Developer Guide, "Tracing header").

use super::{Read, Reason, TraceHeaders, carrier::trim_ows};
use crate::trace::{Sampling, SpanContext, SpanId, Text, TraceId, lower_hex};

/// Load balancers and Lambda add fields of their own; more than this is none of theirs.
const LONGEST: usize = 512;

/// What the header says; `Ok(None)` where it is absent.
pub fn read(headers: &TraceHeaders<'_>) -> Result<Option<Read>, Reason> {
    headers.x_amzn_trace_id.alone()?.map(parse).transpose()
}

fn parse(value: &[u8]) -> Result<Read, Reason> {
    if value.len() > LONGEST {
        return Err(Reason::Length);
    }
    let (mut root, mut parent, mut sampled) = (None, None, None);
    for field in value.split(|byte| *byte == b';').map(trim_ows) {
        let mut parts = field.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next());
        let place = match name {
            b"Root" => &mut root,
            b"Parent" => &mut parent,
            b"Sampled" => &mut sampled,
            // `Self`, `Lineage`, and whatever a load balancer was told to add.
            _ => continue,
        };
        if place.replace(value.ok_or(Reason::Syntax)?).is_some() {
            return Err(Reason::Repeated);
        }
    }
    let sampling = match sampled {
        None | Some(b"?" | b"") => None,
        Some(b"1") => Some(Sampling::Accept),
        Some(b"0") => Some(Sampling::Deny),
        Some(_) => return Err(Reason::Sampled),
    };
    let trace_id = parse_root(root.ok_or(Reason::Incomplete)?).ok_or(Reason::TraceId)?;
    match parent {
        // As a load balancer writes it that begins a trace.
        None => Ok(Read::of_trace(trace_id, sampling)),
        Some(digits) => {
            let span_id = SpanId::from_16_digits(digits).ok_or(Reason::SpanId)?;
            Ok(Read::of(trace_id, span_id, sampling))
        }
    }
}

/// `1-{8}-{24}`.
fn parse_root(root: &[u8]) -> Option<TraceId> {
    let (time, rest) = root.strip_prefix(b"1-")?.split_at_checked(8)?;
    let unique = rest
        .strip_prefix(b"-")
        .filter(|digits| digits.len() == 24)?;
    TraceId::new(lower_hex(time)? << 96 | lower_hex(unique)?)
}

/// `Root=1-{8}-{24};Parent={16};Sampled={1}`.
pub fn value(context: &SpanContext) -> Text {
    let sampled: &[u8] = if context.sampling.is_sampled() {
        b";Sampled=1"
    } else {
        b";Sampled=0"
    };
    Text::new()
        .push(b"Root=1-")
        .push_hex(context.trace_id.bits() >> 96, 8)
        .push(b"-")
        .push_hex(context.trace_id.bits(), 24)
        .push(b";Parent=")
        .push_hex(context.span_id.bits().into(), 16)
        .push(sampled)
}
