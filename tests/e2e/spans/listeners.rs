//! Further listeners, each with a configuration of its own.

use super::hop::Hop;
use crate::scenarios::tags::tags;
use serde_json::{Value, json};

/// What `service.naming` can be besides `appLabelAndNamespace`, which it is by default.
pub const NAMINGS: [&str; 3] = [
    "canonicalNameOnly",
    "canonicalNameAndNamespace",
    "opentelemetry",
];

/// Whose proxy has it, its name, the protocol it exports by, and what is in its configuration besides.
pub fn all() -> Vec<(Hop, &'static str, &'static str, Value)> {
    let gateway = |name, config| (Hop::Gateway, name, "otlp-http", config);
    let semconv = |words| json!({"spans": {"semconv": words}});
    let mut listeners = vec![
        gateway("stable", semconv("stable")),
        gateway("legacy", semconv("legacy")),
        gateway(
            "open",
            json!({"spans": {"redactQuery": false, "maxPathTagLength": 20}}),
        ),
        (
            Hop::Inbound,
            "tagged",
            "otlp-http",
            json!({"customTags": custom_tags()}),
        ),
        (
            Hop::Inbound,
            "named",
            "otlp-http",
            json!({
                "service": {"name": "chosen"},
                "resource": {
                    "k8s.pod.name": {"literal": {"value": "replaced"}},
                    "team": {"environment": {"name": "TEAM"}},
                    "mesh": {"node": {"path": "MESH_ID"}},
                    "absent": {"node": {"path": "NOTHING"}},
                },
            }),
        ),
    ];
    for protocol in ["otlp-grpc", "otlp-http-json", "zipkin"] {
        listeners.push((Hop::Gateway, protocol, protocol, json!({})));
    }
    for naming in NAMINGS {
        let config = json!({"service": {"naming": naming}});
        listeners.push((Hop::Inbound, naming, "otlp-http", config));
    }
    listeners
}

fn custom_tags() -> Value {
    tags("defaultValue")
        .into_iter()
        .map(|(name, source, _)| (name.to_owned(), source))
        .collect()
}
