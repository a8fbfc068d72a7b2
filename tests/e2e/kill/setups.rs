//! The configurations that hostile requests meet, and what each promises.

use super::contract::Format;
use serde_json::{Value, json};

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
    };
    let formats = |inject: &[&str]| json!({"propagation": {"inject": inject}});
    vec![
        default(),
        Setup {
            name: "all",
            config: formats(&["tracecontext", "b3", "b3multi"]),
            writes: W3C_FIRST,
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
            config: json!({"propagation": {"extract": ["b3", "tracecontext"], "inject": ["b3"]}}),
            reads: &["b3", "b3multi", "tracecontext"],
            writes: &["b3"],
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
            config: json!({"sampling": {"sampler": "traceidratio", "arg": 0.5}}),
            parent_based: false,
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
                "tags": {"to": ["accessLog", "header:x-tl-{tag}", "baggage"]},
            }),
            tags: true,
            ..default()
        },
    ]
}
