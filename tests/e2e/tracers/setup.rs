//! What varies.

use anyhow::Result;
use serde_json::{Value, json};
use std::fmt;
use throughline_dev::envoy::Release;
use throughline_dev::http::Headers;
use throughline_dev::mesh::Tracing;

/// The cluster that both report to.
pub const COLLECTOR: &str = "collector";

/// One of Envoy's own tracers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tracer {
    Zipkin,
    /// Which goes on with the caller's span, as it does where nothing is said.
    ZipkinSharing,
    ZipkinAndW3c,
    OpenTelemetry,
}

impl Tracer {
    pub const ALL: [Self; 4] = [
        Self::Zipkin,
        Self::ZipkinSharing,
        Self::ZipkinAndW3c,
        Self::OpenTelemetry,
    ];

    pub fn tracing(self, percent: f64, propagates: bool) -> Tracing {
        let tracing = match self {
            Self::Zipkin => Tracing::zipkin(COLLECTOR, percent),
            Self::ZipkinSharing => Tracing::zipkin_sharing_spans(COLLECTOR, percent),
            Self::ZipkinAndW3c => Tracing::zipkin_and_w3c(COLLECTOR, percent),
            Self::OpenTelemetry => Tracing::opentelemetry(COLLECTOR, "tracer", percent),
        };
        if propagates {
            tracing
        } else {
            tracing.without_propagation()
        }
    }
}

impl fmt::Display for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zipkin => "zipkin",
            Self::ZipkinSharing => "zipkin-sharing",
            Self::ZipkinAndW3c => "zipkin+w3c",
            Self::OpenTelemetry => "opentelemetry",
        })
    }
}

/// Whether this line lets a tracer leave the headers alone.
pub fn has_no_context_propagation(release: Release) -> Result<bool> {
    Ok(release >= Release::find("1.38")?)
}

/// `nativeTracer`.
pub const MODES: [&str; 3] = ["auto", "mirror", "own"];

/// What the filter is configured with.
pub fn config(mode: &str) -> Value {
    json!({
        "nativeTracer": mode,
        "export": {"cluster": COLLECTOR, "batch": {"scheduleDelay": "100ms"}},
    })
}

/// What Envoy needs for its tracers to report each span at once.
pub fn at_once() -> Value {
    json!({"layered_runtime": {"layers": [{"name": "now", "static_layer": {
        "tracing.zipkin.min_flush_spans": 1,
        "tracing.opentelemetry.min_flush_spans": 1,
    }}]}})
}

/// The trace headers of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CameIn {
    Nothing,
    W3c,
    B3,
    /// B3 in one header.
    Single,
    Both,
    /// Headers of both that nobody can read.
    Broken,
    /// B3's trace id, without a span id.
    Half,
    /// B3 whose decision is the receiver's.
    Deferred,
    /// B3 that asks for the trace whatever is decided.
    Debug,
    /// B3 that is not sampled.
    Denied,
    /// A decision in B3's single header, and ids in the several.
    Hidden,
    /// Both, in upper case.
    Upper,
    /// W3C, and another trace's.
    Two,
    /// B3 in one header, with a parent in the decision's place.
    Brave,
    /// W3C, and a decision of B3's that is none.
    Odd,
    /// W3C that is not sampled, and B3's yes without ids.
    Raised,
}

impl CameIn {
    pub const ALL: [Self; 16] = [
        Self::Nothing,
        Self::W3c,
        Self::B3,
        Self::Single,
        Self::Both,
        Self::Broken,
        Self::Half,
        Self::Deferred,
        Self::Debug,
        Self::Denied,
        Self::Hidden,
        Self::Upper,
        Self::Two,
        Self::Brave,
        Self::Odd,
        Self::Raised,
    ];

    pub fn headers(self, trace: &str, span: &str) -> Headers {
        let traceparent =
            |headers: Headers| headers.with("traceparent", format!("00-{trace}-{span}-01"));
        let ids = |headers: Headers| {
            headers
                .with("x-b3-traceid", trace)
                .with("x-b3-spanid", span)
        };
        let b3 = |headers: Headers| ids(headers).with("x-b3-sampled", "1");
        match self {
            Self::Nothing => Headers::new(),
            Self::W3c => traceparent(Headers::new()),
            Self::B3 => b3(Headers::new()),
            Self::Single => Headers::new().with("b3", format!("{trace}-{span}-1")),
            Self::Both => b3(traceparent(Headers::new())),
            Self::Broken => Headers::new()
                .with("traceparent", format!("00-{}-{span}-01", "z".repeat(32)))
                .with("x-b3-traceid", "z".repeat(32))
                .with("x-b3-spanid", span),
            Self::Half => Headers::new().with("x-b3-traceid", trace),
            Self::Deferred => ids(Headers::new()),
            Self::Debug => ids(Headers::new()).with("x-b3-flags", "1"),
            Self::Denied => ids(Headers::new()).with("x-b3-sampled", "0"),
            Self::Hidden => b3(Headers::new().with("b3", "1")),
            Self::Upper => {
                let (trace, span) = (trace.to_uppercase(), span.to_uppercase());
                Headers::new()
                    .with("traceparent", format!("00-{trace}-{span}-01"))
                    .with("x-b3-traceid", trace)
                    .with("x-b3-spanid", span)
                    .with("x-b3-sampled", "1")
            }
            Self::Brave => Headers::new().with("b3", format!("{trace}-{span}-05e3ac9a4f6e3b90")),
            Self::Raised => Headers::new()
                .with("traceparent", format!("00-{trace}-{span}-00"))
                .with("x-b3-sampled", "1"),
            Self::Odd => traceparent(Headers::new()).with("x-b3-sampled", "d"),
            Self::Two => traceparent(Headers::new())
                .with("traceparent", format!("00-{}-{span}-01", "5".repeat(32))),
        }
    }
}

impl fmt::Display for CameIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::W3c => "w3c",
            Self::B3 => "b3",
            Self::Single => "single",
            Self::Both => "both",
            Self::Broken => "broken",
            Self::Half => "half",
            Self::Deferred => "deferred",
            Self::Debug => "debug",
            Self::Denied => "denied",
            Self::Hidden => "hidden",
            Self::Upper => "upper",
            Self::Two => "two",
            Self::Brave => "brave",
            Self::Odd => "odd",
            Self::Raised => "raised",
        })
    }
}
