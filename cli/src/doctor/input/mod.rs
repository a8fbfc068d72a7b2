//! What Envoy and istioctl print, told apart by what it holds, and read.

mod clusters;
mod document;
mod dump;
mod json;
mod log;
mod stats;

pub use self::clusters::Hosts;
pub use self::document::Document;
pub use self::dump::{
    Cluster, Dump, Extension, HttpFilter, Listener, Manager, Node, Protocol, Setting, Traffic, Wasm,
};
pub use self::log::Log;
pub use self::stats::{Labels, Sample, Stats};
