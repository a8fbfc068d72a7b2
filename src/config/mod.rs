//! What the user writes ([docs/configuration.md]) compiled once into what the hot path reads.

mod attributes;
mod environment;
mod export;
mod json;
mod load;
mod overrides;
mod problem;
mod propagation;
mod reader;
mod redaction;
mod requests;
mod resource;
mod response;
mod sampling;
mod service;
mod spans;
mod tags;
mod trust;

pub use environment::Environment;
pub use json::Json;
pub use load::load;
pub use overrides::merge;
pub use problem::{Problem, near_miss};
pub use reader::path_to;

use crate::{
    export::ExportSettings,
    policy::{
        redaction::Redaction,
        resource::ResourceAttribute,
        response::ResponseSettings,
        sampling::Sampler,
        service::Service,
        tags::{Sinks, Tag},
        tracer::NativeTracer,
        trust::Rule,
    },
    propagation::Propagation,
    span::SpanSettings,
};

/// A configuration without mistakes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether requests are touched at all.
    pub enabled: bool,
    pub propagation: Propagation,
    /// For all proxies; the first that matches counts.
    pub trust: Vec<Rule>,
    pub sampler: Sampler,
    pub service: Service,
    pub tags: Vec<Tag>,
    pub sinks: Sinks,
    pub resource: Vec<ResourceAttribute>,
    pub spans: SpanSettings,
    pub redaction: Redaction,
    pub response: ResponseSettings,
    /// `None`: nothing is recorded, and nothing is exported.
    pub export: Option<ExportSettings>,
    /// Whether one of Envoy's own tracers writes the context.
    pub native_tracer: NativeTracer,
    pub log: log::LevelFilter,
}
