//! The command line.

use crate::scenarios::{self, Scenario};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use throughline_dev::istio::Line;

/// What `--help` prints.
pub const HELP: &str = "\
Sends requests through Istio's Bookinfo in a mesh of Istio's own control plane, with Throughline applied by kubectl and its
image pulled by Istio's agents, and shows their traces as Tempo gives them back.

Usage: make demo-istio [SCENARIO=NAME] [ISTIO=LINE]
   or: dev/istio/isolated throughline-demo-istio [--istio LINE] [NAME]

  NAME   request              one request and its waterfall; if no other is named
         canary               reviews 90/10 to v1 and v3: the share in the traces
         reviews-v3-only      every call to reviews v3: every trace passes it
         authz-deny-reviews   reviews denied by a policy: the denial in the traces
         all                  one after the other, in one mesh
  LINE   1.31, or 1.29

Environment:
  NO_COLOR=1                  no colours

Exit code: 0 if all was found as it should be, 1 if not or if something failed, 2 for a wrong command line, 130 if
interrupted.
";

/// What is to be done.
#[derive(Debug)]
pub enum Task {
    Help,
    Play(Line, Vec<Scenario>),
}

/// Reads the arguments after the program's name.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Task> {
    let mut line = Line::NEWEST;
    let mut name = None;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str().context("not text")? {
            "-h" | "--help" => return Ok(Task::Help),
            "--istio" => {
                let value = arguments.next().context("--istio needs a LINE")?;
                line = Line::find(&value.to_string_lossy())?;
            }
            option if option.starts_with('-') => bail!("unknown argument {option:?}"),
            given if name.is_none() => name = Some(given.to_owned()),
            given => bail!("{given:?}: one scenario, or all"),
        }
    }
    let scenarios = scenarios::find(name.as_deref().unwrap_or("request"))?;
    Ok(Task::Play(line, scenarios))
}

#[cfg(test)]
mod tests {
    use super::{Task, read};
    use crate::scenarios::ALL;

    fn given(arguments: &[&str]) -> anyhow::Result<(String, Vec<&'static str>)> {
        match read(arguments.iter().map(Into::into))? {
            Task::Help => Ok(("help".to_owned(), Vec::new())),
            Task::Play(line, scenarios) => {
                let names = scenarios.iter().map(|scenario| scenario.name).collect();
                Ok((line.to_string(), names))
            }
        }
    }

    #[test]
    fn arguments_are_read() -> anyhow::Result<()> {
        let all = ALL.map(|scenario| scenario.name);
        for (arguments, line, names) in [
            (&[] as &[&str], "1.31", &["request"] as &[&str]),
            (&["canary"], "1.31", &["canary"]),
            (&["--istio", "1.29", "all"], "1.29", &all),
            (&["all", "--help"], "help", &[]),
        ] {
            assert_eq!(given(arguments)?, (line.to_owned(), names.to_vec()));
        }
        Ok(())
    }

    #[test]
    fn mistakes_are_named() {
        for (arguments, named) in [
            (&["--jsn"] as &[&str], "--jsn"),
            (&["--istio"], "LINE"),
            (&["--istio", "1.2"], "1.29 1.31"),
            (
                &[""],
                "request, canary, reviews-v3-only, authz-deny-reviews, all",
            ),
            (&["canaries"], "canary"),
            (&["canary", "request"], "one scenario"),
        ] {
            let error = given(arguments).expect_err("a mistake");
            assert!(format!("{error:#}").contains(named), "{error:#}");
        }
    }
}
