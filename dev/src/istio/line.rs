//! The lines of Istio that the Go module proxy has.

use super::install;
use crate::envoy::Release;
use anyhow::{Result, bail};
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

    /// The newest.
    pub const NEWEST: Self = Self::ALL[Self::ALL.len() - 1];

    /// The line of that name, such as `1.31`.
    pub fn find(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|line| line.name == name) {
            Some(line) => Ok(line),
            None => bail!(
                "no pinned Istio {name:?}; there are: {}",
                Self::ALL.map(|l| l.name).join(" ")
            ),
        }
    }

    /// The line of Envoy that it ships, such as `1.39`.
    pub fn ships(self) -> &'static str {
        self.envoy
    }

    /// Whether it knows TrafficExtension beside WasmPlugin.
    pub fn has_traffic_extensions(self) -> bool {
        self.name != "1.29"
    }

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
