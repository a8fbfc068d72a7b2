//! What came, and what became of it.

use super::span::{Protocol, Span};
use crate::http::Headers;
use std::collections::{HashSet, VecDeque};
use std::time::Instant;

/// An export call.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it had come.
    pub at: Instant,
    /// How it came.
    pub protocol: Protocol,
    /// The path and the query.
    pub target: String,
    /// The header fields; `host` is HTTP/2's authority.
    pub headers: Headers,
    /// The size of its body.
    pub bytes: usize,
    /// How many spans it carried.
    pub spans: usize,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// No answer yet, or none ever: the client went away, or the receiver was stopped.
    Unanswered,
    /// Every span was taken.
    Accepted,
    /// So many spans were not taken.
    Partial {
        /// The spans that were not taken.
        rejected: usize,
    },
    /// An HTTP status.
    Status(u16),
    /// A gRPC status.
    GrpcStatus(u32),
    /// 200 with nonsense; nothing was taken.
    Garbage,
    /// The connection was reset.
    Reset,
    /// The payload could not be decoded, and was refused.
    Undecodable,
}

impl Outcome {
    fn accepted(self, spans: usize) -> usize {
        match self {
            Self::Accepted => spans,
            Self::Partial { rejected } => spans.saturating_sub(rejected),
            _ => 0,
        }
    }
}

/// Every span that came, counted once per call that carried it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Export calls.
    pub calls: u64,
    /// Spans that were taken.
    pub accepted: u64,
    /// Spans whose call was answered, and which were not taken.
    pub refused: u64,
    /// Spans whose call has got no answer, or a reset.
    pub unanswered: u64,
    /// Spans among the accepted whose id was accepted before: a call that was retried although it had succeeded.
    pub repeated: u64,
}

/// The headers of this many calls are kept: the last ones.
const REMEMBERED: usize = 10_000;

/// Who reads more of them?
const FAULTS: usize = 1000;

#[derive(Default, Debug)]
pub struct Ledger {
    tally: Tally,
    calls: VecDeque<Call>,
    spans: Vec<Span>,
    since_taken: u64,
    ids: HashSet<u64>,
    faults: Vec<String>,
}

/// A call whose outcome is still open.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u64);

impl Ledger {
    pub fn begin(&mut self, call: Call) -> Ticket {
        self.tally.unanswered += call.spans as u64;
        if self.calls.len() >= REMEMBERED {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
        self.tally.calls += 1;
        Ticket(self.tally.calls)
    }

    /// Settles a call of `ids.len()` spans. `spans` are those that should be kept if they are accepted.
    pub fn settle(&mut self, ticket: Ticket, outcome: Outcome, ids: &[u64], spans: Vec<Span>) {
        let age = usize::try_from(self.tally.calls.saturating_sub(ticket.0)).unwrap_or(usize::MAX);
        if let Some(call) = self.calls.iter_mut().rev().nth(age) {
            call.outcome = outcome;
        }
        if matches!(outcome, Outcome::Unanswered | Outcome::Reset) {
            return;
        }
        let (all, accepted) = (ids.len() as u64, outcome.accepted(ids.len()));
        self.tally.unanswered -= all;
        self.tally.accepted += accepted as u64;
        self.tally.refused += all - accepted as u64;
        self.since_taken += accepted as u64;
        for id in ids.iter().take(accepted) {
            self.tally.repeated += u64::from(!self.ids.insert(*id));
        }
        self.spans.extend(spans.into_iter().take(accepted));
    }

    pub fn blame(&mut self, faults: impl IntoIterator<Item = String>) {
        let room = FAULTS.saturating_sub(self.faults.len());
        self.faults.extend(faults.into_iter().take(room));
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.iter().cloned().collect()
    }

    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    pub fn take(&mut self) -> Vec<Span> {
        self.since_taken = 0;
        std::mem::take(&mut self.spans)
    }

    pub fn since_taken(&self) -> u64 {
        self.since_taken
    }

    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}
