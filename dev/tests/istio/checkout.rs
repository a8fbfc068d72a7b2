//! What a user has of the repository, and does with it: a clone, not pinned yet.

use crate::manifests::root;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;
use throughline_dev::built;
use throughline_dev::istio::{Kubectl, NODE};

/// A clone of what is committed.
#[derive(Debug)]
pub struct Checkout(TempDir);

impl Checkout {
    pub fn make() -> Result<Self> {
        let checkout = Self(tempfile::tempdir()?);
        let mut clone = Command::new("git");
        clone
            .args(["clone", "--quiet"])
            .arg(root().canonicalize()?)
            .arg(checkout.path())
            // Not the settings of who runs the test.
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = clone.output().context("git")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "git clone: {}", error.trim());
        // The registry's name is known to those who push, too.
        let hosts = format!("127.0.0.1 localhost\n{NODE} registry.test\n");
        fs::write(checkout.0.path().join("hosts"), hosts)?;
        Ok(checkout)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("throughline")
    }

    /// What `make push` and `make pin` run, given the variables of that command; make itself would build everything anew.
    pub fn make_target(&self, command: &str) -> Result<String> {
        let mut words = command.split_whitespace().skip(1);
        let target = words.next().context("make what?")?;
        let variables = words.filter_map(|word| word.split_once('='));
        let mut make = Command::new("unshare");
        make.args(["--mount", "sh", "-c"])
            .arg("mount --bind ../hosts /etc/hosts && exec \"$@\"")
            .args(["sh", env!("CARGO_BIN_EXE_image"), target]);
        match target {
            "push" => make
                .arg(built::module()?.canonicalize()?)
                .arg(self.path().join("target/image")),
            "pin" => make.args(["wasmplugin", "charts", "examples/envoy-gateway"]),
            _ => bail!("{command}: it is not known here"),
        };
        make.envs(variables)
            // The registry has no certificate.
            .env("INSECURE", "1");
        self.output(make).context(command.to_owned())
    }

    /// A command of kubectl's.
    pub fn kubectl(&self, kubectl: &Kubectl, command: &str) -> Result<String> {
        let arguments = command.strip_prefix("kubectl ").context("not kubectl")?;
        let mut run = kubectl.command();
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
