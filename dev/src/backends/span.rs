//! A span as a backend gives it back.

use crate::receiver::{self, Code, Kind};
use std::collections::BTreeMap;

/// A span in OpenTelemetry's words, whatever backend it comes from. Values are text, as backends differ in the types they
/// keep.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    /// 32 lower-case hexadecimal digits.
    pub trace_id: String,
    /// 16 digits.
    pub span_id: String,
    /// None for a root.
    pub parent_id: Option<String>,
    /// What it is called.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// `service.name` of the resource; in Zipkin the name of the local endpoint.
    pub service: String,
    /// When it started, in nanoseconds since 1970. Zipkin and Jaeger's older API tell microseconds.
    pub start_ns: u64,
    /// How long it took.
    pub duration_ns: u64,
    /// Whether it succeeded.
    pub status: Code,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
}

/// What should come back of a span that was exported.
impl From<&receiver::Span> for Span {
    fn from(span: &receiver::Span) -> Self {
        Self {
            trace_id: span.trace_id.clone(),
            span_id: span.span_id.clone(),
            parent_id: span.parent_id.clone(),
            name: span.name.clone(),
            kind: span.kind,
            service: span.service.clone(),
            start_ns: span.start_ns,
            duration_ns: span.end_ns.saturating_sub(span.start_ns),
            status: span.status.code,
            attributes: span
                .attributes
                .iter()
                .map(|(key, value)| (key.clone(), value.to_string()))
                .collect(),
        }
    }
}
