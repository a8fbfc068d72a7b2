//! What the user writes ([docs/configuration.md]) compiled once into what the hot path reads.

mod attributes;
mod environment;
mod json;
mod load;
mod problem;
mod propagation;
mod reader;
mod sampling;
mod service;
mod tags;

pub use environment::Environment;
pub use load::load;
pub use problem::Problem;

use crate::{
    policy::{
        sampling::Sampler,
        service::Service,
        tags::{Sinks, Tag},
    },
    propagation::Propagation,
};

/// A configuration without mistakes.
#[derive(Clone, Debug)]
pub struct Settings {
    pub propagation: Propagation,
    pub sampler: Sampler,
    pub service: Service,
    pub tags: Vec<Tag>,
    pub sinks: Sinks,
    pub log: log::LevelFilter,
}
