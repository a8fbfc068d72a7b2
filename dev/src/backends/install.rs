//! Where dev/backends/install.py put a backend.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of that name. Only the installer knows where it is, as the place is named for what it pins.
pub fn program(name: &str) -> Result<PathBuf> {
    let installer = Path::new(env!("CARGO_MANIFEST_DIR")).join("backends/install.py");
    let answer = Command::new("python3")
        .arg(&installer)
        .args(["--installed", name])
        .output()
        .context("python3, which knows where the backends are")?;
    if !answer.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&answer.stderr).trim());
    }
    Ok(String::from_utf8(answer.stdout)?.trim_end().into())
}
