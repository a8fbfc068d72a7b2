//! What the tests of the manifests share: the repository's files, and the tools that read them as users' tools do.

mod objects;
mod tools;

pub use objects::{Object, objects};
pub use tools::{compose, helm_lint, helm_template, kustomize, promtool};

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A path in the repository.
pub fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The text of a file in the repository.
pub fn text(file: &str) -> Result<String> {
    fs::read_to_string(path(file)).with_context(|| file.to_owned())
}

/// The names of what is in a directory of the repository, sorted.
pub fn names(directory: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path(directory)).with_context(|| directory.to_owned())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Every file of the repository that ends so, what is not committed yet included, sorted.
pub fn files(endings: &[&str]) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(path("."))
        .output()
        .context("git, which knows the repository's files")?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git ls-files: {error}");
    let listed = String::from_utf8(output.stdout)?;
    let ends = |file: &&str| endings.iter().any(|ending| file.ends_with(ending));
    let mut files: Vec<_> = listed.lines().filter(ends).map(str::to_owned).collect();
    files.retain(|file| path(file).is_file());
    files.sort();
    ensure!(!files.is_empty(), "no file ends in {endings:?}");
    Ok(files)
}
