//! The manifests as users have them: a copy, with the image written in.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A copy of `wasmplugin/`.
#[derive(Debug)]
pub struct Manifests(TempDir);

impl Manifests {
    /// Copies them, with the image at `url` and its digest.
    pub fn copy(url: &str, sha256: &str) -> Result<Self> {
        let copy = Self(tempfile::tempdir()?);
        let from = root().join("wasmplugin");
        let copied = Command::new("cp")
            .arg("-r")
            .arg(&from)
            .arg(copy.0.path())
            .status()?;
        anyhow::ensure!(copied.success(), "cp {}", from.display());
        let base = copy.0.path().join("wasmplugin/base/throughline.yaml");
        let text = fs::read_to_string(&base).with_context(|| base.display().to_string())?;
        let text = text
            .replace("replace-this-with-oci://your-registry/throughline", url)
            .replace("replace-this-with-the-manifest-digest", sha256);
        fs::write(&base, text)?;
        Ok(copy)
    }

    /// A kustomization, such as `overlays/dev`.
    pub fn path(&self, kustomization: &str) -> PathBuf {
        self.0.path().join("wasmplugin").join(kustomization)
    }
}
