//! The demo in namespaces of its own, as `make demo-istio` starts it.

use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use throughline_dev::poll;
use throughline_dev::process::OwnedChild;

/// A mesh is there in a minute on an idle machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// A run of it.
#[derive(Debug)]
pub struct Inside {
    child: OwnedChild,
    /// What it says, in files.
    said: TempDir,
    /// The first process of its namespace, as it is known outside.
    first: String,
    /// What that namespace is called.
    namespace: PathBuf,
}

/// What a run said, and its exit code.
#[derive(Debug)]
pub struct Ended {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Inside {
    /// Starts it with these arguments, and waits until it begins.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let isolated = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dev/istio/isolated");
        let said = tempfile::tempdir()?;
        let mut command = Command::new(isolated);
        command
            .arg(env!("CARGO_BIN_EXE_throughline-demo-istio"))
            .args(arguments)
            .env("TMPDIR", "/run")
            .stdin(Stdio::null())
            .stdout(File::create(said.path().join("stdout"))?)
            .stderr(File::create(said.path().join("stderr"))?);
        let mut inside = Self {
            child: OwnedChild::spawn(command)?,
            said,
            first: String::new(),
            namespace: PathBuf::new(),
        };
        inside.wait_for("Starting Kubernetes")?;
        let children = format!("/proc/{0}/task/{0}/children", inside.child.id());
        let children = fs::read_to_string(children)?;
        let first = children.split_whitespace().next();
        inside.first = first.context("it has no process")?.to_owned();
        let namespace = namespace_of(&Path::new("/proc").join(&inside.first));
        inside.namespace = namespace.context("it has ended already")?;
        Ok(inside)
    }

    /// Waits until it has said that on standard error.
    pub fn wait_for(&mut self, text: &str) -> Result<()> {
        poll::until_within(PATIENCE, text, || {
            let said = self.read("stderr")?;
            ensure!(self.child.ended()?.is_none(), "it ended: {said}");
            Ok(said.contains(text).then_some(()))
        })
    }

    /// How many processes there are in its namespace.
    pub fn processes(&self) -> Result<usize> {
        let mut count = 0;
        for process in fs::read_dir("/proc")? {
            let namespace = namespace_of(&process?.path());
            count += usize::from(namespace.as_ref() == Some(&self.namespace));
        }
        Ok(count)
    }

    /// Does what Ctrl-C does to the process that it is inside.
    pub fn interrupt(&self) -> Result<()> {
        let sent = Command::new("kill")
            .args(["-s", "INT", &self.first])
            .status()?;
        ensure!(sent.success(), "kill");
        Ok(())
    }

    /// Waits until it ends, and sees that nothing else is left of it.
    pub fn end(mut self) -> Result<Ended> {
        let status = poll::until_within(PATIENCE, "its end", || self.child.ended())?;
        ensure!(self.processes()? == 0, "processes are left");
        Ok(Ended {
            stdout: self.read("stdout")?,
            stderr: self.read("stderr")?,
            code: status.code(),
        })
    }

    fn read(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.said.path().join(name))?)
    }
}

fn namespace_of(process: &Path) -> Option<PathBuf> {
    fs::read_link(process.join("ns/pid")).ok()
}
