//! Child processes that end with us: killed on drop, and by the kernel if we die without a chance to drop.

use anyhow::{Context, Result, anyhow};
use std::process::{Child, Command, ExitStatus};
use std::sync::{OnceLock, mpsc};

/// A child process of ours. Dropping it kills it; it never touches any other process.
#[derive(Debug)]
pub struct OwnedChild(Child);

impl OwnedChild {
    /// Starts `command`.
    pub fn spawn(command: Command) -> Result<Self> {
        let program = command.get_program().to_owned();
        let (reply, answer) = mpsc::channel();
        spawner()
            .send((command, reply))
            .map_err(|_| anyhow!("the thread that starts processes has ended"))?;
        let child = answer
            .recv()
            .context("the thread that starts processes has ended")?;
        Ok(Self(child.with_context(|| {
            format!("cannot start {}", program.display())
        })?))
    }

    /// The exit status if it has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Asks it to end, by SIGTERM.
    pub fn terminate(&self) -> Result<()> {
        let id = libc::pid_t::try_from(self.0.id())?;
        #[allow(unsafe_code)]
        // a plain system call, on a child that is not yet waited for, so the id is its own
        let result = unsafe { libc::kill(id, libc::SIGTERM) };
        match result {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error().into()),
        }
    }

    /// The process id, for example to read its memory from /proc.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for OwnedChild {
    fn drop(&mut self) {
        // Both fail only when it has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

type Order = (Command, mpsc::Sender<std::io::Result<Child>>);

/// The kernel's parent-death signal fires when the *thread* that started the child ends, and test threads end
/// early. So one thread that lives as long as the process starts them all.
fn spawner() -> &'static mpsc::Sender<Order> {
    static SPAWNER: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                die_with_parent(&mut command);
                // Nobody is waiting any more only when the asking thread was torn down.
                let _ = reply.send(command.spawn());
            }
        });
        orders
    })
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // `pre_exec` is unsafe: it runs between fork and exec, where prctl and getppid are allowed
fn die_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let us = std::process::id();
    // SAFETY: only two async-signal-safe system calls, no allocation, nothing shared.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(std::io::Error::last_os_error());
            }
            // We may have died before prctl; then nobody would send the signal.
            if u32::try_from(libc::getppid()) != Ok(us) {
                return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
            }
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {}
