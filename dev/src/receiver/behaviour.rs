//! How the receiver answers, and what it does with the spans of a call.

use std::collections::VecDeque;
use std::time::Duration;

/// What happens to an export call that could be decoded. One that could not is always refused.
#[derive(Clone, PartialEq, Debug)]
pub enum Behaviour {
    /// Takes the spans.
    Accept,
    /// Takes the spans, and answers only after this long. A call whose client has gone by then is not taken.
    AcceptAfter(Duration),
    /// Takes all but the last `rejected` spans, and says so. Zipkin has no words for that: it takes them all.
    PartialSuccess {
        /// How many are not taken.
        rejected: u32,
        /// What the client is told.
        message: String,
    },
    /// Answers with an HTTP status, to gRPC calls too, as a proxy in front of a collector does.
    Status {
        /// The HTTP status.
        code: u16,
        /// The value of `retry-after`: seconds, or a date.
        retry_after: Option<String>,
        /// The body.
        body: String,
    },
    /// Answers with a gRPC status. A call that is not gRPC gets 500.
    GrpcStatus {
        /// The gRPC status.
        code: u32,
        /// Its message.
        message: String,
        /// `google.rpc.RetryInfo.retry_delay` in `grpc-status-details-bin`.
        retry_info: Option<Duration>,
    },
    /// Answers 200 with a body that is no answer.
    Garbage,
    /// Resets the connection once it has read the call.
    Reset,
    /// Never answers.
    Never,
}

impl Behaviour {
    /// An HTTP status, nothing else.
    pub fn status(code: u16) -> Self {
        Self::Status {
            code,
            retry_after: None,
            body: String::new(),
        }
    }

    /// A gRPC status, nothing else.
    pub fn grpc_status(code: u32) -> Self {
        Self::GrpcStatus {
            code,
            message: String::new(),
            retry_info: None,
        }
    }
}

/// What the next calls meet, and then every other.
#[derive(Debug)]
pub struct Script {
    next: VecDeque<Behaviour>,
    otherwise: Behaviour,
}

impl Script {
    /// Accepts everything.
    pub fn new() -> Self {
        Self {
            next: VecDeque::new(),
            otherwise: Behaviour::Accept,
        }
    }

    /// From now on, once those that were queued are used up.
    pub fn always(&mut self, behaviour: Behaviour) {
        self.otherwise = behaviour;
    }

    /// One for each of the next calls.
    pub fn queue(&mut self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.next.extend(behaviours);
    }

    /// What the call that just came meets.
    pub fn take(&mut self) -> Behaviour {
        let next = self.next.pop_front();
        next.unwrap_or_else(|| self.otherwise.clone())
    }
}
