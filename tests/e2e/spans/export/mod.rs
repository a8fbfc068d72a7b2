//! The way out: batches, calls, answers, destinations. All topics share one Envoy, and what the filter says in the end of
//! every span must be what they expect together.

mod answers;
mod batches;
mod calls;
mod draining;
mod names;
mod own_calls;
mod plain;
mod stage;
mod two;
mod unreachable;

use crate::suite::Only;
use answers::Answers;
use anyhow::Result;
use batches::Batches;
use calls::Calls;
use draining::Draining;
use names::Names;
use own_calls::OwnCalls;
use plain::Plain;
use stage::{Plan, Stage};
use std::path::Path;
use throughline_dev::envoy::Release;
use two::Two;
use unreachable::Unreachable;

/// Runs all of it where `only` is in the name.
pub fn run(release: Release, module: &Path, only: &Only, failures: &mut Vec<String>) {
    const NAME: &str = "spans leave as they should, and every one is accounted for";
    if only.names(NAME) {
        println!("Envoy {release}: {NAME}");
        if let Err(error) = play(release, module, failures) {
            failures.push(format!("{NAME}\n{error:#}"));
        }
    }
}

/// What is tested, and how.
type Step<'a> = (&'a str, &'a dyn Fn(&Stage) -> Result<()>);

fn play(release: Release, module: &Path, failures: &mut Vec<String>) -> Result<()> {
    let mut plan = Plan::new(module)?;
    let unreachable = Unreachable::plan(&mut plan)?;
    let answers = Answers::plan(&mut plan)?;
    let draining = Draining::plan(&mut plan)?;
    let batches = Batches::plan(&mut plan)?;
    let calls = Calls::plan(&mut plan)?;
    let own_calls = OwnCalls::plan(&mut plan)?;
    let names = Names::plan(&mut plan)?;
    let two = Two::plan(&mut plan)?;
    let plain = Plain::plan(&mut plan)?;
    let stage = plan.start(release)?;
    // What has to wait begins first and ends last.
    let steps: [Step<'_>; 20] = [
        ("a destination out of reach", &|stage| {
            unreachable.begin(stage)
        }),
        ("answers that are no success", &|stage| answers.begin(stage)),
        ("a listener that goes", &|stage| draining.begin(stage)),
        ("a batch that is full", &|stage| batches.size(stage)),
        ("a batch whose time has come", &|stage| batches.time(stage)),
        ("a configuration that changes", &|stage| {
            batches.change(stage)
        }),
        ("a stream that outlives its configuration", &|stage| {
            batches.outlived(stage)
        }),
        ("a destination that stays out of reach", &|stage| {
            unreachable.lasts(stage)
        }),
        ("destinations that Envoy learns of", &|stage| {
            unreachable.heal(stage)
        }),
        ("the headers of a call", &|stage| calls.headers(stage)),
        ("calls that pass the filter", &|stage| own_calls.pass(stage)),
        ("clusters of any name", &|stage| names.called(stage)),
        ("an Envoy without Istio", &|stage| plain.kinds(stage)),
        ("two plugins", &|stage| two.both(stage)),
        ("a listener that went", &|stage| draining.end(stage)),
        ("tries after answers that were no success", &|stage| {
            answers.end(stage)
        }),
        ("a destination within reach again", &|stage| {
            unreachable.end(stage)
        }),
        ("an exporter that has nothing to do", &|_| batches.idle()),
        ("no call that makes spans", &|_| own_calls.nothing_else()),
        ("the filter's books", &Stage::check),
    ];
    let before = failures.len();
    for (name, step) in steps {
        // What one step left undone the books would only repeat.
        if name == "the filter's books" && failures.len() > before {
            break;
        }
        if let Err(error) = step(&stage) {
            failures.push(format!("{name}\n{error:#}"));
        }
    }
    Ok(())
}
