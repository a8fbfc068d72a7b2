//! What is being done, and how long it took: for people, on standard error.

use anyhow::Result;
use std::time::Instant;

/// Does a step. Its name is there before it, as some take long.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("{what} …");
    let begun = Instant::now();
    let done = work()?;
    eprintln!("  {:.1} s", begun.elapsed().as_secs_f64());
    Ok(done)
}
