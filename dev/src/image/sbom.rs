//! The module's bill of materials, which dev/sbom.py makes.

use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// A CycloneDX document of what is linked into the module, with the time `created`.
pub fn of(root: &Path, created: u64) -> Result<Vec<u8>> {
    let made = Command::new("python3")
        .arg(root.join("dev/sbom.py"))
        .env("SOURCE_DATE_EPOCH", created.to_string())
        .stderr(Stdio::inherit())
        .output()
        .context("python3, for dev/sbom.py")?;
    if !made.status.success() {
        bail!("no bill of materials; the reason is above");
    }
    Ok(made.stdout)
}
