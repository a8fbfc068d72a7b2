//! Where dev/istio/install.py put its programs.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory of a set of programs. Only the installer knows where it is, as the place is named for what it pins.
pub fn directory(set: &str) -> Result<PathBuf> {
    let installer = Path::new(env!("CARGO_MANIFEST_DIR")).join("istio/install.py");
    let answer = Command::new("python3")
        .arg(&installer)
        .args(["--installed", set])
        .output()
        .context("python3, which knows where the programs are")?;
    if !answer.status.success() {
        bail!("{set}: {}", String::from_utf8_lossy(&answer.stderr).trim());
    }
    Ok(String::from_utf8(answer.stdout)?.trim_end().into())
}
