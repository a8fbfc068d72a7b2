//! The program itself.

#[path = "../common/run.rs"]
mod run;

pub use run::{Run, program};

use anyhow::Result;
use std::path::{Path, PathBuf};

/// `throughline` with those arguments.
pub fn throughline(arguments: &[&str]) -> Result<Run> {
    throughline_reading(arguments, b"")
}

/// The same in the repository's root, with something on its standard input.
pub fn throughline_reading(arguments: &[&str], input: &[u8]) -> Result<Run> {
    Run::of(run::program().args(arguments).current_dir(root()), input)
}

/// The repository's.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
