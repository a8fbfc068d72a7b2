//! What every subcommand does with its last words.

use crate::Failure;
use clap::ValueEnum;
use std::io::{self, Write as _};

/// The exit code where nothing can be said: a wrong command line, or something that cannot be read.
pub const CANNOT_TELL: u8 = 2;

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

pub fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever read it has read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot print: {error}")))
        }
        _ => Ok(()),
    }
}

pub fn complain(failure: &Failure) {
    // There is nobody left to tell that nobody can be told.
    let _ = writeln!(io::stderr(), "throughline: {failure}");
}
