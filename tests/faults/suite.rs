//! Plays faults, a few at a time, and reports every failure, not only the first.

use crate::fault::{self, Fault};
use crate::table::table;
use crate::trial::{self, Outcome};
use anyhow::{Result, bail, ensure};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use throughline_dev::envoy::Release;
use throughline_dev::receiver::Protocol;
use throughline_dev::{built, figures};

/// They mostly wait; their load must not.
const AT_ONCE: usize = 4;

/// One of each kind: refused connections and a resumed export, a status, a limit.
pub const QUICK: [(&str, Protocol); 3] = [
    ("killed midway and back", Protocol::OtlpGrpc),
    ("answers 400", Protocol::OtlpHttp),
    (
        "down from the start, 4000 requests/s, a queue of 64 KiB",
        Protocol::OtlpHttp,
    ),
];

/// Plays all of them, or those that `ONLY` names, and notes the figures if `DOCS` is set.
pub fn all(release: Release) -> Result<()> {
    let only = std::env::var("ONLY").unwrap_or_default();
    let outcomes = run(release, |fault, _| fault.name.contains(&only))?;
    let figures = table(&outcomes);
    println!("Envoy {release}\n{figures}");
    if std::env::var_os("DOCS").is_some_and(|docs| !docs.is_empty()) && only.is_empty() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
        figures::write(&docs, &release.to_string(), &figures)?;
    }
    Ok(())
}

/// Plays those that are `chosen`, and returns their figures in the order of the list.
pub fn run(release: Release, chosen: impl Fn(&Fault, Protocol) -> bool) -> Result<Vec<Outcome>> {
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

    let (next, outcomes) = (
        Mutex::new(trials.iter().enumerate()),
        Mutex::new(Vec::new()),
    );
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                // The lock must not be held while one plays, as it would be in the condition of the loop.
                let take = || lock(&next).next();
                while let Some((place, (fault, protocol))) = take() {
                    let began = Instant::now();
                    let outcome = trial::play(release, &module, fault, *protocol);
                    let (verdict, took) = (
                        if outcome.is_ok() { "ok" } else { "FAILED" },
                        began.elapsed(),
                    );
                    println!(
                        "Envoy {release}: {}, {protocol}: {verdict}, {:.0} s",
                        fault.name,
                        took.as_secs_f64()
                    );
                    lock(&outcomes).push((place, outcome));
                }
            });
        }
    });

    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(place, _)| *place);
    let (mut good, mut failures) = (Vec::new(), Vec::new());
    for ((fault, protocol), (_, outcome)) in trials.iter().zip(outcomes) {
        match outcome {
            Ok(outcome) => good.push(outcome),
            Err(error) => failures.push(format!("{}, {protocol}\n{error:#}", fault.name)),
        }
    }
    if !failures.is_empty() {
        bail!(
            "Envoy {release}: {} failed\n\n{}\n",
            failures.len(),
            failures.join("\n\n")
        );
    }
    Ok(good)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
