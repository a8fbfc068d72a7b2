//! A run of the program, for every test binary.

use anyhow::{Context, Result};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// What became of it.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// `throughline`, to which arguments can be added.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_throughline"))
}

impl Run {
    /// Runs it with that on its standard input.
    pub fn of(command: &mut Command, input: &[u8]) -> Result<Self> {
        let mut child = command
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
        Ok(Self {
            code: output.status.code().context("ended by a signal")?,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        })
    }
}
