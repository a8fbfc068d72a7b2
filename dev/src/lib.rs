//! What the demo, the end-to-end tests and the benchmarks share. Never part of the filter.
//!
//! - [`envoy`]: find and start a real Envoy, read its listeners, logs and statistics
//! - [`mesh`]: Envoy configurations as Istio would make them: sidecars, gateways, waypoints, with the filter in them
//! - [`backends`]: Zipkin, Jaeger, Tempo and the OpenTelemetry Collector, and what their users ask them
//! - [`http`]: HTTP/1.1 in raw bytes, client and server; [`http2`]: HTTP/2 and gRPC
//! - [`app`]: an application as services really are: it forwards some headers, and remembers what it saw
//! - [`bookinfo`]: Istio's sample application, behind real Envoys
//! - [`image`]: the image that a mesh pulls the module from, its registry and the manifests that pin it
//! - [`istio`]: a cluster with Istio's own control plane, in a network of its own
//! - [`module`]: what a built module may export and import, and the trimming to it; [`built`]: where it is
//! - [`receiver`]: what spans are exported to
//! - [`load`]: requests by the hundred thousand, and what became of them; [`usage`]: the CPU and memory that took
//! - [`documentation`]: the commands that the documentation has, and what runs each
//! - [`accounts`]: what the filter says became of its spans; [`figures`]: what was measured, into the documentation
//! - [`refused`]: an address at which nobody listens; [`tls`]: a server outside of a mesh
//! - [`poll`], [`process`]: waiting with a deadline, children that never outlive us

pub mod accounts;
pub mod app;
pub mod backends;
pub mod bookinfo;
pub mod built;
pub mod documentation;
pub mod envoy;
pub mod figures;
pub mod http;
pub mod http2;
pub mod image;
pub mod istio;
pub mod load;
mod log;
pub mod mesh;
pub mod module;
pub mod poll;
pub mod process;
pub mod receiver;
pub mod refused;
pub mod tls;
pub mod usage;
