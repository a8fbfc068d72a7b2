//! Runs every scenario on one line of Istio, and reports every failure, not only the first. Each line needs a network of its own, as
//! a mesh takes the usual ports.

use crate::books;
use crate::scenarios;
use crate::stage::Stage;
use anyhow::{Result, bail, ensure};
use std::time::Instant;
use throughline_dev::istio::Line;

pub fn run(line: Line) -> Result<()> {
    let only = std::env::var("ONLY").unwrap_or_default();
    for part in only.split(',') {
        // Else a slip of the pen plays nothing, and all is well.
        let mut names = scenarios::ALL.iter().map(|(name, _)| name);
        ensure!(
            names.any(|name| name.contains(part)),
            "ONLY={only}: no scenario has {part:?} in its name"
        );
    }
    let begun = Instant::now();
    let stage = Stage::start(line)?;
    println!("Istio {line}: the mesh is there, {:.0?}", begun.elapsed());
    let mut failures = Vec::new();
    for (name, scenario) in scenarios::ALL {
        if !only.split(',').any(|part| name.contains(part)) {
            continue;
        }
        let begun = Instant::now();
        let result = stage.reset().and_then(|()| scenario(&stage));
        println!("Istio {line}: {name}, {:.1?}", begun.elapsed());
        if let Err(error) = result {
            println!("{error:#}");
            failures.push(format!("{name}\n{error:#}\n{}", stage.logs()));
        }
    }
    let begun = Instant::now();
    let balance = books::balance(&stage);
    println!("Istio {line}: the books, {:.1?}", begun.elapsed());
    if let Err(error) = balance {
        failures.push(format!("the books\n{error:#}\n{}", stage.logs()));
    }
    if !failures.is_empty() {
        bail!(
            "Istio {line}: {} failed\n\n{}\n",
            failures.len(),
            failures.join("\n\n")
        );
    }
    Ok(())
}
