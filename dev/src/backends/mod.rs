//! The tracing backends that people use, each the project's own server: start one, send it spans, ask it what its users
//! ask. `dev/backends/install.py` puts them there.
//!
//! Nothing here has a fixed port, and dropping a backend ends it.
//!
//! - [`Zipkin`], [`Jaeger`], [`Tempo`], [`Otelcol`]: each with its receivers and its queries; [`Prometheus`] for their
//!   metrics, [`exposition`] to read them; [`ShippedOtelcol`] for a configuration that users get
//! - [`kiali`]: what Kiali asks Jaeger and Tempo
//! - [`Span`]: what any of them gives back, in the words of OpenTelemetry, to be compared
//! - [`Edges`]: who called whom, as their dependency graphs have it

pub mod edges;
mod endpoint;
pub mod exposition;
mod install;
mod jaeger;
pub mod kiali;
mod otelcol;
mod otlp;
mod ports;
mod prometheus;
mod server;
mod shipped_otelcol;
mod span;
mod tempo;
mod zipkin;

pub use edges::Edges;
pub use endpoint::Endpoint;
pub use jaeger::{Jaeger, JaegerSearch};
pub use otelcol::Otelcol;
pub use prometheus::Prometheus;
pub use shipped_otelcol::ShippedOtelcol;
pub use span::Span;
pub use tempo::Tempo;
pub use zipkin::Zipkin;
