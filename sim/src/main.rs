//! `throughline-sim [--requests N] [--seed N] [--only TEXT] [--hours N]`: the table of docs/decisions/joins.md, each cell counted for itself.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::{sync::Mutex, time::Instant};

use anyhow::{Context as _, Result, bail};
use throughline::join::ladder::Rung;
use throughline_sim::{
    cell::{Cell, all},
    tally::Tally,
    world::World,
};

struct Options {
    /// Counted in each cell, besides those of its learning.
    requests: u64,
    seed: u64,
    only: String,
    /// Of learning, in place of what each cell has.
    hours: Option<f64>,
}

fn main() -> Result<()> {
    let options = options()?;
    let cells: Vec<Cell> = all()
        .into_iter()
        .filter(|cell| cell.name().contains(&options.only))
        .collect();
    let start = Instant::now();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((place, cell)) = take(&next, &cells) {
                    let seed = options.seed.wrapping_add(place as u64);
                    let (requests, tally) = run(*cell, seed, &options);
                    let row = row(cell, seed, &tally);
                    let Ok(mut done) = done.lock() else { return };
                    let (count, all) = (done.len() + 1, cells.len());
                    let seconds = start.elapsed().as_secs();
                    eprintln!("{count} of {all}, {seconds} s: {row}");
                    done.push((place, requests, row));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_unstable_by_key(|(place, ..)| *place);
    println!("{HEAD}");
    for (_, _, row) in &done {
        println!("{row}");
    }
    let requests: u64 = done.iter().map(|(_, requests, _)| requests).sum();
    println!(
        "\n{requests} requests in {} s; seed {} and up.",
        start.elapsed().as_secs(),
        options.seed
    );
    Ok(())
}

fn take<'a>(next: &AtomicUsize, cells: &'a [Cell]) -> Option<(usize, &'a Cell)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    Some((place, cells.get(place)?))
}

/// All requests, and what came of those that count.
fn run(cell: Cell, seed: u64, options: &Options) -> (u64, Tally) {
    let mut world = World::new(cell, seed);
    let (hours, load) = cell.learning;
    let hours = options.hours.unwrap_or(hours);
    world.learn((hours * 3600.0) as u64, load);
    world.measure(options.requests);
    (world.requests(), world.tally)
}

const HEAD: &str = "\
| seed | application | in flight | calls | of nobody | key | route | sole | wrong | precision, and at least with 95 % | coverage |
|---|---|---|---|---|---|---|---|---|---|---|";

fn row(cell: &Cell, seed: u64, tally: &Tally) -> String {
    let by = |rung: Rung| tally.of(rung).count();
    let asserted = tally.asserted();
    let precision = match asserted.precision() {
        None => "nothing asserted".to_owned(),
        Some(precision) => {
            let bound = asserted.lower_bound();
            let verdict = if asserted.is_proven() {
                ""
            } else {
                ", unproven"
            };
            format!("{:.3}, {:.3}{verdict}", 100.0 * precision, 100.0 * bound)
        }
    };
    format!(
        "| {seed} | {} | {} | {} | {} | {} | {} | {} | {} | {precision} | {:.1} |",
        cell.name(),
        cell.load,
        tally.calls,
        tally.others,
        by(Rung::Key),
        by(Rung::Route),
        by(Rung::Sole),
        asserted.wrong,
        100.0 * tally.coverage(),
    )
}

fn options() -> Result<Options> {
    let mut options = Options {
        requests: 300_000,
        seed: 1,
        only: String::new(),
        hours: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .with_context(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--requests" => options.requests = value.parse().context("--requests: a number")?,
            "--seed" => options.seed = value.parse().context("--seed: a number")?,
            "--only" => options.only = value,
            "--hours" => options.hours = Some(value.parse().context("--hours: a number")?),
            _ => bail!("unknown option {name}; there are --requests, --seed, --only and --hours"),
        }
    }
    Ok(options)
}
