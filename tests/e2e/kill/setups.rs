//! The configurations that hostile requests meet, and what each promises.

use super::contract::Format;
use serde_json::{Value, json};

/// The cluster that spans go to.
pub const COLLECTOR: &str = "collector";

/// A listener with the filter so configured, both of that name.
pub struct Setup {
    pub name: &'static str,
    pub config: Value,
    /// In order of precedence.
    pub reads: &'static [Format],
    /// What is always written.
    pub writes: &'static [Format],
    /// Whether known formats that are not written are removed.
    pub removes: bool,
    /// Whether a decision that came in, and so the span id, is kept.
    pub parent_based: bool,
    pub tags: bool,
    /// Whether a sampled request is a span of its own.
    pub exports: bool,
}

/// The listener named `default` has nothing configured.
pub fn all() -> Vec<Setup> {
    const W3C_FIRST: &[Format] = &["tracecontext", "b3", "b3multi"];
    let default = || Setup {
        name: "default",
        config: json!({}),
        reads: W3C_FIRST,
        writes: &["tracecontext", "b3multi"],
        removes: false,
        parent_based: true,
        tags: false,
        exports: false,
    };
    // Fast, so that the run need not wait for the last batch.
    let export = |protocol: &str| json!({"protocol": protocol, "cluster": COLLECTOR, "batch": {"scheduleDelay": "100ms"}});
    vec![
        default(),
        Setup {
            name: "all",
            config: json!({
                "propagation": {"inject": ["tracecontext", "b3", "b3multi"]},
                "export": export("otlp-http"),
                "spans": {"semconv": "both", "redactQuery": false},
            }),
            writes: W3C_FIRST,
            exports: true,
            ..default()
        },
        Setup {
            name: "remove",
            config: json!({"propagation": {"inject": ["tracecontext"], "staleHeaders": "remove"}}),
            writes: &["tracecontext"],
            removes: true,
            ..default()
        },
        Setup {
            name: "b3",
            config: json!({
                "propagation": {"extract": ["b3", "tracecontext"], "inject": ["b3"]},
                "export": export("otlp-http-json"),
                "spans": {"semconv": "legacy"},
            }),
            reads: &["b3", "b3multi", "tracecontext"],
            writes: &["b3"],
            exports: true,
            ..default()
        },
        Setup {
            name: "b3multi",
            config: json!({"propagation": {
                "extract": ["b3multi"], "inject": ["b3multi"], "staleHeaders": "remove",
            }}),
            reads: &["b3multi"],
            writes: &["b3multi"],
            removes: true,
            ..default()
        },
        Setup {
            name: "ratio",
            config: json!({
                "sampling": {"sampler": "traceidratio", "arg": 0.5},
                "export": export("zipkin"),
                "spans": {"semconv": "stable"},
            }),
            parent_based: false,
            exports: true,
            ..default()
        },
        Setup {
            name: "tags",
            config: json!({
                "customTags": {
                    "stage": {"literal": {"value": "test"}},
                    "tenant": {"header": {"name": "x-tenant"}},
                    "port": {"attribute": {"path": "source.port"}},
                    "carried": {"header": {"name": "baggage", "defaultValue": "none"}},
                    "parent": {"header": {"name": "traceparent"}},
                    "weird": {"attribute": {"path": "request.headers.x-b3-traceid"}},
                    "number": {"attribute": {"path": "request.headers.b3", "type": "int"}},
                    "pod": {"node": {"path": "NAME"}},
                },
                "tags": {"to": ["span", "accessLog", "header:x-tl-{tag}", "baggage"]},
                "export": export("otlp-http"),
            }),
            tags: true,
            exports: true,
            ..default()
        },
    ]
}
