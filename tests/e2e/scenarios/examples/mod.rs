//! The worked examples of the documentation, as they stand there: each has listeners of its own, with its configuration, in a
//! gateway and in a sidecar that all of them share.

mod compare;
mod mesh;
mod proxies;
mod spans;

use anyhow::{Context, Result, bail};
use mesh::Mesh;
use std::path::Path;
use throughline_dev::documentation::example::Exchange;
use throughline_dev::documentation::{self, Variables};
use throughline_dev::envoy::Release;

pub fn play(release: Release, module: &Path) -> Result<()> {
    let examples = documentation::examples()?;
    let mesh = Mesh::start(release, module, &examples)?;
    let mut failures = Vec::new();
    for (number, example) in examples.iter().enumerate() {
        for exchange in &example.exchanges {
            if let Err(error) = one(&mesh, number, exchange) {
                failures.push(format!("{}: {error:#}", exchange.place));
            }
        }
    }
    if let Err(error) = mesh.check() {
        failures.push(format!("{error:#}"));
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n\n"));
    }
    Ok(())
}

fn one(mesh: &Mesh, number: usize, exchange: &Exchange) -> Result<()> {
    let mut variables = Variables::default();
    let before = mesh.finished_spans()?;
    let response = mesh.send(number, exchange, &mut variables)?;
    if let Some(wanted) = &exchange.response {
        compare::response(wanted, &response, &mut variables)?;
    } else if response.status != 200 {
        bail!("the response was {response:?}");
    }
    let entry = mesh.logged(number, exchange)?;
    compare::entry(&exchange.access_log, &entry, &mut variables).context("the access log")?;
    if let Some(wanted) = &exchange.spans {
        let exported = mesh.exported(wanted.len())?;
        spans::compare(wanted, exported, &mut variables)?;
    }
    let finished = mesh.finished_spans()? - before;
    let shown = exchange.spans.as_ref().map_or(0, Vec::len);
    if finished != shown as u64 {
        bail!("{finished} spans, of which {shown} are shown");
    }
    Ok(())
}
