//! One known trace through every receiver of every backend, and back through every query; and `examples/observability`,
//! run.

mod bookinfo;
mod check;
mod jaeger;
mod kiali;
mod observability;
mod otelcol;
mod questions;
mod tempo;
mod trace;
mod zipkin;
