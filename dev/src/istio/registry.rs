//! A registry, and the images in it.

use super::daemon::Daemon;
use super::install;
use super::network::NODE;
use crate::image::Digest;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Its address, by a name that every pod resolves.
pub const HOST: &str = "registry.test:5000";

/// A running registry. Dropping it ends it.
#[derive(Debug)]
pub struct Registry {
    daemon: Daemon,
    crane: PathBuf,
}

impl Registry {
    /// Starts one that keeps everything in memory.
    pub fn start(directory: &Path) -> Result<Self> {
        let crane = install::directory("tools")?.join("crane");
        let mut command = Command::new(&crane);
        command.args(["registry", "serve", "--address"]);
        command.arg(format!("{NODE}:5000"));
        let registry = Self {
            daemon: Daemon::start("registry", command, directory)?,
            crane,
        };
        registry.daemon.wait("answer", || {
            registry.crane(&["catalog", &address()]).is_ok()
        })?;
        Ok(registry)
    }

    /// Pushes the image whose only layer is that file, and gives its digest, without `sha256:`.
    pub fn push(&self, layer: &Path, name: &str) -> Result<String> {
        let tag = format!("{}/{name}", address());
        let layer = layer.to_string_lossy();
        self.crane(&[
            "append",
            "--oci-empty-base",
            "--new_layer",
            &layer,
            "--new_tag",
            &tag,
        ])?;
        let digest = self.crane(&["digest", &tag])?;
        Ok(digest.trim().trim_start_matches("sha256:").to_owned())
    }

    /// Pushes the image in an OCI layout as `name`, and gives the digest that the registry has it by.
    pub fn push_layout(&self, layout: &Path, name: &str) -> Result<Digest> {
        let tag = format!("{}/{name}", address());
        self.crane(&["push", &layout.to_string_lossy(), &tag])?;
        Digest::parse(self.crane(&["digest", &tag])?.trim())
    }

    /// Lets it give no answer, until what this gives is dropped.
    pub fn pause(&self) -> Result<Paused<'_>> {
        self.daemon.signal("STOP")?;
        Ok(Paused(&self.daemon))
    }

    /// What it logged so far: every request.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    fn crane(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.crane)
            .args(arguments)
            .arg("--insecure")
            .output()?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            bail!("crane {}: {}", arguments.join(" "), error.trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// A registry that gives no answer. Dropping it lets it answer again.
#[derive(Debug)]
pub struct Paused<'a>(&'a Daemon);

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        // One that has ended needs none, and says so where it is asked.
        let _ = self.0.signal("CONT");
    }
}

fn address() -> String {
    format!("{NODE}:5000")
}
