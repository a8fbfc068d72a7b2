//! What a user has of the repository, and does with it: the manifests and the chart as they are, not pinned yet.

use crate::manifests::root;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use throughline_dev::built;
use throughline_dev::istio::{Kubectl, NODE};

/// A copy of what users change and apply.
#[derive(Debug)]
pub struct Checkout(TempDir);

impl Checkout {
    pub fn make() -> Result<Self> {
        let copy = Self(tempfile::tempdir()?);
        for folder in ["wasmplugin", "charts"] {
            let from = root().join(folder);
            let copied = Command::new("cp")
                .arg("-r")
                .arg(&from)
                .arg(copy.path())
                .status()?;
            ensure!(copied.success(), "cp {}", from.display());
        }
        // The registry's name is known to those who push, too.
        let hosts = format!("127.0.0.1 localhost\n{NODE} registry.test\n");
        fs::write(copy.path().join("hosts"), hosts)?;
        Ok(copy)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// What `make push` and `make pin` run, given the variables of that command.
    pub fn make_target(&self, command: &str) -> Result<String> {
        let mut words = command.split_whitespace().skip(1);
        let target = words.next().context("make what?")?;
        let variables = words.filter_map(|word| word.split_once('='));
        let mut make = Command::new("unshare");
        make.args(["--mount", "sh", "-c"])
            .arg("mount --bind hosts /etc/hosts && exec \"$@\"")
            .args(["sh", env!("CARGO_BIN_EXE_image"), target]);
        match target {
            "push" => make
                .arg(built::module()?.canonicalize()?)
                .arg(self.path().join("target/image")),
            "pin" => make.args(["wasmplugin", "charts"]),
            _ => bail!("{command}: it is not known here"),
        };
        make.envs(variables)
            // The registry has no certificate.
            .env("INSECURE", "1");
        self.output(make)
    }

    /// A command of kubectl's or Helm's.
    pub fn run(&self, kubectl: &Kubectl, command: &str) -> Result<String> {
        let (program, arguments) = command.split_once(' ').context("no arguments")?;
        let mut run = match program {
            "kubectl" => kubectl.command(),
            "helm" => kubectl.command_of(&helm()?),
            _ => bail!("{command}: it is not known here"),
        };
        run.args(arguments.split_whitespace());
        self.output(run).context(command.to_owned())
    }

    fn output(&self, mut command: Command) -> Result<String> {
        let output = command.current_dir(self.path()).output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", error.trim());
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Where dev/manifests/install.py put Helm.
fn helm() -> Result<PathBuf> {
    let installer = root().join("dev/manifests/install.py");
    let mut command = Command::new("python3");
    let output = command
        .arg(installer)
        .args(["--installed", "helm"])
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", error.trim());
    Ok(String::from_utf8(output.stdout)?.trim().into())
}
