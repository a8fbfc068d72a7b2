//! What `throughline explain` says of a request is what becomes of it in a real Envoy: every header that reaches the application,
//! every one that the response gets, and what is counted, of each row in `table.yaml`.

mod compare;
mod counts;
mod explain;
mod fields;
mod stage;
mod table;

use anyhow::{Result, ensure};
use stage::Stage;
use std::collections::BTreeSet;
use table::{NODES, Setup};
use throughline_dev::envoy::{Release, chosen_binary};

/// So that the table does not lose them.
const LEAST_ROWS: usize = 60;

#[test]
fn explain_says_what_the_newest_envoy_does() -> Result<()> {
    each(Release::NEWEST)
}

#[test]
fn explain_says_what_the_oldest_envoy_does() -> Result<()> {
    each(Release::OLDEST)
}

fn each(release: Release) -> Result<()> {
    let table = table::read()?;
    let binary = chosen_binary(release)?;
    let (mut rows, mut done, mut failures) = (0, BTreeSet::new(), Vec::new());
    for node in NODES {
        let setups: Vec<&Setup> = table.iter().filter(|setup| setup.node() == node).collect();
        let stage = Stage::start(node, &setups, &binary)?;
        for setup in setups {
            for request in &setup.requests {
                let story = explain::story(setup, request)?;
                let became = stage.send(setup, request)?;
                let complaints = compare::complaints(&story, &request.fields()?, &became);
                if !complaints.is_empty() {
                    failures.push(format!(
                        "{}\n  {}\n  {}",
                        setup.what,
                        request.shown(),
                        complaints.join("\n  ")
                    ));
                }
                done.extend(story.headers.into_iter().map(|header| header.action));
                rows += 1;
            }
        }
        stage.check_alive()?;
    }
    ensure!(
        failures.is_empty(),
        "{} of {rows} rows differ:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    ensure!(
        rows >= LEAST_ROWS && done.len() == 4,
        "{rows} rows, of which headers are {done:?}"
    );
    Ok(())
}
