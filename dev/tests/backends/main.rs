//! One known trace through every receiver of every backend, and back through every query.

mod bookinfo;
mod check;
mod jaeger;
mod kiali;
mod otelcol;
mod tempo;
mod trace;
mod zipkin;
