//! Google Cloud's `x-cloud-trace-context` (Cloud Trace, "Trace context"), and `grpc-trace-bin`, OpenCensus's binary form
//! (census-instrumentation/opencensus-specs, encodings/BinaryEncoding.md).

use super::{Read, Reason, TraceHeaders};
use crate::{
    base64,
    trace::{Sampling, SpanContext, SpanId, Text, TraceId, decimal},
};

/// `{32}/{20};o=1`, with room for options of other times.
const LONGEST: usize = 64;
/// Version and three fields, each behind its number.
const BINARY: usize = 29;

/// What the header says; `Ok(None)` where it is absent.
pub fn read(headers: &TraceHeaders<'_>) -> Result<Option<Read>, Reason> {
    headers
        .x_cloud_trace_context
        .alone()?
        .map(parse)
        .transpose()
}

fn parse(value: &[u8]) -> Result<Read, Reason> {
    if value.len() > LONGEST {
        return Err(Reason::Length);
    }
    let mut parts = value.splitn(2, |byte| *byte == b';');
    let ids = parts.next().unwrap_or_default();
    let sampling = match parts.next() {
        None => None,
        Some(b"o=1") => Some(Sampling::Accept),
        Some(b"o=0") => Some(Sampling::Deny),
        Some(_) => return Err(Reason::Sampled),
    };
    let mut ids = ids.splitn(2, |byte| *byte == b'/');
    let trace_id = TraceId::from_32_digits(ids.next().unwrap_or_default());
    let trace_id = trace_id.ok_or(Reason::TraceId)?;
    match ids.next() {
        // No span, or the one that does not exist: the trace begins here.
        None | Some(b"0") => Ok(Read::of_trace(trace_id, sampling)),
        Some(digits) => {
            let span_id = decimal(digits).and_then(SpanId::new);
            Ok(Read::of(trace_id, span_id.ok_or(Reason::SpanId)?, sampling))
        }
    }
}

/// `{trace id}/{span id in decimal};o={1}`.
pub fn value(context: &SpanContext) -> Text {
    let option: &[u8] = if context.sampling.is_sampled() {
        b";o=1"
    } else {
        b";o=0"
    };
    Text::new()
        .push(context.trace_id.text().as_bytes())
        .push(b"/")
        .push_decimal(context.span_id.bits())
        .push(option)
}

/// What the binary header says; `Ok(None)` where it is absent.
pub fn read_binary(headers: &TraceHeaders<'_>) -> Result<Option<Read>, Reason> {
    headers
        .grpc_trace_bin
        .alone()?
        .map(parse_binary)
        .transpose()
}

fn parse_binary(value: &[u8]) -> Result<Read, Reason> {
    if value.len() > LONGEST {
        return Err(Reason::Length);
    }
    let bytes = base64::decode(value).ok_or(Reason::Syntax)?;
    let bytes: [u8; BINARY] = bytes.try_into().map_err(|_| Reason::Length)?;
    let (version, rest) = bytes.split_first().ok_or(Reason::Length)?;
    if *version != 0 {
        return Err(Reason::Version);
    }
    let (trace_id, rest) = field::<16>(0, rest)?;
    let (span_id, rest) = field::<8>(1, rest)?;
    let ([options], _) = field::<1>(2, rest)?;
    let trace_id = TraceId::new(u128::from_be_bytes(trace_id)).ok_or(Reason::TraceId)?;
    let span_id = SpanId::new(u64::from_be_bytes(span_id)).ok_or(Reason::SpanId)?;
    let sampled = Sampling::from(options & 1 == 1);
    Ok(Read::of(trace_id, span_id, Some(sampled)))
}

fn field<const N: usize>(number: u8, bytes: &[u8]) -> Result<([u8; N], &[u8]), Reason> {
    let (first, rest) = bytes.split_first().ok_or(Reason::Syntax)?;
    let (value, rest) = rest.split_first_chunk().ok_or(Reason::Syntax)?;
    (*first == number)
        .then_some((*value, rest))
        .ok_or(Reason::Syntax)
}

/// The binary form, as gRPC spells bytes in a header.
pub fn binary(context: &SpanContext) -> Text {
    let mut bytes = [0_u8; BINARY];
    let parts = [
        &[0_u8, 0] as &[u8],
        &context.trace_id.bits().to_be_bytes(),
        &[1],
        &context.span_id.bits().to_be_bytes(),
        &[2, context.sampling.is_sampled().into()],
    ];
    let written = parts.into_iter().flatten();
    for (place, byte) in bytes.iter_mut().zip(written) {
        *place = *byte;
    }
    Text::new().push(&base64::encode(&bytes))
}
