//! The program itself.

#[path = "../common/run.rs"]
mod run;

pub use run::Run;

use crate::shape::Report;
use anyhow::{Context, Result};
use std::ffi::OsStr;

/// `throughline doctor` with those arguments.
pub fn doctor(arguments: &[impl AsRef<OsStr>]) -> Result<Run> {
    doctor_reading(arguments, b"")
}

/// The same, with something on its standard input.
pub fn doctor_reading(arguments: &[impl AsRef<OsStr>], input: &[u8]) -> Result<Run> {
    let mut command = run::program();
    command
        .arg("doctor")
        .args(arguments)
        // A proxy of the machine's must not be asked for what is near.
        .env("http_proxy", "http://192.0.2.1:1");
    Run::of(&mut command, input)
}

impl Run {
    /// What `--json` printed.
    pub fn report(&self) -> Result<Report> {
        serde_json::from_str(&self.out).with_context(|| format!("{self:?}"))
    }
}
