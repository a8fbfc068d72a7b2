//! The Envoy releases that the project is tested on, and where their binaries are.

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::{env, fmt};

/// A pinned release: one for each Envoy line that a supported Istio ships. `dev/envoy/<version>.txt` pins its hashes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Release(&'static str);

impl Release {
    /// Every pinned release, oldest first.
    pub const ALL: [Self; 5] = [
        Self("1.36.4"),
        Self("1.37.0"),
        Self("1.38.2"),
        Self("1.39.3"),
        Self("1.40.0"),
    ];

    /// The newest.
    pub const NEWEST: Self = Self::ALL[Self::ALL.len() - 1];

    /// The oldest.
    pub const OLDEST: Self = Self::ALL[0];

    /// The release of that version, such as `1.36.4`, or of that line, such as `1.36`.
    pub fn find(version: &str) -> Result<Self> {
        let matches = |release: &Self| {
            release.0 == version
                || release
                    .0
                    .rsplit_once('.')
                    .is_some_and(|(line, _)| line == version)
        };
        match Self::ALL.into_iter().find(matches) {
            Some(release) => Ok(release),
            None => bail!(
                "no pinned Envoy {version:?}; there are: {}",
                Self::ALL.map(|r| r.0).join(" ")
            ),
        }
    }

    /// Where dev/envoy/install.py put its binary.
    pub fn binary(self) -> Result<PathBuf> {
        let path = cache()?.join("envoy").join(self.0).join("envoy");
        if !path.is_file() {
            bail!("Envoy {self} is not installed: run python3 dev/envoy/install.py {self}");
        }
        Ok(path)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The binary that `ENVOY` names, else that of `release`: for whatever runs on one Envoy of the user's choice.
pub fn chosen_binary(release: Release) -> Result<PathBuf> {
    match set("ENVOY") {
        None => release.binary(),
        Some(path) if PathBuf::from(&path).is_file() => Ok(path.into()),
        Some(path) => bail!("ENVOY={path}: there is no such file"),
    }
}

/// Must agree with dev/envoy/install.py.
fn cache() -> Result<PathBuf> {
    if let Some(own) = set("THROUGHLINE_CACHE") {
        return Ok(own.into());
    }
    let base = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cache")));
    match base {
        Some(base) => Ok(base.join("throughline")),
        None => bail!(
            "there is no home directory: set THROUGHLINE_CACHE to the directory with the Envoys"
        ),
    }
}

fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
