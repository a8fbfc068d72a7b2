//! Real Envoys: where they are, starting one, and asking it things.
//!
//! Nothing here has a fixed port: the admin and every listener take a free one and are asked for it.

mod admin;
pub mod prometheus;
mod release;

pub use release::{Release, chosen_binary};

use crate::log;
use crate::poll;
use crate::process::OwnedChild;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// How an Envoy is started, besides its bootstrap.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads.
    pub concurrency: u32,
    /// Envoy's `--log-level`.
    pub log_level: String,
    /// Envoy's `--component-log-level`, such as `wasm:debug`; empty for none.
    pub component_log_level: String,
    /// How many seconds a listener that was removed has for its requests; Envoy's own choice is ten minutes.
    pub drain_seconds: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 1,
            log_level: "info".to_owned(),
            component_log_level: String::new(),
            drain_seconds: None,
        }
    }
}

/// A running Envoy with a directory of its own. Dropping it ends it and removes the directory.
#[derive(Debug)]
pub struct Envoy {
    // Before the directory, so that it ends before its files go.
    child: Mutex<OwnedChild>,
    directory: TempDir,
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Envoy {
    /// Starts `binary` and waits until it is ready. `bootstrap` makes the configuration, given the directory in
    /// which it may write files; its listeners and its admin should have port 0. On failure the error ends with
    /// Envoy's own log.
    pub fn start(
        binary: &Path,
        options: &Options,
        bootstrap: impl FnOnce(&Path) -> Result<Value>,
    ) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("throughline-envoy-")
            .tempdir()?;
        let config = bootstrap(directory.path())?;
        fs::write(
            directory.path().join("bootstrap.json"),
            serde_json::to_vec_pretty(&config)?,
        )?;
        let mut child = OwnedChild::spawn(command(binary, options, directory.path())?)?;
        match wait_until_ready(&mut child, directory.path()) {
            Ok((admin, listeners)) => Ok(Self {
                child: Mutex::new(child),
                directory,
                admin,
                listeners,
            }),
            Err(error) => {
                let log = log::tail(&log::read(&log_path(directory.path())), 40);
                Err(error.context(format!(
                    "{} did not start; the end of its log:\n{log}",
                    binary.display()
                )))
            }
        }
    }

    /// The address of the listener of that name.
    pub fn listener(&self, name: &str) -> Result<SocketAddr> {
        self.listeners.get(name).copied().with_context(|| {
            let names: Vec<_> = self.listeners.keys().collect();
            format!("this Envoy has no listener {name:?}, only {names:?}")
        })
    }

    /// The directory that is this Envoy's own.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The admin's address.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Asks Envoy to end, by SIGTERM.
    pub fn terminate(&self) -> Result<()> {
        self.child().terminate()
    }

    /// Its exit status, if it has ended.
    pub fn ended(&self) -> Result<Option<ExitStatus>> {
        self.child().ended()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child().id()
    }

    fn child(&self) -> MutexGuard<'_, OwnedChild> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the admin answers to GET `path`.
    pub fn get(&self, path: &str) -> Result<String> {
        admin::get(self.admin, path)
    }

    /// Every counter and gauge, by its full name.
    pub fn stats(&self) -> Result<BTreeMap<String, u64>> {
        Ok(admin::numbers(&self.get("/stats")?))
    }

    /// One counter or gauge; 0 while it does not exist, as nothing has been counted yet.
    pub fn stat(&self, name: &str) -> Result<u64> {
        Ok(self.stats()?.get(name).copied().unwrap_or(0))
    }

    /// The statistics as Prometheus would scrape them.
    pub fn prometheus(&self) -> Result<String> {
        self.get("/stats/prometheus")
    }

    /// Envoy's own log so far.
    pub fn log(&self) -> String {
        log::read(&log_path(self.directory()))
    }

    /// The last lines of Envoy's own log.
    pub fn log_tail(&self, lines: usize) -> String {
        log::tail(&self.log(), lines)
    }

    /// The entries of a listener's access log so far. Envoy writes it a little later than it answers: poll.
    pub fn access_log(&self, listener: &str) -> Result<Vec<Value>> {
        let path = access_log_path(self.directory(), listener);
        let text = fs::read_to_string(&path).unwrap_or_default();
        // The last line may still be growing.
        let whole = text
            .rfind('\n')
            .and_then(|end| text.get(..end))
            .unwrap_or_default();
        let entry =
            |line| serde_json::from_str(line).with_context(|| format!("access log line {line:?}"));
        whole.lines().map(entry).collect()
    }

    /// Fails, with the log, when Envoy has ended by itself.
    pub fn check_alive(&self) -> Result<()> {
        match self.child().ended()? {
            None => Ok(()),
            Some(status) => bail!(
                "Envoy ended by itself ({status}); the end of its log:\n{}",
                self.log_tail(40)
            ),
        }
    }
}

/// Where a listener's access log is.
pub fn access_log_path(directory: &Path, listener: &str) -> PathBuf {
    directory.join(format!("{listener}.access.log"))
}

fn command(binary: &Path, options: &Options, directory: &Path) -> Result<Command> {
    // Standard error rather than --log-path, so that what is said before logging starts is there too.
    let log = File::create(log_path(directory))?;
    let mut command = Command::new(binary);
    command
        .arg("--config-path")
        .arg(directory.join("bootstrap.json"))
        .arg("--admin-address-path")
        .arg(directory.join("admin"))
        .args(["--concurrency", &options.concurrency.to_string()])
        .args(["--log-level", &options.log_level])
        // The access log is read while Envoy runs; its default is to write every ten seconds.
        .args(["--file-flush-interval-msec", "20"])
        // Its shared memory would stay in /dev/shm when Envoy is killed.
        .arg("--disable-hot-restart")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    if let Some(seconds) = options.drain_seconds {
        command.args(["--drain-time-s", &seconds.to_string()]);
    }
    if !options.component_log_level.is_empty() {
        command.args(["--component-log-level", &options.component_log_level]);
    }
    Ok(command)
}

fn wait_until_ready(
    child: &mut OwnedChild,
    directory: &Path,
) -> Result<(SocketAddr, BTreeMap<String, SocketAddr>)> {
    let admin: SocketAddr = poll::until("Envoy's admin address", || {
        if let Some(status) = child.ended()? {
            bail!("Envoy ended at once ({status})");
        }
        // Written in place by Envoy: it may be there and still empty.
        Ok(fs::read_to_string(directory.join("admin"))
            .ok()
            .and_then(|text| text.trim().parse().ok()))
    })?;
    poll::until("Envoy to be ready", || {
        if let Some(status) = child.ended()? {
            bail!("Envoy ended before it was ready ({status})");
        }
        Ok(admin::is_ready(admin).then_some(()))
    })?;
    Ok((admin, admin::listeners(admin)?))
}

fn log_path(directory: &Path) -> PathBuf {
    directory.join("envoy.log")
}
