//! What dev/manifests installs, where the scenarios need it too.

use crate::manifests::root;
use anyhow::{Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// Where it is. Only the installer knows, as the place is named for what it pins.
pub fn manifests(name: &str) -> Result<PathBuf> {
    let output = Command::new("python3")
        .arg(root().join("dev/manifests/install.py"))
        .args(["--installed", name])
        .output()?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().into())
}
