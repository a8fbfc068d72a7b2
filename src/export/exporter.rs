//! The queue of one worker, and what is in flight: what may leave when, what becomes of it, and when to look again.
//!
//! A span is counted exactly once: `exported + dropped + failed` is what was finished, as soon as nothing is left here.

use std::collections::VecDeque;

use super::{Answer, Batch, Envelope, backoff::Backoff};

pub const MILLISECOND: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MILLISECOND;

/// How long one batch is tried, as OpenTelemetry's exporters do (Go and Java: one minute).
const RETRY_FOR: u64 = 60 * SECOND;
/// A body never has more: collectors' gRPC servers take 4 MiB by default.
const MAX_BODY: usize = 3 * 1024 * 1024;
/// An answer that is later than its time-out by so much was lost on the way, and will never come.
const GRACE: u64 = 5 * SECOND;

/// `export.batch` and `export.maxInFlight`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Spans that wait.
    pub max_queue_size: usize,
    /// Bytes of all that wait or are in flight.
    pub max_queue_bytes: usize,
    pub max_export_batch_size: usize,
    /// Nanoseconds.
    pub schedule_delay: u64,
    pub max_in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_queue_size: 2048,
            max_queue_bytes: 4 * 1024 * 1024,
            max_export_batch_size: 512,
            schedule_delay: 2 * SECOND,
            max_in_flight: 4,
        }
    }
}

/// Why a span does not reach the collector. A name never changes once released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Dropped: as many spans wait as may.
    QueueFull,
    /// Dropped: as many bytes are held as may be.
    QueueBytes,
    /// Dropped: the configuration or the proxy went away, and the last try failed.
    Shutdown,
    /// Failed: the collector refused the batch for good.
    Rejected,
    /// Failed: the collector refused a part of the batch.
    PartialSuccess,
    /// Failed: a minute of tries was not enough.
    RetriesExhausted,
    /// Failed: what answered is no collector, and nobody knows what became of the batch.
    BadResponse,
}

impl Loss {
    pub const ALL: [Self; 7] = [
        Self::QueueFull,
        Self::QueueBytes,
        Self::Shutdown,
        Self::Rejected,
        Self::PartialSuccess,
        Self::RetriesExhausted,
        Self::BadResponse,
    ];

    /// `dropped` before it was sent, or `failed` after.
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::QueueFull | Self::QueueBytes | Self::Shutdown => "dropped",
            _ => "failed",
        }
    }

    pub const fn reason(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::QueueBytes => "queue_bytes",
            Self::Shutdown => "shutdown",
            Self::Rejected => "rejected",
            Self::PartialSuccess => "partial_success",
            Self::RetriesExhausted => "retries_exhausted",
            Self::BadResponse => "bad_response",
        }
    }
}

/// What became of a batch's spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub exported: usize,
    pub lost: Option<(Loss, usize)>,
}

/// A batch that was sent.
#[derive(Debug)]
struct Flight {
    /// Who sent it: only this root context gets the answer.
    root: u32,
    batch: Batch,
    sent: u64,
}

#[derive(Debug)]
pub struct Exporter {
    limits: Limits,
    /// Nanoseconds.
    timeout: u64,
    envelope: Envelope,
    open: Option<Batch>,
    closed: VecDeque<Batch>,
    /// By the host's token. They are few: a map would only weigh more.
    in_flight: Vec<(u32, Flight)>,
    /// Spans that wait.
    spans: usize,
    /// Bytes of all batches.
    bytes: usize,
    backoff: Backoff,
    is_closing: bool,
}

impl Exporter {
    pub fn new(limits: Limits, timeout: u64, envelope: Envelope) -> Self {
        Self {
            limits,
            timeout,
            envelope,
            open: None,
            closed: VecDeque::new(),
            in_flight: Vec::new(),
            spans: 0,
            bytes: 0,
            backoff: Backoff::default(),
            is_closing: false,
        }
    }

    /// Takes a finished span, or says why not. The newest is what is lost, as in OpenTelemetry's batch processor.
    pub fn offer(&mut self, span: &[u8], now: u64) -> Result<(), Loss> {
        if self.spans >= self.limits.max_queue_size {
            return Err(Loss::QueueFull);
        }
        let added = span.len().saturating_add(Envelope::OVERHEAD);
        let opened = match &self.open {
            Some(_) => 0,
            None => self
                .envelope
                .headroom()
                .saturating_add(self.envelope.tail()),
        };
        if self.bytes.saturating_add(added).saturating_add(opened) > self.limits.max_queue_bytes {
            return Err(Loss::QueueBytes);
        }
        let batch = self
            .open
            .get_or_insert_with(|| Batch::open(&self.envelope, now));
        let before = batch.bytes();
        batch.add(&self.envelope, span);
        let grown = batch.bytes().saturating_sub(before).saturating_add(opened);
        // Of a small queue a batch takes a part, so that one leaves while the next fills.
        let most = MAX_BODY.min(self.limits.max_queue_bytes >> 2);
        let is_full = batch.spans() >= self.limits.max_export_batch_size || batch.bytes() >= most;
        self.bytes = self.bytes.saturating_add(grown);
        self.spans = self.spans.saturating_add(1);
        if is_full {
            self.close_batch();
        }
        Ok(())
    }

    fn close_batch(&mut self) {
        if let Some(mut batch) = self.open.take() {
            batch.close(&self.envelope);
            self.closed.push_back(batch);
        }
    }

    /// The next batch that may leave now. It must come back by [`sent`](Self::sent) or [`unsent`](Self::unsent).
    pub fn next(&mut self, now: u64) -> Option<Batch> {
        if !self.may_send(now) {
            return None;
        }
        if self.closed.is_empty() && self.is_open_due(now) {
            self.close_batch();
        }
        let mut batch = self.closed.pop_front()?;
        self.spans = self.spans.saturating_sub(batch.spans());
        batch.first_try.get_or_insert(now);
        Some(batch)
    }

    fn may_send(&self, now: u64) -> bool {
        if self.is_closing {
            return true;
        }
        // After a failure one batch asks whether it is over.
        let most = if self.backoff.is_failing() {
            1
        } else {
            self.limits.max_in_flight
        };
        self.in_flight.len() < most && self.backoff.wait(now) == 0
    }

    fn is_open_due(&self, now: u64) -> bool {
        self.is_closing || self.open_wait(now) == Some(0)
    }

    /// How long the open batch waits for more spans.
    fn open_wait(&self, now: u64) -> Option<u64> {
        let delay = self.limits.schedule_delay;
        let due = self.open.as_ref()?.opened().saturating_add(delay);
        // A clock that jumped back must not hold it for longer than the delay.
        Some(due.saturating_sub(now).min(delay))
    }

    pub fn sent(&mut self, batch: Batch, token: u32, root: u32, now: u64) {
        let flight = Flight {
            root,
            batch,
            sent: now,
        };
        self.in_flight.push((token, flight));
    }

    /// The host would not send it.
    pub fn unsent(&mut self, batch: Batch, now: u64, jitter: u32) -> Verdict {
        self.judge(batch, now, Answer::Retry { after: None }, now, jitter)
    }

    /// An answer, or that there will be none. `None` for a call that is not known (any more).
    pub fn answered(
        &mut self,
        token: u32,
        answer: Answer,
        now: u64,
        jitter: u32,
    ) -> Option<Verdict> {
        let (_, flight) = self
            .in_flight
            .extract_if(.., |(known, _)| *known == token)
            .next()?;
        Some(self.judge(flight.batch, flight.sent, answer, now, jitter))
    }

    fn judge(&mut self, batch: Batch, sent: u64, answer: Answer, now: u64, jitter: u32) -> Verdict {
        let spans = batch.spans();
        let lost = |loss, count| Verdict {
            exported: spans.saturating_sub(count),
            lost: Some((loss, count)),
        };
        let verdict = match answer {
            Answer::Accepted => Verdict {
                exported: spans,
                lost: None,
            },
            Answer::Partial { rejected } => lost(Loss::PartialSuccess, rejected.min(spans)),
            Answer::Rejected => lost(Loss::Rejected, spans),
            Answer::Garbled => lost(Loss::BadResponse, spans),
            Answer::Retry { after } => {
                self.backoff.fail(sent, now, after, jitter);
                if self.is_closing {
                    lost(Loss::Shutdown, spans)
                } else if tried_for(&batch, now) >= RETRY_FOR {
                    lost(Loss::RetriesExhausted, spans)
                } else {
                    self.spans = self.spans.saturating_add(spans);
                    self.closed.push_front(batch);
                    return Verdict::default();
                }
            }
        };
        if !matches!(answer, Answer::Retry { .. }) {
            self.backoff.succeed(sent, now);
        }
        self.bytes = self.bytes.saturating_sub(batch.bytes());
        verdict
    }

    /// Calls whose answer can no longer come.
    pub fn overdue(&self, now: u64) -> Vec<u32> {
        let patience = self.timeout.saturating_add(GRACE);
        self.in_flight
            .iter()
            .filter(|(_, flight)| now.saturating_sub(flight.sent) >= patience)
            .map(|(token, _)| *token)
            .collect()
    }

    /// How long nothing needs to be done, in nanoseconds; `None` while nothing waits for its time.
    pub fn wait(&self, now: u64) -> Option<u64> {
        let patience = self.timeout.saturating_add(GRACE);
        let answer = self
            .in_flight
            .iter()
            .map(|(_, flight)| {
                flight
                    .sent
                    .saturating_add(patience)
                    .saturating_sub(now)
                    .min(patience)
            })
            .min();
        let most = if self.backoff.is_failing() {
            1
        } else {
            self.limits.max_in_flight
        };
        let next = if self.in_flight.len() >= most {
            // An answer makes room, and is looked at when it comes.
            None
        } else if self.closed.is_empty() {
            self.open_wait(now)
        } else {
            Some(0)
        };
        let next = next.map(|wait| wait.max(self.backoff.wait(now)));
        match (answer, next) {
            (Some(answer), Some(next)) => Some(answer.min(next)),
            (answer, next) => answer.or(next),
        }
    }

    /// The last roots are going: everything leaves now or never.
    pub const fn close(&mut self) {
        self.is_closing = true;
    }

    /// Gives up everything, and says how many spans that are. What answers may still come mean nothing any more.
    pub fn abandon(&mut self) -> usize {
        let open = self.open.take();
        let waiting = open.iter().chain(&self.closed);
        let flying = self.in_flight.iter().map(|(_, flight)| &flight.batch);
        let spans = waiting.chain(flying).map(Batch::spans).sum();
        self.closed.clear();
        self.in_flight.clear();
        (self.spans, self.bytes) = (0, 0);
        spans
    }

    /// Whether `root` waits for an answer.
    pub fn awaits(&self, root: u32) -> bool {
        self.in_flight.iter().any(|(_, flight)| flight.root == root)
    }

    /// Bytes of all that waits or is in flight.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

fn tried_for(batch: &Batch, now: u64) -> u64 {
    batch.first_try.map_or(0, |first| now.saturating_sub(first))
}
