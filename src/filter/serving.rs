//! Whether the application behind a sidecar is serving a request: what it sends meanwhile should carry a context.
//!
//! Requests of one worker are counted in its VM. The workers that have any are counted in a gauge, which all VMs of the
//! process share, so that a busy worker asks the host for nothing.

use core::cell::Cell;

use super::{host::Host, metrics::Gauge};

thread_local! {
    /// Requests to the application that this worker has in flight. Listeners have a filter each, and share it.
    static HERE: Cell<u32> = const { Cell::new(0) };
}

#[derive(Debug)]
pub struct Serving {
    workers: Gauge,
}

impl Serving {
    pub fn new(host: &mut impl Host) -> Self {
        Self {
            workers: Gauge::define(host, &[], "serving_workers"),
        }
    }

    pub fn begin(&self, host: &mut impl Host) {
        let before = HERE.get();
        HERE.set(before.saturating_add(1));
        if before == 0 {
            self.workers.add(host, 1);
        }
    }

    /// Of each that began.
    pub fn end(&self, host: &mut impl Host) {
        let before = HERE.get();
        HERE.set(before.saturating_sub(1));
        if before == 1 {
            self.workers.add(host, -1);
        }
    }

    pub fn is_any(&self, host: &mut impl Host) -> bool {
        HERE.get() > 0 || self.workers.value(host) > 0
    }
}
