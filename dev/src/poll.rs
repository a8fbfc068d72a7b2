//! Waiting for something to become true: by polling with a deadline, never by sleeping and hoping.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(5);

/// Far beyond what anything here needs, so that a slow machine fails nothing; a hang still ends.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Calls `attempt` until it gives a value, fails, or [`PATIENCE`] runs out.
pub fn until<T>(what: &str, attempt: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    until_within(PATIENCE, what, attempt)
}

/// Calls `attempt` until it gives a value, fails, or `patience` runs out.
pub fn until_within<T>(
    patience: Duration,
    what: &str,
    mut attempt: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = attempt()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("gave up after {} s waiting for {what}", patience.as_secs());
        }
        std::thread::sleep(PAUSE);
    }
}
