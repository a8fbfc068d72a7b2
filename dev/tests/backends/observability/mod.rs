//! `examples/observability`: the Collector's files in the real Collector, behind real Envoys with the filter; and each
//! line of the documented access log in a real backend.

mod access_log;
mod probabilistic;
mod services;
mod tail;

use anyhow::Result;
use std::path::Path;
use throughline_dev::backends::ShippedOtelcol;

/// A Collector with a file of `examples/observability/collector`.
fn collector<const N: usize>(
    file: &str,
    listens: [&str; N],
    settings: &[(&str, &str)],
) -> Result<ShippedOtelcol<N>> {
    ShippedOtelcol::start(
        &example("collector").join(file).canonicalize()?,
        listens,
        settings,
    )
}

fn example(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/observability")
        .join(name)
}
