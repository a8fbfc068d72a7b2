//! `examples/observability`: the Collector's files in the real Collector, behind real Envoys with the filter; and each
//! line of the documented access log in a real backend.

mod access_log;
mod probabilistic;
mod services;
mod tail;

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use throughline_dev::backends::{Otelcol, ShippedOtelcol};

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

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/observability")
        .join(name)
}

/// The value of an attribute of the resource of every span that came to `backend`, by service.
fn resources(backend: &Otelcol, attribute: &str) -> Result<BTreeMap<String, String>> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for request in backend.requests()? {
        let resources = request["resourceSpans"]
            .as_array()
            .context("no resources")?;
        for resource in resources {
            let value = |key: &str| text(&resource["resource"], key);
            let (service, value) = (value("service.name")?, value(attribute)?);
            let known = found.entry(service).or_insert_with(|| value.clone());
            anyhow::ensure!(*known == value, "{attribute} is {known} and {value}");
        }
    }
    Ok(found)
}

fn text(resource: &Value, key: &str) -> Result<String> {
    let attributes = resource["attributes"].as_array();
    let attribute = attributes.and_then(|all| all.iter().find(|one| one["key"] == key));
    let value = attribute.and_then(|found| found["value"]["stringValue"].as_str());
    Ok(value
        .with_context(|| format!("{key} of {resource}"))?
        .to_owned())
}
