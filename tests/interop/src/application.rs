//! The applications with real SDKs: built by install.py, and one of them running.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use throughline_dev::poll;
use throughline_dev::process::OwnedChild;

/// A Java agent needs more than ten seconds to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A built application.
#[derive(Clone, Debug)]
pub struct Built {
    /// What traces it, with its version.
    pub sdk: String,
    command: Vec<String>,
}

/// Builds all applications, by name.
pub fn build() -> Result<BTreeMap<String, Built>> {
    let installer = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.py");
    let output = Command::new("python3")
        .arg(&installer)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run python3")?;
    if !output.status.success() {
        bail!("{} failed; its reason is above", installer.display());
    }
    let applications: BTreeMap<String, Value> = serde_json::from_slice(&output.stdout)?;
    let read = |(name, value): (String, Value)| -> Result<(String, Built)> {
        let sdk = value["sdk"].as_str().context("an application's sdk")?;
        let built = Built {
            sdk: sdk.to_owned(),
            command: serde_json::from_value(value["command"].clone())?,
        };
        Ok((name, built))
    };
    applications.into_iter().map(read).collect()
}

/// A running application; dropping it ends it.
#[derive(Debug)]
pub struct Running {
    // Before the directory, so that it ends before its files go.
    _process: OwnedChild,
    directory: TempDir,
    address: SocketAddr,
}

impl Running {
    /// Starts it with that environment and nothing of ours, and waits until it listens.
    pub fn start(built: &Built, environment: &[(String, String)]) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("throughline-interop-")
            .tempdir()?;
        let create = |name| File::create(directory.path().join(name));
        let (program, arguments) = built.command.split_first().context("an empty command")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default())))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(create("output")?)
            .stderr(create("errors")?);
        let mut process = OwnedChild::spawn(command)?;
        let port = poll::until_within(PATIENCE, "the port of the application", || {
            let port = port(directory.path());
            if let (None, Some(status)) = (port, process.ended()?) {
                bail!("the application ended at once ({status})");
            }
            Ok(port)
        });
        let port = port.with_context(|| log(directory.path()))?;
        Ok(Self {
            _process: process,
            directory,
            address: (Ipv4Addr::LOCALHOST, port).into(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that it has said so far, for a failure.
    pub fn log(&self) -> String {
        log(self.directory.path())
    }
}

/// The line that is a number alone.
fn port(directory: &Path) -> Option<u16> {
    let output = fs::read_to_string(directory.join("output")).ok()?;
    let whole = output.get(..output.rfind('\n')?)?;
    whole.lines().find_map(|line| line.parse().ok())
}

fn log(directory: &Path) -> String {
    let read = |name| fs::read_to_string(directory.join(name)).unwrap_or_default();
    format!(
        "the application's log:\n{}{}",
        read("output"),
        read("errors")
    )
}
