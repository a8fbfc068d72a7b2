//! Runs everything on one Envoy line, and reports every failure, not only the first.

use crate::case::Case;
use crate::stage::Stage;
use crate::{cases, scenarios, spans};
use anyhow::{Result, bail, ensure};
use serde_json::Value;
use std::cell::Cell;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use throughline_dev::built;
use throughline_dev::envoy::Release;

/// All cases, then all scenarios, then all that is about spans. At most [`AT_ONCE`] lines run at a time, and a line has one Envoy at a time.
pub fn run(release: Release) -> Result<()> {
    let _turn = Turn::take();
    let module = built::module()?;
    let only = Only::from_environment();
    let mut failures = Vec::new();
    for (config, cases) in by_config(cases::all(), &only) {
        play(release, &module, &config, &cases, &mut failures);
    }
    for (name, scenario) in scenarios::ALL {
        if only.names(name) {
            println!("Envoy {release}: {name}");
            if let Err(error) = scenario(release, &module) {
                failures.push(format!("{name}\n{error:#}"));
            }
        }
    }
    spans::run(release, &module, &only, &mut failures);
    spans::export::run(release, &module, &only, &mut failures);
    ensure!(
        only.named.get(),
        "nothing has \"{}\" in its name",
        only.text
    );
    if !failures.is_empty() {
        bail!(
            "Envoy {release}: {} failed\n\n{}\n",
            failures.len(),
            failures.join("\n\n")
        );
    }
    Ok(())
}

/// What is to run: all that has a text in its name.
pub struct Only {
    text: String,
    /// Whether it named anything.
    named: Cell<bool>,
}

impl Only {
    fn from_environment() -> Self {
        Self {
            text: std::env::var("ONLY").unwrap_or_default(),
            named: Cell::new(false),
        }
    }

    pub fn names(&self, name: &str) -> bool {
        let is_named = name.contains(&self.text);
        self.named.set(self.named.get() || is_named);
        is_named
    }
}

fn play(
    release: Release,
    module: &Path,
    config: &Value,
    cases: &[Case],
    failures: &mut Vec<String>,
) {
    let stage = match Stage::start(release, module, config) {
        Ok(stage) => stage,
        Err(error) => return failures.push(format!("with the configuration {config}\n{error:#}")),
    };
    for case in cases {
        println!("Envoy {release}: {}", case.name);
        match stage.play(case) {
            Ok(outcome) => {
                let complaints = outcome.complaints(case);
                if !complaints.is_empty() {
                    failures.push(format!(
                        "{}\n  {}\nsent:\n{:?}\nthe application got:\n{:?}\nthe callee got:\n{:?}\n{}",
                        case.name,
                        complaints.join("\n  "),
                        case.request.headers,
                        outcome.app,
                        outcome.callee,
                        stage.logs()
                    ));
                }
            }
            Err(error) => failures.push(format!("{}\n  {error:#}\n{}", case.name, stage.logs())),
        }
    }
    if let Err(error) = stage.check_health() {
        failures.push(format!(
            "after the cases with the configuration {config}\n  {error:#}"
        ));
    }
}

fn by_config(cases: Vec<Case>, only: &Only) -> Vec<(Value, Vec<Case>)> {
    let mut groups: Vec<(Value, Vec<Case>)> = Vec::new();
    for case in cases.into_iter().filter(|case| only.names(case.name)) {
        match groups.iter_mut().find(|(config, _)| *config == case.config) {
            Some((_, group)) => group.push(case),
            None => groups.push((case.config.clone(), vec![case])),
        }
    }
    groups
}

/// An Envoy takes about a core while it compiles the module.
const AT_ONCE: usize = 3;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

struct Turn;

impl Turn {
    fn take() -> Self {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = ENDED
            .wait_while(running, |count| *count >= AT_ONCE)
            .unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
