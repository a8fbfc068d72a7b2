//! What the tests of the manifests share: the repository's files, and the tools that read them as users' tools do.

mod objects;
mod tools;

pub use objects::{Object, objects};
pub use tools::{helm_lint, helm_template, kustomize, promtool};

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

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
