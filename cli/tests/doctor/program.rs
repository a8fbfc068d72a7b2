//! The program itself.

use crate::shape::Report;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// What became of a run.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// `throughline doctor` with those arguments.
pub fn doctor(arguments: &[impl AsRef<OsStr>]) -> Result<Run> {
    doctor_reading(arguments, b"")
}

/// The same, with something on its standard input.
pub fn doctor_reading(arguments: &[impl AsRef<OsStr>], input: &[u8]) -> Result<Run> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .arg("doctor")
        .args(arguments)
        // A proxy of the machine's must not be asked for what is near.
        .env("http_proxy", "http://192.0.2.1:1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let input = input.to_vec();
    // It may end before it has read all.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output()?;
    drop(writer.join());
    Ok(Run {
        code: output.status.code().context("ended by a signal")?,
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8(output.stderr)?,
    })
}

impl Run {
    /// What `--json` printed.
    pub fn report(&self) -> Result<Report> {
        serde_json::from_str(&self.out).with_context(|| format!("{self:?}"))
    }
}
