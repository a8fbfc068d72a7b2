//! OTLP in JSON (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"): ids in hexadecimal, 64-bit
//! integers as decimal strings, enums as numbers.

use super::{SCOPE, protobuf};
use crate::span::{End, Kind, Start};

pub fn begin(out: &mut Vec<u8>, start: &Start<'_>) {
    push(out, &[b"{\"traceId\":\"", start.trace_id.text().as_bytes()]);
    push(out, &[b"\",\"spanId\":\"", start.span_id.text().as_bytes()]);
    if let Some(parent) = start.parent {
        push(
            out,
            &[b"\",\"parentSpanId\":\"", parent.span_id.text().as_bytes()],
        );
    }
    out.extend_from_slice(b"\",\"name\":");
    string(out, start.name);
    if !start.trace_state.is_empty() {
        out.extend_from_slice(b",\"traceState\":");
        string(out, start.trace_state);
    }
    let kind: &[u8] = match start.kind {
        Kind::Server => b",\"kind\":2",
        Kind::Client => b",\"kind\":3",
    };
    out.extend_from_slice(kind);
    push(
        out,
        &[
            b",\"startTimeUnixNano\":\"",
            start.at.to_string().as_bytes(),
        ],
    );
    push(
        out,
        &[
            b"\",\"flags\":",
            protobuf::flags(start).to_string().as_bytes(),
        ],
    );
    if !start.links.is_empty() {
        out.extend_from_slice(b",\"links\":[");
        for link in start.links {
            separate(out);
            push(out, &[b"{\"traceId\":\"", link.trace_id.text().as_bytes()]);
            push(
                out,
                &[b"\",\"spanId\":\"", link.span_id.text().as_bytes(), b"\"}"],
            );
        }
        out.push(b']');
    }
    out.extend_from_slice(b",\"attributes\":[");
}

pub fn end(out: &mut Vec<u8>, end: &End<'_>) {
    if end.error.is_some() && end.legacy {
        text(out, "error", "true");
    }
    push(
        out,
        &[
            b"],\"endTimeUnixNano\":\"",
            end.at.to_string().as_bytes(),
            b"\"",
        ],
    );
    if end.error.is_some() {
        out.extend_from_slice(b",\"status\":{\"code\":2}");
    }
    out.push(b'}');
}

pub fn text(out: &mut Vec<u8>, key: &str, value: &str) {
    attribute(out, key, b"stringValue");
    string(out, value);
    out.extend_from_slice(b"}}");
}

pub fn int(out: &mut Vec<u8>, key: &str, value: i64) {
    attribute(out, key, b"intValue");
    push(out, &[b"\"", value.to_string().as_bytes(), b"\"}}"]);
}

pub fn bool(out: &mut Vec<u8>, key: &str, value: bool) {
    attribute(out, key, b"boolValue");
    out.extend_from_slice(if value { b"true}}" } else { b"false}}" });
}

fn attribute(out: &mut Vec<u8>, key: &str, kind: &[u8]) {
    separate(out);
    out.extend_from_slice(b"{\"key\":");
    string(out, key);
    push(out, &[b",\"value\":{\"", kind, b"\":"]);
}

/// A comma, unless what follows is the first in its list or object, or of all.
pub fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'[' | b'{')) {
        out.push(b',');
    }
}

/// `text` in quotes (RFC 8259 §7).
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                let digit = |nibble: u8| {
                    b"0123456789abcdef"
                        .get(usize::from(nibble))
                        .copied()
                        .unwrap_or(b'0')
                };
                out.extend_from_slice(&[
                    b'\\',
                    b'u',
                    b'0',
                    b'0',
                    digit(byte >> 4),
                    digit(byte & 0xf),
                ]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

pub fn push(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// An `ExportTraceServiceRequest` with one resource and one scope.
#[derive(Clone, Debug)]
pub struct Envelope {
    beginning: Vec<u8>,
}

/// What closes it.
pub const TAIL: &[u8] = b"]}]}]}";

impl Envelope {
    pub fn new(resource: &[(String, String)], version: &str) -> Self {
        let mut beginning = b"{\"resourceSpans\":[{\"resource\":{\"attributes\":[".to_vec();
        for (key, value) in resource {
            text(&mut beginning, key, value);
        }
        beginning.extend_from_slice(b"]},\"scopeSpans\":[{\"scope\":{\"name\":");
        string(&mut beginning, SCOPE);
        beginning.extend_from_slice(b",\"version\":");
        string(&mut beginning, version);
        beginning.extend_from_slice(b"},\"spans\":[");
        Self { beginning }
    }

    pub const fn headroom(&self) -> usize {
        self.beginning.len()
    }

    pub fn close(&self, body: &mut Vec<u8>) -> usize {
        for (place, byte) in body.iter_mut().zip(&self.beginning) {
            *place = *byte;
        }
        body.extend_from_slice(TAIL);
        0
    }
}
