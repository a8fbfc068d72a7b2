//! The files that a user of the cluster has, and the commands that they type.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use throughline_dev::image::Digest;
use throughline_dev::image::pin::{self, Pin};
use throughline_dev::istio::{Kubectl, REGISTRY};

/// What they need of the repository.
const FILES: [&str; 2] = ["wasmplugin", "examples/demo-istio/manifests"];

/// The repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A copy of the manifests.
#[derive(Debug)]
pub struct Workspace {
    directory: PathBuf,
    kubectl: Kubectl,
}

impl Workspace {
    /// Copies them into the new directory `directory`.
    pub fn copy(directory: PathBuf, kubectl: Kubectl) -> Result<Self> {
        fs::create_dir(&directory)?;
        let copied = Command::new("cp")
            .args(["-r", "--parents"])
            .args(FILES)
            .arg(&directory)
            .current_dir(repository())
            .status()?;
        ensure!(copied.success(), "cp {}", FILES.join(" "));
        Ok(Self { directory, kubectl })
    }

    /// Does what `make pin` does.
    pub fn pin(&self, tag: &str, digest: &Digest) -> Result<()> {
        let pin = Pin::new(&format!("{REGISTRY}/throughline"), Some(tag), digest);
        let files = pin::yaml_files(&[self.directory.join("wasmplugin")])?;
        let changed = pin::pin_files(&files, &pin)?;
        ensure!(!changed.is_empty(), "no manifest has a place for the image");
        Ok(())
    }

    /// Runs kubectl in it, and shows the command with what it answers.
    pub fn kubectl(&self, arguments: &str) -> Result<()> {
        eprintln!("  $ kubectl {arguments}");
        let output = self
            .kubectl
            .command()
            .args(arguments.split(' '))
            .current_dir(&self.directory)
            .output()
            .context("kubectl")?;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            eprintln!("    {line}");
        }
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "kubectl {arguments}: {}",
            error.trim()
        );
        Ok(())
    }
}
