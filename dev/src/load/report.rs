//! What became of the requests.

use hdrhistogram::Histogram;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// The outcome of a load.
#[derive(Clone, Debug)]
pub struct Report {
    /// From the first connection to the last answer.
    pub elapsed: Duration,
    /// How many answers had which status.
    pub statuses: BTreeMap<u16, u64>,
    /// What happened to requests that got no answer, and how often.
    pub errors: BTreeMap<String, u64>,
    latency: Histogram<u64>,
}

impl Report {
    /// Requests that were sent, or could not be.
    pub fn requests(&self) -> u64 {
        self.answers() + self.errors.values().sum::<u64>()
    }

    /// Requests that were answered, with any status.
    pub fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Whether every request was answered with 200.
    pub fn all_ok(&self) -> bool {
        self.errors.is_empty() && self.statuses.keys().all(|status| *status == 200)
    }

    /// The latency that so many percent of the answers kept within.
    pub fn latency(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.latency.value_at_percentile(percent))
    }

    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.answers() as f64 / self.elapsed.as_secs_f64()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |percent| self.latency(percent).as_secs_f64() * 1e3;
        write!(
            f,
            "{} requests, {:.0}/s, statuses {:?}, latency p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            self.requests(),
            self.rate(),
            self.statuses,
            ms(50.0),
            ms(99.0),
            ms(100.0)
        )?;
        match self.errors.is_empty() {
            true => Ok(()),
            false => write!(f, ", errors {:?}", self.errors),
        }
    }
}

/// Where the streams of a load write down what became of their requests.
#[derive(Debug)]
pub struct Book(RefCell<Report>);

impl Default for Book {
    fn default() -> Self {
        Self(RefCell::new(Report {
            elapsed: Duration::ZERO,
            statuses: BTreeMap::new(),
            errors: BTreeMap::new(),
            // One microsecond to an hour, at 1 %.
            latency: Histogram::new_with_bounds(1_000, 3_600_000_000_000, 2)
                .expect("constant bounds"),
        }))
    }
}

impl Book {
    /// An answer to a request that was due at `due`.
    pub fn answer(&self, status: u16, due: Instant) {
        let nanoseconds = u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut report = self.0.borrow_mut();
        *report.statuses.entry(status).or_default() += 1;
        report.latency.saturating_record(nanoseconds);
    }

    /// A request that got none.
    pub fn error(&self, error: &anyhow::Error) {
        let mut report = self.0.borrow_mut();
        *report.errors.entry(format!("{error:#}")).or_default() += 1;
    }

    /// How many there were so far.
    pub fn requests(&self) -> u64 {
        self.0.borrow().requests()
    }

    /// All of it.
    pub fn close(&self, elapsed: Duration) -> Report {
        Report {
            elapsed,
            ..self.0.borrow().clone()
        }
    }
}
