//! Other instances of the filter on the same listener: a plugin of the root namespace and one of a workload's own, or a
//! WasmPlugin and a TrafficExtension. Each request is for the first of them that sees it; the others stand aside.

use core::cell::Cell;

use super::{
    host::{Host, PropertyPath},
    process,
};
use crate::trace::SpanId;

/// What the first one leaves with the request.
const MARK: PropertyPath = PropertyPath::of("throughline.trace_id");
/// Alone, the process is asked only so often whether that has changed: having one plugin costs next to nothing.
const EVERY: u32 = 64;

const SPAN: PropertyPath = PropertyPath::of("throughline.span_id");

/// Whether another wrote over what the access log was `told` of a request: it does not know yet that it is not alone.
pub fn wrote_over(host: &mut impl Host, told: SpanId) -> bool {
    host.property(&SPAN)
        .is_some_and(|span_id| span_id != told.text().as_bytes())
}

/// Takes a request that gets no ids here: the others would see no context, and begin one.
pub fn mark(host: &mut impl Host) {
    host.set_filter_state("throughline.trace_id", b"");
}

#[derive(Debug)]
pub struct Neighbours {
    has_any: Cell<bool>,
    /// Requests until the process is asked again.
    until_asked: Cell<u32>,
}

impl Neighbours {
    /// Makes `plugin`, by its name in Envoy's configuration, known to the others.
    pub fn new(host: &mut impl Host, plugin: &[u8]) -> Self {
        Self {
            has_any: Cell::new(process::count_plugins(host, plugin) > 1),
            until_asked: Cell::new(EVERY - 1),
        }
    }

    /// Whether the request that the host is handing over is another's.
    pub fn have_seen_it(&self, host: &mut impl Host) -> bool {
        if !self.has_any.get() {
            if let Some(requests) = self.until_asked.get().checked_sub(1) {
                self.until_asked.set(requests);
                return false;
            }
            self.until_asked.set(EVERY - 1);
            if !process::has_plugins(host) {
                return false;
            }
            self.has_any.set(true);
        }
        host.property(&MARK).is_some()
    }
}
