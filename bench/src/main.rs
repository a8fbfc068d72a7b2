//! What a request costs in Envoy with the filter, beside what it costs with Envoy's own tracers; and whether the filter
//! loses a span at full speed. See [`arguments::HELP`].

mod arguments;
mod contender;
mod cpu;
mod soak;
mod stage;
mod statistics;
mod table;

use anyhow::{Result, ensure};
use arguments::{Arguments, Task};
use contender::{Modules, NATIVE, NOTHING};
use cpu::Amount;
use std::fs;
use std::path::Path;
use std::time::Duration;
use throughline_dev::envoy::{Release, chosen_binary};
use throughline_dev::{built, figures};

fn main() -> Result<()> {
    let Arguments { task, docs } = arguments::read(std::env::args().skip(1))?;
    match task {
        Task::Help => print!("{}", arguments::HELP),
        Task::Cpu { amount, only } => cpu(amount, &only, docs.as_deref())?,
        Task::Soak { time } => soak(time, docs.as_deref())?,
    }
    Ok(())
}

fn cpu(amount: Amount, only: &str, docs: Option<&Path>) -> Result<()> {
    let modules = Modules::new(&built::module()?)?;
    let mut contenders = modules.contenders();
    contenders.retain(|contender| {
        [NOTHING, NATIVE].contains(&contender.name) || contender.name.contains(only)
    });
    let results = cpu::measure(contenders, &chosen_binary(Release::NEWEST)?, amount)?;
    let text = table::markdown(&results);
    println!("{text}");
    fs::create_dir_all("target")?;
    fs::write(
        "target/bench.json",
        serde_json::to_vec_pretty(&table::json(&results))?,
    )?;
    docs.map_or(Ok(()), |docs| figures::write(docs, "cpu", &text))
}

fn soak(time: Duration, docs: Option<&Path>) -> Result<()> {
    let modules = Modules::new(&built::module()?)?;
    let soaks = soak::all(&modules, &chosen_binary(Release::NEWEST)?, time)?;
    let text = soak::table(&soaks);
    println!("{text}");
    if let Some(docs) = docs {
        figures::write(docs, "soak", &text)?;
    }
    ensure!(soaks.iter().all(|soak| soak.lost() == 0), "spans were lost");
    Ok(())
}
