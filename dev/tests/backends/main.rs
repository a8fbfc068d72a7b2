//! One known trace through every receiver of every backend, and back through every query; and `examples/observability`,
//! run.

mod check;
mod jaeger;
mod observability;
mod otelcol;
mod tempo;
mod trace;
mod zipkin;
