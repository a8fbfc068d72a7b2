//! The body of an export call, of whatever protocol.

use super::span::{Protocol, Span};
use super::{check, count, otlp, otlp_json, zipkin};
use anyhow::Result;
use bytes::Bytes;

/// What a body carried.
#[derive(Default, Debug)]
pub struct Payload {
    /// The span ids, one for each span.
    pub ids: Vec<u64>,
    /// The spans, unless they are only counted.
    pub spans: Vec<Span>,
    /// What is wrong with them although they could be read.
    pub faults: Vec<String>,
}

impl Payload {
    /// Reads all of it, and looks for faults.
    pub fn read(protocol: Protocol, body: &Bytes) -> Result<Self> {
        let mut faults = Vec::new();
        let spans = match protocol {
            Protocol::OtlpHttp | Protocol::OtlpGrpc => {
                otlp::read_protobuf(protocol, body, &mut faults)?
            }
            Protocol::OtlpHttpJson => {
                let json = serde_json::from_slice(body)?;
                otlp_json::check(&json, &mut faults);
                otlp::read_json(json, &mut faults)?
            }
            Protocol::Zipkin => zipkin::read(body, &mut faults)?,
        };
        for span in &spans {
            check::span(span, &mut faults);
        }
        let ids = spans.iter().map(|span| id(&span.span_id)).collect();
        Ok(Self { ids, spans, faults })
    }

    /// Reads the span ids alone, which costs a fraction.
    pub fn count(protocol: Protocol, body: &Bytes) -> Result<Self> {
        let ids = match protocol {
            Protocol::OtlpHttp | Protocol::OtlpGrpc => count::protobuf(body)?,
            Protocol::OtlpHttpJson => count::json(body)?.iter().map(|digits| id(digits)).collect(),
            Protocol::Zipkin => count::zipkin(body)?
                .iter()
                .map(|digits| id(digits))
                .collect(),
        };
        Ok(Self {
            ids,
            ..Self::default()
        })
    }
}

/// What is not an id counts as zero; [`check::span`] says so.
fn id(digits: &str) -> u64 {
    u64::from_str_radix(digits, 16).unwrap_or_default()
}
