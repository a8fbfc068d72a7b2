//! The command line.

use crate::cpu::Amount;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
Measures the filter in a real Envoy with one worker.      (make bench, make soak)

Usage: throughline-bench cpu [--rounds N] [--requests N] [--only TEXT] [--docs FILE]
       throughline-bench soak [--seconds N] [--docs FILE]

  cpu          Envoy's CPU for one request: without a filter, with it, with each export, and with Envoy's own tracers,
               in turn. Writes every measurement to target/bench.json
  soak         every request sampled, as many as Envoy takes, for 60 s: fails if a span is lost
  --rounds N   how often each is measured (11)
  --requests N how many requests each time (25600; best a multiple of 512)
  --only TEXT  only what has that in its name, besides what it is compared to
  --docs FILE  also write the tables into that file, where it has a place for them

Environment:
  ENVOY=/path/to/envoy       an Envoy of your own instead of the pinned 1.40.0
  THROUGHLINE_MODULE=FILE    another module than target/throughline.wasm
";

/// What is to be done.
#[derive(PartialEq, Debug)]
pub enum Task {
    Help,
    Cpu { amount: Amount, only: String },
    Soak { time: Duration },
}

/// What is to be done, and the file that wants to know.
#[derive(PartialEq, Debug)]
pub struct Arguments {
    pub task: Task,
    pub docs: Option<PathBuf>,
}

/// Reads the arguments after the program's name.
pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<Arguments> {
    let mut arguments = arguments.into_iter();
    let mut task = match arguments.next().as_deref() {
        Some("cpu") => Task::Cpu {
            amount: Amount {
                rounds: 11,
                requests: 50 * 512,
            },
            only: String::new(),
        },
        Some("soak") => Task::Soak {
            time: Duration::from_secs(60),
        },
        Some("-h" | "--help") => Task::Help,
        other => bail!("expected cpu or soak, got {:?}", other.unwrap_or_default()),
    };
    let mut docs = None;
    while let Some(argument) = arguments.next() {
        let value = arguments
            .next()
            .with_context(|| format!("{argument} needs a value"))?;
        let number = || match value.parse::<u32>() {
            Ok(number) if number > 0 => Ok(number),
            _ => bail!("{argument} {value}: not a number above 0"),
        };
        match (&mut task, argument.as_str()) {
            (_, "--docs") => docs = Some(value.into()),
            (Task::Cpu { amount, .. }, "--rounds") => amount.rounds = number()? as usize,
            (Task::Cpu { amount, .. }, "--requests") => amount.requests = number()?.into(),
            (Task::Cpu { only, .. }, "--only") => *only = value,
            (Task::Soak { time }, "--seconds") => *time = Duration::from_secs(number()?.into()),
            _ => bail!("unknown argument {argument:?}"),
        }
    }
    Ok(Arguments { task, docs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(arguments: &[&str]) -> Result<Arguments> {
        read(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn amounts_can_be_changed() -> Result<()> {
        let Arguments { task, docs } =
            given(&["cpu", "--rounds", "2", "--only", "x", "--docs", "a.md"])?;
        let amount = Amount {
            rounds: 2,
            requests: 25_600,
        };
        let only = "x".to_owned();
        assert_eq!(
            (task, docs),
            (Task::Cpu { amount, only }, Some("a.md".into()))
        );
        let time = Duration::from_secs(5);
        assert_eq!(
            given(&["soak", "--seconds", "5"])?.task,
            Task::Soak { time }
        );
        Ok(())
    }

    #[test]
    fn mistakes_are_named() {
        for (arguments, named) in [
            (&[] as &[&str], "expected cpu or soak"),
            (&["cpus"], "cpus"),
            (&["cpu", "--rounds"], "--rounds needs a value"),
            (&["cpu", "--rounds", "0"], "--rounds 0"),
            (&["soak", "--rounds", "1"], "--rounds"),
        ] {
            let error = given(arguments).expect_err("a mistake");
            assert!(format!("{error:#}").contains(named), "{error:#}");
        }
    }
}
