//! Istio's sample application, Bookinfo: who is there, who calls whom, and the running of it behind real Envoys.
//!
//! - [`Bookinfo`], [`Service`]: its shape; [`copies`]: which trace headers each service copies
//! - [`Mesh`]: it runs, each service beside an Envoy of its own, behind a gateway. A [`Builder`] decides on the rest

pub mod copies;
mod mesh;
mod topology;

pub use copies::Copies;
pub use mesh::{Application, Builder, Mesh, NAMESPACE, Pod};
pub use topology::{Bookinfo, GATEWAY, OPTIONAL, PATH, Service};
