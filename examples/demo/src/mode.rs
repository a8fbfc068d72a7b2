//! The two ways in which the same mesh is run.

use crate::collector::{self, Collector};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::mesh::{Listener, Plugin, Tracing};

/// Who handles the trace headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Envoy's Zipkin tracer, as Istio configures it.
    Native,
    /// The filter, and no native tracer.
    Filter,
}

impl Mode {
    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Native => "Envoy's Zipkin tracer (B3), as Istio configures it",
            Self::Filter => "With Throughline",
        }
    }

    /// What handles them, in a word.
    pub fn tracer(self) -> &'static str {
        match self {
            Self::Native => "Envoy's Zipkin tracer",
            Self::Filter => "Throughline",
        }
    }

    /// The filter's configuration for spans that go to a collector.
    pub fn filter_config(collector: &Collector) -> Value {
        json!({
            "propagation": {"inject": ["tracecontext", "b3multi", "b3"]},
            "export": collector.export(),
        })
    }

    /// Gives a listener its tracing, and an access log that names the trace.
    pub fn equip(self, listener: Listener, module: &Path, collector: &Collector) -> Listener {
        match self {
            Self::Native => listener
                .tracing(Tracing::zipkin(collector::CLUSTER, 100.0))
                .log("trace.id", "%TRACE_ID%"),
            Self::Filter => listener
                .plugin(&Plugin::new(module, &Self::filter_config(collector)))
                .log(
                    "trace.id",
                    "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%",
                )
                .log("span.id", "%FILTER_STATE(wasm.throughline.span_id:PLAIN)%"),
        }
    }
}
