//! Why something could not be read: one line, and what to do instead.

use std::fmt;

/// For people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    pub fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
}

impl fmt::Display for Failure {
    /// In one line, whatever was read into it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&throughline::text::one_line(&self.0))
    }
}

impl std::error::Error for Failure {}
