//! A contender at work: its Envoy, and the receiver of its spans.

use crate::contender::{Contender, LISTENER};
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use throughline_dev::envoy::Envoy;
use throughline_dev::load::Load;
use throughline_dev::poll;
use throughline_dev::receiver::Receiver;
use throughline_dev::usage;

/// When no more spans have come for so long, those that are missing wait for a timer (5 s in Envoy's tracers), or are
/// lost.
const QUIET: Duration = Duration::from_secs(1);

/// An Envoy with a contender in it.
pub struct Stage {
    pub contender: Contender,
    receiver: Receiver,
    envoy: Envoy,
    /// Requests so far, each of which makes a span.
    requests: u64,
}

/// What a load has taken.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Envoy's CPU for one request, in µs, its span's way out included.
    pub cpu: f64,
    /// Requests that Envoy answered in a second.
    pub rate: f64,
}

impl Stage {
    /// Starts it.
    pub fn start(contender: Contender, binary: &Path, application: SocketAddr) -> Result<Self> {
        let receiver = Receiver::start()?.counting_only();
        let envoy = contender.proxy(&receiver, Some(application)).start(binary);
        let envoy = envoy.with_context(|| contender.name)?;
        Ok(Self {
            contender,
            receiver,
            envoy,
            requests: 0,
        })
    }

    /// Sends a load, waits for its spans, and says what Envoy took for both.
    pub fn play(&mut self, load: &Load) -> Result<Cell> {
        let before = usage::cpu(self.envoy.id())?;
        let report = load.run(self.envoy.listener(LISTENER)?)?;
        ensure!(report.all_ok(), "{}: {report}", self.contender.name);
        self.requests += report.answers();
        self.settle(QUIET)?;
        let cpu = usage::cpu(self.envoy.id())? - before;
        Ok(Cell {
            cpu: cpu.as_secs_f64() * 1e6 / report.answers() as f64,
            rate: report.rate(),
        })
    }

    /// Waits until all spans are there, or no more come for so long. Returns how many are missing.
    pub fn settle(&self, quiet: Duration) -> Result<u64> {
        if self.contender.export.is_none() {
            return Ok(0);
        }
        let mut last = (self.received(), Instant::now());
        poll::until("the spans to cease coming", || {
            let received = self.received();
            if received != last.0 {
                last = (received, Instant::now());
            }
            let missing = self.requests.saturating_sub(received);
            Ok((missing == 0 || last.1.elapsed() >= quiet).then_some(missing))
        })
    }

    /// Requests that were sent so far.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Spans that arrived so far.
    pub fn received(&self) -> u64 {
        self.receiver.tally().accepted
    }

    /// Envoy's resident memory, in bytes.
    pub fn memory(&self) -> Result<u64> {
        Ok(usage::memory(self.envoy.id())?.resident)
    }
}
