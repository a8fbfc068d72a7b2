//! What a process of ours uses, as the kernel counts it in /proc.

use anyhow::{Context, Result};
use std::fs;
use std::time::Duration;

/// The unit of /proc/<pid>/stat: the kernel shows it to programs as a hundredth of a second on every architecture that
/// Envoy is built for, whatever it counts in itself.
const TICK: Duration = Duration::from_millis(10);

/// The CPU time that a process has used since it started, user and system, all its threads.
pub fn cpu(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    let ticks = ticks(&text).with_context(|| format!("{path}: {text}"))?;
    Ok(TICK * u32::try_from(ticks)?)
}

/// The 14th and 15th fields; the second is the program's name in parentheses, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut times = after_name.split(' ').skip(11).map(str::parse::<u64>);
    Some(times.next()?.ok()? + times.next()?.ok()?)
}

/// A process's memory, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What is resident now.
    pub resident: u64,
    /// The most that ever was.
    pub peak: u64,
}

/// The memory of a process.
pub fn memory(process: u32) -> Result<Memory> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    let bytes = |field| kilobytes(&text, field).with_context(|| format!("{path} has no {field}"));
    Ok(Memory {
        resident: bytes("VmRSS:")? << 10,
        peak: bytes("VmHWM:")? << 10,
    })
}

fn kilobytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn a_name_cannot_shift_the_fields() {
        let stat = "7 (a) b) 1) S 1 2 3 4 5 6 7 8 9 10 1100 220 0 0";
        assert_eq!(ticks(stat), Some(1320));
        assert_eq!(ticks("7 (a"), None);
    }

    #[test]
    fn what_we_use_is_seen() -> Result<()> {
        let us = std::process::id();
        let (cpu_before, peak_before) = (cpu(us)?, memory(us)?.peak);
        while cpu(us)? < cpu_before + 2 * TICK {
            black_box(());
        }
        let block = black_box(vec![1_u8; 64 << 20]);
        let now = memory(us)?;
        assert!(now.resident > block.len() as u64 && now.peak >= now.resident.max(peak_before));
        Ok(())
    }
}
