//! Where a test runs the demo: a directory for its temporary files, a mark by which its processes are known, and an
//! Envoy that can be held back, so that "in the middle" is no matter of time.

use anyhow::{Context, Result, bail};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use throughline_dev::envoy::Release;
use throughline_dev::poll;

/// For a whole demo; one step of it has [`poll::PATIENCE`].
const PATIENCE: Duration = poll::PATIENCE.saturating_mul(10);

const MARK: &str = "THROUGHLINE_DEMO_TEST";

/// Starts Envoy, apart from the one whose turn it is to be held: that waits until somebody writes into a pipe.
const HOLDING_ENVOY: &str = r#"#!/bin/sh
turn=0
while ! mkdir "$STAGE/turn-$turn" 2> /dev/null; do turn=$((turn + 1)); done
if [ "$turn" = "$HOLD" ]; then
    : > "$STAGE/holding"
    read -r _ < "$STAGE/go"
fi
exec "$REAL_ENVOY" "$@"
"#;

/// A place to run demos in.
pub struct Stage {
    directory: TempDir,
}

/// A running demo, at the head of a process group of its own.
pub struct Demo(Child);

impl Stage {
    pub fn new() -> Result<Self> {
        let stage = Self {
            directory: TempDir::new()?,
        };
        fs::create_dir(stage.temporary())?;
        Ok(stage)
    }

    /// The demo with these arguments.
    pub fn demo(&self, arguments: &[&str]) -> Command {
        let mut demo = Command::new(env!("CARGO_BIN_EXE_throughline-demo"));
        demo.args(arguments)
            .arg("--page")
            .arg(self.page())
            .env("TMPDIR", self.temporary())
            .env(MARK, self.directory.path())
            .env_remove("ENVOY")
            .env_remove("THROUGHLINE_MODULE")
            .stdin(Stdio::null());
        demo
    }

    /// Where its page is.
    pub fn page(&self) -> PathBuf {
        self.path("page/trace.html")
    }

    /// A demo in which that many Envoys have started and the next one is being waited for.
    pub fn start_and_hold(&self, after: usize) -> Result<Demo> {
        let envoy = self.path("envoy");
        fs::write(&envoy, HOLDING_ENVOY)?;
        fs::set_permissions(&envoy, fs::Permissions::from_mode(0o755))?;
        let made = Command::new("mkfifo").arg(self.path("go")).status();
        if !made.context("mkfifo")?.success() {
            bail!("mkfifo failed");
        }
        let mut command = self.demo(&[]);
        command
            .env("ENVOY", envoy)
            .env("REAL_ENVOY", Release::NEWEST.binary()?)
            .env("STAGE", self.directory.path())
            .env("HOLD", after.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut demo = Demo::start(command)?;
        poll::until_within(PATIENCE, "the Envoy to be held", || {
            if let Some(status) = demo.0.try_wait()? {
                bail!("the demo ended early ({status})");
            }
            Ok(self.path("holding").exists().then_some(()))
        })?;
        // Else an empty list of processes would prove nothing.
        assert!(self.processes().len() > 2);
        Ok(demo)
    }

    /// Lets the held Envoy start.
    pub fn go_on(&self) -> Result<()> {
        // Opening waits for the reader, closing ends its reading.
        OpenOptions::new().write(true).open(self.path("go"))?;
        Ok(())
    }

    /// Fails if there is still a process or a temporary file of a demo that was started here.
    pub fn assert_nothing_left(&self) {
        assert_eq!(self.processes(), Vec::<String>::new());
        let files: Vec<_> = fs::read_dir(self.temporary())
            .expect("temporary files")
            .collect();
        assert!(files.is_empty(), "{files:?}");
    }

    /// For a demo that could not wait for the end of its processes itself.
    pub fn wait_until_no_process_is_left(&self) -> Result<()> {
        poll::until("the last process to end", || {
            Ok(self.processes().is_empty().then_some(()))
        })
    }

    /// The command lines of the processes with our mark in their environment.
    fn processes(&self) -> Vec<String> {
        let mark = format!("{MARK}={}\0", self.directory.path().display());
        let marked = |process: &Path| {
            // Gone, or somebody else's: not ours.
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            let has = environment
                .windows(mark.len())
                .any(|part| part == mark.as_bytes());
            has.then(|| fs::read_to_string(process.join("cmdline")).unwrap_or_default())
        };
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        processes
            .filter_map(|entry| marked(&entry.path()))
            .collect()
    }

    fn temporary(&self) -> PathBuf {
        self.path("tmp")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Demo {
    /// Starts it.
    pub fn start(mut command: Command) -> Result<Self> {
        Ok(Self(command.process_group(0).spawn()?))
    }

    /// Sends it a signal, or its whole group.
    pub fn signal(&self, name: &str, group: bool) -> Result<()> {
        let target = format!("{}{}", if group { "-" } else { "" }, self.0.id());
        let kill = format!("kill -s {name} -- {target}");
        let sent = Command::new("sh").args(["-c", &kill]).status()?;
        if !sent.success() {
            bail!("{kill}: {sent}");
        }
        Ok(())
    }

    /// Its exit code, once it has ended; none if it was killed.
    pub fn code(&mut self) -> Result<Option<i32>> {
        let status = poll::until_within(PATIENCE, "the demo to end", || Ok(self.0.try_wait()?))?;
        Ok(status.code())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Both fail only when it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
