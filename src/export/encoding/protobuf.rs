//! OTLP in binary protobuf (opentelemetry-proto, trace/v1/trace.proto, common/v1/common.proto). Numbers are the fields'
//! numbers there.

use super::SCOPE;
use crate::span::{End, Kind, Link, Start};

/// Wire types (protobuf, "Encoding").
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

/// `Span.attributes`.
pub const SPAN_ATTRIBUTES: u8 = 9;
/// `Resource.attributes`.
const RESOURCE_ATTRIBUTES: u8 = 1;

pub fn begin(out: &mut Vec<u8>, start: &Start<'_>) {
    bytes(out, 1, &start.trace_id.bits().to_be_bytes());
    bytes(out, 2, &start.span_id.bits().to_be_bytes());
    if !start.trace_state.is_empty() {
        bytes(out, 3, start.trace_state.as_bytes());
    }
    if let Some(parent) = start.parent {
        bytes(out, 4, &parent.span_id.bits().to_be_bytes());
    }
    bytes(out, 5, start.name.as_bytes());
    key(out, 6, VARINT);
    out.push(kind(start.kind));
    fixed64(out, 7, start.at);
    key_long(out, 16, FIXED32);
    out.extend_from_slice(&flags(start).to_le_bytes());
    for link in start.links {
        bytes(out, 13, &encoded_link(link));
    }
}

pub fn end(out: &mut Vec<u8>, end: &End<'_>) {
    if end.error.is_some() && end.legacy {
        text(out, SPAN_ATTRIBUTES, "error", "true");
    }
    fixed64(out, 8, end.at);
    if end.error.is_some() {
        // Status.code = STATUS_CODE_ERROR. No message: `error.type` says it.
        bytes(out, 15, &[3 << 3, 2]);
    }
}

pub fn text(out: &mut Vec<u8>, field: u8, name: &str, value: &str) {
    let any = length_delimited(value.len());
    attribute(out, field, name, any);
    bytes(out, 1, value.as_bytes());
}

pub fn int(out: &mut Vec<u8>, name: &str, value: i64) {
    // A varint of the two's complement: negative numbers take ten bytes.
    let value = u64::from_le_bytes(value.to_le_bytes());
    attribute(
        out,
        SPAN_ATTRIBUTES,
        name,
        varint_len(value).saturating_add(1),
    );
    key(out, 3, VARINT);
    varint(out, value);
}

pub fn bool(out: &mut Vec<u8>, name: &str, value: bool) {
    attribute(out, SPAN_ATTRIBUTES, name, 2);
    key(out, 2, VARINT);
    out.push(value.into());
}

/// A `KeyValue` up to its value, whose `AnyValue` of `any` bytes must follow.
fn attribute(out: &mut Vec<u8>, field: u8, name: &str, any: usize) {
    let pair = length_delimited(name.len()).saturating_add(length_delimited(any));
    key(out, field, BYTES);
    length(out, pair);
    bytes(out, 1, name.as_bytes());
    key(out, 2, BYTES);
    length(out, any);
}

fn encoded_link(link: &Link) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(&mut out, 1, &link.trace_id.bits().to_be_bytes());
    bytes(&mut out, 2, &link.span_id.bits().to_be_bytes());
    out
}

/// `SpanKind`.
const fn kind(kind: Kind) -> u8 {
    match kind {
        Kind::Server => 2,
        Kind::Client => 3,
    }
}

/// W3C's flags in bits 0 to 7; bit 8: it is known whether the parent is remote; bit 9: it is.
pub fn flags(start: &Start<'_>) -> u32 {
    let w3c = u32::from(start.sampling.is_sampled()) | u32::from(start.random) << 1;
    let is_remote = start.parent.is_some_and(|parent| parent.is_remote);
    w3c | 0x100 | u32::from(is_remote) << 9
}

/// Adds a `ScopeSpans.spans`.
pub fn add(body: &mut Vec<u8>, span: &[u8]) {
    bytes(body, 2, span);
}

/// An `ExportTraceServiceRequest` with one resource and one scope.
#[derive(Clone, Debug)]
pub struct Envelope {
    resource: Vec<u8>,
    scope: Vec<u8>,
    /// Whether it goes as a gRPC message.
    framed: bool,
}

/// A key of one byte and the longest length that a body can have.
const LONGEST_PREFIX: usize = 6;
/// gRPC's frame: not compressed, and the message's length in four bytes (gRPC, doc/PROTOCOL-HTTP2.md).
const FRAME: usize = 5;

impl Envelope {
    pub fn new(resource: &[(String, String)], version: &str, framed: bool) -> Self {
        let mut attributes = Vec::new();
        for (name, value) in resource {
            text(&mut attributes, RESOURCE_ATTRIBUTES, name, value);
        }
        let mut names = Vec::new();
        bytes(&mut names, 1, SCOPE.as_bytes());
        bytes(&mut names, 2, version.as_bytes());
        let field = |value: &[u8]| {
            let mut out = Vec::new();
            bytes(&mut out, 1, value);
            out
        };
        Self {
            resource: field(&attributes),
            scope: field(&names),
            framed,
        }
    }

    pub const fn headroom(&self) -> usize {
        FRAME
            .saturating_add(LONGEST_PREFIX.saturating_mul(2))
            .saturating_add(self.resource.len())
            .saturating_add(self.scope.len())
    }

    /// Writes the beginning, whose lengths are only known now, right before the first span.
    pub fn close(&self, body: &mut [u8]) -> usize {
        let spans = body.len().saturating_sub(self.headroom());
        let scope_spans = self.scope.len().saturating_add(spans);
        let resource_spans = self
            .resource
            .len()
            .saturating_add(length_delimited(scope_spans));
        let mut beginning = Vec::with_capacity(self.headroom());
        if self.framed {
            let message = u32::try_from(length_delimited(resource_spans)).unwrap_or(u32::MAX);
            beginning.push(0);
            beginning.extend_from_slice(&message.to_be_bytes());
        }
        key(&mut beginning, 1, BYTES);
        length(&mut beginning, resource_spans);
        beginning.extend_from_slice(&self.resource);
        key(&mut beginning, 2, BYTES);
        length(&mut beginning, scope_spans);
        beginning.extend_from_slice(&self.scope);
        let start = self.headroom().saturating_sub(beginning.len());
        for (place, byte) in body.iter_mut().skip(start).zip(&beginning) {
            *place = *byte;
        }
        start
    }
}

fn key(out: &mut Vec<u8>, field: u8, wire_type: u8) {
    out.push(field << 3 | wire_type);
}

/// The key of a field from 16 to 127.
fn key_long(out: &mut Vec<u8>, field: u16, wire_type: u8) {
    varint(out, u64::from(field << 3) | u64::from(wire_type));
}

fn bytes(out: &mut Vec<u8>, field: u8, value: &[u8]) {
    key(out, field, BYTES);
    length(out, value.len());
    out.extend_from_slice(value);
}

fn fixed64(out: &mut Vec<u8>, field: u8, value: u64) {
    key(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

fn length(out: &mut Vec<u8>, length: usize) {
    varint(out, u64::try_from(length).unwrap_or(u64::MAX));
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn varint_len(value: u64) -> usize {
    let bits = u64::BITS.saturating_sub(value.leading_zeros()).max(1);
    usize::try_from(bits.div_ceil(7)).unwrap_or(10)
}

/// A field with a one-byte key, a length, and that many bytes.
fn length_delimited(bytes: usize) -> usize {
    varint_len(u64::try_from(bytes).unwrap_or(u64::MAX))
        .saturating_add(bytes)
        .saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varints_length_is_what_it_takes() {
        for value in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut out = Vec::new();
            varint(&mut out, value);
            assert_eq!(varint_len(value), out.len(), "{value}");
        }
    }
}
