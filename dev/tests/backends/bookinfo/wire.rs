//! What Envoy itself says of a request: the witness against which spans are held.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use throughline_dev::mesh::Listener;

/// Attributes that differ from request to request, and Envoy's own word for each. Not every span has each of them.
const ATTRIBUTES: [(&str, &str); 7] = [
    ("guid:x-request-id", "%REQ(X-REQUEST-ID)%"),
    ("client.port", "%DOWNSTREAM_REMOTE_PORT%"),
    ("http.status_code", "%RESPONSE_CODE%"),
    ("http.response.status_code", "%RESPONSE_CODE%"),
    ("upstream_address", "%UPSTREAM_REMOTE_ADDRESS%"),
    ("upstream_cluster", "%UPSTREAM_CLUSTER_RAW%"),
    ("response_size", "%BYTES_SENT%"),
];

/// A line of an access log.
#[derive(Clone, Debug)]
pub struct Line {
    pub envoy: &'static str,
    pub listener: &'static str,
    pub path: String,
    pub trace_id: String,
    pub span_id: String,
    /// The span that the request named when it left: at a gateway the client span, under the one that the line names.
    pub left_as: String,
    /// What the span's attributes must be, where it has them.
    pub attributes: BTreeMap<&'static str, String>,
}

impl Line {
    /// Has it logged.
    pub fn logged(listener: Listener) -> Listener {
        let named = listener
            .log(
                "trace.id",
                "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%",
            )
            .log("span.id", "%FILTER_STATE(wasm.throughline.span_id:PLAIN)%");
        let log = |listener: Listener, (key, format): &(&str, &str)| listener.log(key, format);
        ATTRIBUTES.iter().fold(named, log)
    }

    /// A logged one.
    pub fn read(envoy: &'static str, listener: &'static str, entry: &Value) -> Result<Self> {
        let text = |key: &str| match &entry[key] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let must = |key: &str| text(key).with_context(|| format!("no {key} in {entry}"));
        // Envoy's port of an address that came in x-forwarded-for, which has none.
        let there = |(key, value): &(&str, String)| *key != "client.port" || value != "0";
        let attributes = ATTRIBUTES.iter();
        Ok(Self {
            envoy,
            listener,
            path: must("path")?,
            trace_id: must("trace.id")?,
            span_id: must("span.id")?,
            left_as: must("traceparent")?
                .split('-')
                .nth(2)
                .unwrap_or_default()
                .to_owned(),
            attributes: attributes
                .filter_map(|(key, _)| Some((*key, text(key)?)))
                .filter(there)
                .collect(),
        })
    }
}
