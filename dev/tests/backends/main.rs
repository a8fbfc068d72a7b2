//! One known trace through every receiver of every backend, and back through every query; and `examples/observability`,
//! run.

mod bookinfo;
mod check;
mod jaeger;
<<<<<<< HEAD
mod kiali;
=======
mod observability;
>>>>>>> w-observe
mod otelcol;
mod tempo;
mod trace;
mod zipkin;
