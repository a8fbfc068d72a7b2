//! A program that keeps running, with a log.

use crate::log;
use crate::poll;
use crate::process::OwnedChild;
use anyhow::{Result, bail, ensure};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Each is there in seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Mutex<OwnedChild>,
    log: PathBuf,
}

impl Daemon {
    /// Starts it; its log is in `directory`.
    pub fn start(name: &str, mut command: Command, directory: &Path) -> Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        // Envoy opens its standard output anew, as another user.
        fs::set_permissions(&log, fs::Permissions::from_mode(0o666))?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        Ok(Self {
            name: name.to_owned(),
            child: Mutex::new(OwnedChild::spawn(command)?),
            log,
        })
    }

    /// Waits until `is_ready`. On failure the error ends with the log.
    pub fn wait(&self, what: &str, mut is_ready: impl FnMut() -> bool) -> Result<()> {
        let what = format!("{} to {what}", self.name);
        let waited = poll::until_within(PATIENCE, &what, || {
            if let Some(status) = self.child().ended()? {
                bail!("{} ended ({status})", self.name);
            }
            if is_ready() {
                return Ok(Some(()));
            }
            std::thread::sleep(Duration::from_millis(50));
            Ok(None)
        });
        waited.map_err(|error| {
            let end = log::tail(&self.log(), 40);
            error.context(format!("{}; the end of its log:\n{end}", self.name))
        })
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        log::read(&self.log)
    }

    /// Sends it a signal, by its name.
    pub fn signal(&self, name: &str) -> Result<()> {
        let id = self.child().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status()?;
        ensure!(sent.success(), "kill -s {name} {id}");
        Ok(())
    }

    fn child(&self) -> std::sync::MutexGuard<'_, OwnedChild> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
