//! Spans as bytes: one file an encoding. A span is written once, when it happens, straight into its final bytes, and a
//! request body is those bytes side by side.

mod json;
mod protobuf;
mod zipkin;

use super::Protocol;
use crate::span::{Attributes, End, Start};

/// How spans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// OTLP, binary protobuf.
    Protobuf,
    /// OTLP, JSON.
    Json,
    /// Zipkin v2 JSON.
    Zipkin,
}

/// A span that is being written. Attributes may be added until it ends.
#[derive(Clone, Debug)]
pub struct SpanWriter {
    encoding: Encoding,
    bytes: Vec<u8>,
    /// When it started, for encodings that want a duration.
    started: u64,
}

/// What both spans and resources are written with: attributes in the encoding's form, ready to be copied.
#[derive(Clone, Debug)]
pub struct Block {
    encoding: Encoding,
    bytes: Vec<u8>,
}

impl Block {
    pub const fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            bytes: Vec::new(),
        }
    }
}

impl Attributes for Block {
    fn text(&mut self, key: &str, value: &str) {
        text(self.encoding, &mut self.bytes, key, value);
    }

    fn int(&mut self, key: &str, value: i64) {
        int(self.encoding, &mut self.bytes, key, value);
    }

    fn bool(&mut self, key: &str, value: bool) {
        bool(self.encoding, &mut self.bytes, key, value);
    }
}

impl SpanWriter {
    /// `service` is the resource's name, which only Zipkin repeats in every span.
    pub fn begin(encoding: Encoding, start: &Start<'_>, service: &str) -> Self {
        // What a span with both conventions takes, so that it seldom grows.
        const USUAL: usize = 1536;
        let mut bytes = Vec::with_capacity(USUAL);
        match encoding {
            Encoding::Protobuf => protobuf::begin(&mut bytes, start),
            Encoding::Json => json::begin(&mut bytes, start),
            Encoding::Zipkin => zipkin::begin(&mut bytes, start, service),
        }
        Self {
            encoding,
            bytes,
            started: start.at,
        }
    }

    /// Adds attributes that were written before.
    pub fn block(&mut self, block: &Block) {
        if self.encoding != Encoding::Protobuf && !block.bytes.is_empty() {
            json::separate(&mut self.bytes);
        }
        self.bytes.extend_from_slice(&block.bytes);
    }

    /// The whole span. It never ends before it started, whatever the clock did.
    pub fn end(mut self, end: &End<'_>) -> Vec<u8> {
        let end = End {
            at: end.at.max(self.started),
            ..end.clone()
        };
        match self.encoding {
            Encoding::Protobuf => protobuf::end(&mut self.bytes, &end),
            Encoding::Json => json::end(&mut self.bytes, &end),
            Encoding::Zipkin => zipkin::end(&mut self.bytes, &end, self.started),
        }
        self.bytes
    }
}

impl Attributes for SpanWriter {
    fn text(&mut self, key: &str, value: &str) {
        text(self.encoding, &mut self.bytes, key, value);
    }

    fn int(&mut self, key: &str, value: i64) {
        int(self.encoding, &mut self.bytes, key, value);
    }

    fn bool(&mut self, key: &str, value: bool) {
        bool(self.encoding, &mut self.bytes, key, value);
    }
}

fn text(encoding: Encoding, bytes: &mut Vec<u8>, key: &str, value: &str) {
    match encoding {
        Encoding::Protobuf => protobuf::text(bytes, protobuf::SPAN_ATTRIBUTES, key, value),
        Encoding::Json => json::text(bytes, key, value),
        Encoding::Zipkin => zipkin::text(bytes, key, value),
    }
}

fn int(encoding: Encoding, bytes: &mut Vec<u8>, key: &str, value: i64) {
    match encoding {
        Encoding::Protobuf => protobuf::int(bytes, key, value),
        Encoding::Json => json::int(bytes, key, value),
        Encoding::Zipkin => zipkin::text(bytes, key, &value.to_string()),
    }
}

fn bool(encoding: Encoding, bytes: &mut Vec<u8>, key: &str, value: bool) {
    match encoding {
        Encoding::Protobuf => protobuf::bool(bytes, key, value),
        Encoding::Json => json::bool(bytes, key, value),
        Encoding::Zipkin => zipkin::text(bytes, key, if value { "true" } else { "false" }),
    }
}

/// The name of the instrumentation scope.
const SCOPE: &str = "throughline";

/// What stands around the spans of a request body.
#[derive(Clone, Debug)]
pub enum Envelope {
    Protobuf(protobuf::Envelope),
    Json(json::Envelope),
    Zipkin,
}

impl Envelope {
    /// `resource` in the order given; Zipkin has no place for one, and its spans carry what they need.
    pub fn new(protocol: Protocol, resource: &[(String, String)], version: &str) -> Self {
        match protocol {
            Protocol::OtlpHttp => Self::Protobuf(protobuf::Envelope::new(resource, version, false)),
            Protocol::OtlpGrpc => Self::Protobuf(protobuf::Envelope::new(resource, version, true)),
            Protocol::OtlpHttpJson => Self::Json(json::Envelope::new(resource, version)),
            Protocol::Zipkin => Self::Zipkin,
        }
    }

    /// The room that a body leaves free for its beginning.
    pub const fn headroom(&self) -> usize {
        match self {
            Self::Protobuf(envelope) => envelope.headroom(),
            Self::Json(envelope) => envelope.headroom(),
            Self::Zipkin => 1,
        }
    }

    /// The bytes that closing a body adds after its spans.
    pub const fn tail(&self) -> usize {
        match self {
            Self::Protobuf(_) => 0,
            Self::Json(_) => json::TAIL.len(),
            Self::Zipkin => 1,
        }
    }

    /// Adds a span to a body that begins with the headroom.
    pub fn add(&self, body: &mut Vec<u8>, span: &[u8]) {
        match self {
            Self::Protobuf(_) => protobuf::add(body, span),
            Self::Json(_) | Self::Zipkin => {
                if body.len() > self.headroom() {
                    body.push(b',');
                }
                body.extend_from_slice(span);
            }
        }
    }

    /// The most bytes that [`add`](Self::add) puts around a span.
    pub const OVERHEAD: usize = 6;

    /// Writes what comes before and after the spans; the request's body then starts at the position returned.
    pub fn close(&self, body: &mut Vec<u8>) -> usize {
        match self {
            Self::Protobuf(envelope) => envelope.close(body),
            Self::Json(envelope) => envelope.close(body),
            Self::Zipkin => {
                if let Some(first) = body.first_mut() {
                    *first = b'[';
                }
                body.push(b']');
                0
            }
        }
    }
}
