//! One request body that grows span by span.

use super::Envelope;

/// Spans that leave together.
#[derive(Clone, Debug)]
pub struct Batch {
    body: Vec<u8>,
    /// The bytes that closing it will add.
    tail: usize,
    /// Where the body starts, once it is closed.
    start: usize,
    spans: usize,
    /// When its first span came, in nanoseconds since the epoch.
    opened: u64,
    /// When it was first sent.
    pub first_try: Option<u64>,
}

/// A body grows by so much at a time: doubling would hold up to twice the queue's limit.
const STEP: usize = 64 * 1024;

impl Batch {
    pub fn open(envelope: &Envelope, now: u64) -> Self {
        Self {
            body: vec![0; envelope.headroom()],
            tail: envelope.tail(),
            start: 0,
            spans: 0,
            opened: now,
            first_try: None,
        }
    }

    pub fn add(&mut self, envelope: &Envelope, span: &[u8]) {
        let needed = span.len().saturating_add(Envelope::OVERHEAD);
        if self.body.capacity().saturating_sub(self.body.len()) < needed {
            self.body.reserve_exact(needed.max(STEP));
        }
        envelope.add(&mut self.body, span);
        self.spans = self.spans.saturating_add(1);
    }

    /// Makes it a whole request body.
    pub fn close(&mut self, envelope: &Envelope) {
        self.start = envelope.close(&mut self.body);
        // What it had grown ahead would count for nobody.
        self.body.shrink_to_fit();
        self.tail = 0;
    }

    pub const fn spans(&self) -> usize {
        self.spans
    }

    pub const fn opened(&self) -> u64 {
        self.opened
    }

    /// Once it is closed.
    pub const fn bytes(&self) -> usize {
        self.body.len().saturating_add(self.tail)
    }

    /// The request's body.
    pub fn body(&self) -> &[u8] {
        self.body.get(self.start..).unwrap_or_default()
    }
}
