//! What a process of ours uses, as the kernel counts it in /proc.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::time::Duration;

/// The CPU time that the threads of a process have used, user and system, since they started. To the nanosecond, where
/// /proc/<pid>/stat counts in hundredths of a second. A thread that has ended counts no more.
pub fn cpu(process: u32) -> Result<Duration> {
    let (mut nanoseconds, mut threads) = (0, 0);
    let tasks = format!("/proc/{process}/task");
    for task in fs::read_dir(&tasks).with_context(|| tasks.clone())? {
        let path = task?.path().join("schedstat");
        // A thread may end while we look.
        if let Ok(text) = fs::read_to_string(&path) {
            nanoseconds += first(&text).with_context(|| path.display().to_string())?;
            threads += 1;
        }
    }
    ensure!(threads > 0, "this kernel keeps no {tasks}/*/schedstat");
    Ok(Duration::from_nanos(nanoseconds))
}

fn first(schedstat: &str) -> Option<u64> {
    schedstat.split(' ').next()?.parse().ok()
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
    use crate::poll;
    use crate::process::OwnedChild;
    use std::process::Command;
    use std::time::Instant;

    #[test]
    fn what_a_process_uses_is_seen() -> Result<()> {
        let mut spin = Command::new("sh");
        spin.args(["-c", "while :; do :; done"]);
        let began = Instant::now();
        let child = OwnedChild::spawn(spin)?;
        let used = poll::until("a busy process to use CPU", || {
            let used = cpu(child.id())?;
            Ok((used > Duration::from_millis(50)).then_some(used))
        })?;
        assert!(
            used <= began.elapsed(),
            "one thread cannot use more than the time that passed"
        );
        let Memory { resident, peak } = memory(child.id())?;
        assert!(peak >= resident && resident > 4096, "{resident} {peak}");
        Ok(())
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        assert!(cpu(u32::MAX).is_err() && memory(u32::MAX).is_err());
    }
}
