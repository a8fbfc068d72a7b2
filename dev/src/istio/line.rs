//! The lines of Istio that the Go module proxy has.

use super::install;
use crate::envoy::Release;
use anyhow::Result;
use std::fmt;
use std::path::PathBuf;

/// A line, of which `dev/istio/install.py` pins a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    name: &'static str,
    envoy: &'static str,
}

impl Line {
    /// Every line, oldest first, with the line of Envoy that it ships.
    pub const ALL: [Self; 2] = [
        Self {
            name: "1.29",
            envoy: "1.37",
        },
        Self {
            name: "1.31",
            envoy: "1.39",
        },
    ];

    /// Where its programs and files are.
    pub fn directory(self) -> Result<PathBuf> {
        install::directory(&format!("istio-{}", self.name))
    }

    /// The Envoy that it ships, but for Istio's own filters.
    pub fn envoy(self) -> Result<PathBuf> {
        Release::find(self.envoy)?.binary()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
