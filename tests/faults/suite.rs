//! Plays faults, a few at a time, and reports every failure, not only the first.

use crate::fault::{self, Fault};
use crate::table::table;
use crate::trial::{self, Outcome};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use throughline_dev::envoy::Release;
use throughline_dev::receiver::Protocol;
use throughline_dev::{built, figures};

/// They mostly wait; their load must not.
const AT_ONCE: usize = 4;

/// One of each kind, each protocol among them.
pub const QUICK: [(&str, Protocol); 9] = [
    ("down from the start", Protocol::OtlpHttpJson),
    (
        "down from the start, 2000 requests/s, a queue of 64 KiB",
        Protocol::OtlpHttp,
    ),
    ("killed midway and back", Protocol::OtlpGrpc),
    ("answers 400", Protocol::OtlpHttp),
    ("answers 429 with Retry-After", Protocol::OtlpGrpc),
    ("answers 503", Protocol::Zipkin),
    ("answers garbage", Protocol::OtlpHttp),
    ("takes a part of each batch", Protocol::OtlpHttpJson),
    ("resets connections", Protocol::Zipkin),
];

/// What becomes of a trial whose requests stalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stalls {
    /// It is played again, and fails in the end.
    Fail,
    /// It is said: while a machine does other things, a stall proves nothing.
    Say,
}

/// A stall that is the machine's own does not come so often in a row.
const STALLS: usize = 3;

/// Plays all of them, or those that `ONLY` names, and notes the figures if `DOCS` is set.
pub fn all(release: Release) -> Result<()> {
    let only = std::env::var("ONLY").unwrap_or_default();
    let outcomes = run(release, Stalls::Fail, |fault, _| fault.name.contains(&only))?;
    if std::env::var_os("DOCS").is_some_and(|docs| !docs.is_empty()) && only.is_empty() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
        figures::write(&docs, &release.to_string(), &table(&outcomes))?;
    }
    Ok(())
}

/// Plays those that are `chosen`, and returns their figures in the order of the list.
pub fn run(
    release: Release,
    stalls: Stalls,
    chosen: impl Fn(&Fault, Protocol) -> bool,
) -> Result<Vec<Outcome>> {
    let module = built::module()?;
    let faults = fault::all();
    let all = faults.iter().flat_map(|fault| {
        let each = fault.protocols.iter();
        each.map(move |protocol| (fault, *protocol))
    });
    let trials: Vec<_> = all
        .filter(|(fault, protocol)| chosen(fault, *protocol))
        .collect();
    ensure!(!trials.is_empty(), "no such fault");

    let (next, played) = (
        Mutex::new(trials.iter().enumerate()),
        Mutex::new(BTreeMap::new()),
    );
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                // The lock must not be held while one plays, as it would be in the condition of the loop.
                let take = || lock(&next).next();
                while let Some((place, (fault, protocol))) = take() {
                    let outcome = play(release, stalls, &module, fault, *protocol);
                    let outcome = outcome.with_context(|| format!("{}, {protocol}", fault.name));
                    lock(&played).insert(place, outcome);
                }
            });
        }
    });

    let (mut outcomes, mut failures) = (Vec::new(), Vec::new());
    for (_, outcome) in std::mem::take(&mut *lock(&played)) {
        match outcome {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    println!("\nEnvoy {release}\n{}", table(&outcomes));
    if !failures.is_empty() {
        bail!(
            "Envoy {release}: {} failed\n\n{}\n",
            failures.len(),
            failures.join("\n\n")
        );
    }
    Ok(outcomes)
}

fn play(
    release: Release,
    stalls: Stalls,
    module: &Path,
    fault: &Fault,
    protocol: Protocol,
) -> Result<Outcome> {
    let name = format!("Envoy {release}: {}, {protocol}", fault.name);
    let mut before = 0;
    loop {
        let began = Instant::now();
        let outcome = trial::play(release, module, fault, protocol)?;
        match (outcome.stall(), stalls) {
            (None, _) => {
                println!("{name}: {:.0} s", began.elapsed().as_secs_f64());
                return Ok(outcome);
            }
            (Some(stall), Stalls::Say) => {
                println!("{name}: {stall}");
                return Ok(outcome);
            }
            (Some(stall), Stalls::Fail) if before < STALLS => {
                println!("{name}: once more, as {stall}");
            }
            (Some(stall), Stalls::Fail) => bail!("{stall}, and so it was {STALLS} times before"),
        }
        before += 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
