//! A backend's process.

use super::install;
use super::ports::Ports;
use crate::log;
use crate::poll;
use crate::process::OwnedChild;
use anyhow::{Result, bail};
use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Zipkin's virtual machine takes five seconds on an idle machine, and minutes on one that is busy building.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running backend with a directory of its own. Dropping it ends it and removes the directory.
#[derive(Debug)]
pub struct Server {
    // Before the directory, so that it ends before its files go. Killed: some take a minute to shut down in good order.
    _child: OwnedChild,
    directory: TempDir,
}

impl Server {
    /// Starts the backend of that name and waits until it listens on all of `ports` and `is_ready`. `configure` adds
    /// arguments, given the directory in which it may write files. On failure the error ends with the backend's log.
    pub fn start<const N: usize>(
        name: &str,
        ports: Ports<N>,
        configure: impl FnOnce(&mut Command, &Path) -> Result<()>,
        is_ready: impl Fn() -> bool,
    ) -> Result<Self> {
        let mut command = Command::new(install::program(name)?);
        let directory = tempfile::Builder::new()
            .prefix(&format!("throughline-{name}-"))
            .tempdir()?;
        configure(&mut command, directory.path())?;
        let output = File::create(log_path(directory.path()))?;
        command
            .current_dir(directory.path())
            // Jaeger's Badger leaves files there, as it is ended without a chance to remove them.
            .env("TMPDIR", directory.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let mut child = OwnedChild::spawn(command)?;
        let ready = poll::until_within(PATIENCE, &format!("{name} to be ready"), || {
            if let Some(status) = child.ended()? {
                bail!("{name} ended before it was ready ({status})");
            }
            let listens = ports
                .addresses()
                .iter()
                .all(|address| TcpStream::connect(address).is_ok());
            Ok((listens && is_ready()).then_some(()))
        });
        match ready {
            Ok(()) => Ok(Self {
                _child: child,
                directory,
            }),
            Err(error) => {
                let end = log::tail(&log::read(&log_path(directory.path())), 40);
                Err(error.context(format!("{name} did not start; the end of its log:\n{end}")))
            }
        }
    }

    /// The directory that is this backend's own.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        log::read(&log_path(self.directory()))
    }
}

fn log_path(directory: &Path) -> PathBuf {
    directory.join("log")
}
