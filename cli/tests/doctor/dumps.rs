//! Dumps of real proxies, a directory each in tests/dumps, and what the doctor says of them.
//!
//! To add one, put what Envoy or istioctl printed into a directory of its own (any files; `*.log` is Envoy's log), and run
//! `UPDATE=1 cargo test -p throughline-cli --test doctor dumps`: it writes `expected.txt`, which you read. That is all.

use crate::program::doctor;
use anyhow::{Context, Result, ensure};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn each_is_told_in_the_words_that_are_expected() -> Result<()> {
    let dumps = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps");
    let directories = sorted(&dumps)?.into_iter().filter(|path| path.is_dir());
    let mut failures = Vec::new();
    for directory in directories {
        if let Err(error) = check(&directory).with_context(|| directory.display().to_string()) {
            failures.push(format!("{error:#}"));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(())
}

fn check(directory: &Path) -> Result<()> {
    const EXPECTED: &str = "expected.txt";
    let mut arguments: Vec<PathBuf> = Vec::new();
    for file in sorted(directory)? {
        match (file.file_name(), file.extension()) {
            (Some(name), _) if name == EXPECTED => continue,
            (_, Some(end)) if end == "log" => arguments.push("--log".into()),
            _ => {}
        }
        arguments.push(file);
    }
    let run = doctor(&arguments)?;
    ensure!(run.err.is_empty(), "{run:?}");
    let said = format!("{}\nexit code {}\n", run.out, run.code);
    arguments.push("--json".into());
    let report = doctor(&arguments)?.report()?;
    let codes = report.codes().len();
    let labels = ["ERROR: ", "WARNING: ", "note: "];
    let lines = run
        .out
        .lines()
        .filter(|line| labels.iter().any(|label| line.starts_with(label)));
    ensure!(
        lines.count() == codes,
        "the text and the JSON differ: {report:#?}"
    );
    let expected = directory.join(EXPECTED);
    if env::var_os("UPDATE").is_some() {
        fs::write(&expected, &said)?;
    }
    let expected = fs::read_to_string(&expected)
        .context("no expected.txt: run with UPDATE=1, and read what it writes")?;
    ensure!(said == expected, "said:\n{said}\nexpected:\n{expected}");
    Ok(())
}

fn sorted(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = directory
        .read_dir()?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}
