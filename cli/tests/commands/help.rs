//! The examples of `--help`: people copy them as they stand.

use crate::program::{Run, program, root};
use anyhow::{Result, ensure};
use std::fs;
use std::os::unix::fs::symlink;
use tempfile::TempDir;

const SUBCOMMANDS: [&str; 6] = ["check", "explain", "doctor", "schema", "completion", "man"];
const REQUEST: &str = "GET /ratings/0 HTTP/1.1\nhost: ratings\n";

/// In a copy of the repository, beside the files that they call the user's. What reads a running Envoy, a test with one runs
/// (`cli/tests/doctor/live.rs`, `dev/tests/istio/scenarios/documented.rs`).
#[test]
fn examples_do_what_they_are_there_for() -> Result<()> {
    let here = TempDir::new()?;
    let dumps = root().join("cli/tests/dumps/healthy");
    for (name, text) in [
        ("pluginconfig.json", "{\"sampling\": {\"arg\": 0.1}}"),
        ("pluginconfig.yaml", "sampling: {arg: 0.1}\n"),
        ("request.txt", REQUEST),
        (
            "config_dump.json",
            &fs::read_to_string(dumps.join("config_dump.json"))?,
        ),
        ("stats.txt", &fs::read_to_string(dumps.join("stats.txt"))?),
        (
            "clusters.json",
            &fs::read_to_string(dumps.join("clusters.json"))?,
        ),
        ("proxy.log", &fs::read_to_string(dumps.join("envoy.log"))?),
    ] {
        fs::write(here.path().join(name), text)?;
    }
    for folder in ["wasmplugin", "examples", "charts"] {
        symlink(
            root().join(folder).canonicalize()?,
            here.path().join(folder),
        )?;
    }
    let manifest = fs::read(root().join("wasmplugin/base/throughline.yaml"))?;
    let dump = fs::read(dumps.join("config_dump.json"))?;
    let mut ran = 0;
    for subcommand in SUBCOMMANDS {
        let help = Run::of(program().args([subcommand, "--help"]), b"")?.out;
        let Some((_, examples)) = help.split_once("Examples:\n") else {
            continue;
        };
        let examples = examples.split("\n\n").next().unwrap_or_default();
        for example in examples.replace("\\\n", "").lines().map(str::trim) {
            let is_live = example.contains("<(") || example.contains("http://localhost:15000");
            let Some((before, command)) = example.split_once("throughline ").filter(|_| !is_live)
            else {
                continue;
            };
            let render = before.strip_prefix("kubectl kustomize ");
            let overlay = render.map(|render| here.path().join(render.trim_end_matches(" | ")));
            ensure!(overlay.is_none_or(|overlay| overlay.is_dir()), "{example}");
            let (input, code) = match subcommand {
                "doctor" if !before.is_empty() => (dump.as_slice(), 2),
                _ => (manifest.as_slice(), 0),
            };
            // What the shell does with what is printed is its matter.
            let command = command.split(['>', '|']).next().unwrap_or_default();
            let run = Run::of(program().args(words(command)).current_dir(&here), input)?;
            ensure!(
                run.code == code && !run.out.is_empty(),
                "{example}: {run:?}"
            );
            ran += 1;
        }
    }
    ensure!(ran >= 9, "{ran}");
    Ok(())
}

/// As a shell reads them; single quotes are all that there is.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in command.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
