//! Envoy configurations as Istio would make them, with the filter where Istio would put it.
//!
//! A [`Proxy`] is a [`Node`] (who it is), [`Listener`]s (what comes in and where it goes) and [`Cluster`]s (where that
//! is). [`Proxy::sidecar`] puts together the usual one: `inbound` to the application, `outbound` to its callee.

mod access_log;
mod cluster;
mod discovery;
mod identity;
mod listener;
mod merge;
pub use merge::merge;
mod node;
mod plugin;
mod proxy;
mod route;
mod tracing;
mod withdrawal;

pub use access_log::documented_access_log;
pub use cluster::Cluster;
pub use discovery::ClusterDiscovery;
pub use identity::{Authority, Identity};
pub use listener::Listener;
pub use node::{Kind, Node};
pub use plugin::Plugin;
pub use proxy::Proxy;
pub use route::Route;
pub use tracing::Tracing;
pub use withdrawal::{replace, withdraw};
