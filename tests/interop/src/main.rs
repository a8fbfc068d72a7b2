//! Applications with real SDKs behind real Envoys with the filter: does each continue what the other writes? The table
//! is in docs/interop.md; this plays every row of it and fails where it sees something else.
//!
//! ```text
//! make test-interop              every row, and one tree of all spans
//! make test-interop ONLY=brave   the rows of what has that in its name; the table is not compared
//! make test-interop DOCS=1       every row, and the table is written anew
//! ```

mod application;
mod cells;
mod context;
mod play;
mod stage;
mod table;
mod tree;
mod verdict;

use anyhow::{Context, Result, bail, ensure};
use application::Built;
use stage::Stage;
use std::collections::BTreeMap;
use std::path::Path;
use table::Row;
use throughline_dev::figures;

/// The name of the table in docs/interop.md.
const FIGURES: &str = "interop";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (only, write) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => ("", false),
        ["--docs"] => ("", true),
        ["--only", only] => (only, false),
        _ => bail!("expected nothing, --docs or --only TEXT, got {arguments:?}"),
    };
    let applications = application::build()?;
    let rows = rows(&applications, only)?;
    let table = table::render(&rows)?;
    if only.is_empty() {
        compare(&table, write)?;
    }
    if tree::APPLICATION.contains(only) {
        let built = applications.get(tree::APPLICATION);
        tree::play(built.context("the application of the tree is not built")?)?;
    }
    Ok(())
}

fn rows(applications: &BTreeMap<String, Built>, only: &str) -> Result<Vec<Row>> {
    let stage = Stage::start()?;
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    let chosen = |cell: &cells::Cell| cell.application.contains(only);
    for cell in cells::all().into_iter().filter(chosen) {
        let name = format!("{}, {}", cell.application, cell.settings);
        let built = applications
            .get(cell.application)
            .with_context(|| format!("install.py builds no {}", cell.application))?;
        match play::play(&stage, &cell, built) {
            Ok(answers) => {
                let verdicts = answers.columns().map(|verdict| verdict.to_string());
                println!("{name}: {}", verdicts.join(", "));
                let sdk = built.sdk.clone();
                rows.push(Row { sdk, cell, answers });
            }
            Err(error) => {
                println!("{name}: failed");
                failures.push(format!("{name}\n{error:#}"));
            }
        }
    }
    ensure!(
        failures.is_empty(),
        "{} failed\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    ensure!(!rows.is_empty(), "no application has {only:?} in its name");
    Ok(rows)
}

fn compare(seen: &str, write: bool) -> Result<()> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/interop.md");
    if write {
        return figures::write(&document, FIGURES, seen);
    }
    let there = figures::read(&document, FIGURES)?;
    ensure!(
        there == seen.trim(),
        "docs/interop.md differs from what was seen. There, and not seen:\n{}Seen, and not there:\n{}\
         If that is as it should be: make test-interop DOCS=1",
        table::missing(&there, seen),
        table::missing(seen, &there)
    );
    Ok(())
}
