//! Ctrl-C and its kin: what runs is ended in order, and only then the demo.

use anyhow::{Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How soon a signal is noticed where nothing else is to be done.
const PAUSE: Duration = Duration::from_millis(50);

/// What a shell calls a program that ended for Ctrl-C.
pub const EXIT_CODE: u8 = 130;

/// Whether somebody wants us to stop.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Notes the signals from now on. The second one ends the process at once; the kernel then ends its children.
    pub fn listen() -> Result<Self> {
        let noted = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, EXIT_CODE.into(), Arc::clone(&noted))?;
            flag::register(signal, Arc::clone(&noted))?;
        }
        Ok(Self(noted))
    }

    /// Whether a signal has come.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for a signal.
    pub fn wait(&self) {
        while !self.came() {
            std::thread::sleep(PAUSE);
        }
    }

    /// Fails if a signal has come.
    pub fn check(&self) -> Result<()> {
        if self.came() {
            bail!("interrupted");
        }
        Ok(())
    }
}
