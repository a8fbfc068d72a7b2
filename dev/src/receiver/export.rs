//! An export call from its head to its answer.

use super::behaviour::{Behaviour, Script};
use super::ledger::{Call, Ledger, Outcome};
use super::payload::Payload;
use super::reply::{Answer, Refusal, Reply, plain};
use super::server::Speaks;
use super::span::Protocol;
use super::{grpc, web};
use crate::http::Headers;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;
use tokio::time::sleep;

/// What ends a connection.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// The largest body that OTLP's specification advises to take.
const LARGEST: usize = 64 << 20;

/// What all calls share.
#[derive(Debug)]
pub struct Shared {
    ledger: Mutex<Ledger>,
    script: Mutex<Script>,
    counting: AtomicBool,
}

impl Shared {
    pub fn new() -> Self {
        Self {
            ledger: Mutex::default(),
            script: Mutex::new(Script::new()),
            counting: AtomicBool::new(false),
        }
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn only_count(&self) {
        self.counting.store(true, Ordering::Relaxed);
    }

    fn read(&self, protocol: Protocol, mut body: Bytes) -> anyhow::Result<Payload> {
        if protocol == Protocol::OtlpGrpc {
            body = grpc::unframe(body)?;
        }
        match self.counting.load(Ordering::Relaxed) {
            true => Payload::count(protocol, &body),
            false => Payload::read(protocol, &body),
        }
    }
}

/// Answers a request; `reset` ends its connection.
pub async fn handle(
    request: http::Request<Incoming>,
    speaks: Speaks,
    shared: Arc<Shared>,
    reset: Arc<Notify>,
) -> Result<Answer, Error> {
    let (head, body) = request.into_parts();
    let protocol = match speaks {
        Speaks::Http => web::protocol(&head),
        Speaks::Grpc => grpc::expect_export(&head).map(|()| Protocol::OtlpGrpc),
    };
    let protocol = match protocol {
        Ok(protocol) => protocol,
        Err(refusal) => {
            let (why, answer) = match refusal {
                Refusal::Http(status, why) => (why, plain(status, None, why.to_owned())),
                Refusal::Grpc(code, why) => (why, grpc::status(code, why, None)),
            };
            shared
                .ledger()
                .blame([format!("{} {}: {why}", head.method, head.uri)]);
            return Ok(answer);
        }
    };
    let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
    let reply = settle(protocol, &head, body, &shared, &reset).await;
    Ok(match protocol {
        Protocol::OtlpGrpc => grpc::answer(reply),
        _ => web::answer(protocol, reply),
    })
}

/// Enters a call into the ledger, and does with it what the script says.
async fn settle(
    protocol: Protocol,
    head: &Parts,
    body: Bytes,
    shared: &Shared,
    reset: &Notify,
) -> Reply {
    let mut call = Call {
        at: Instant::now(),
        protocol,
        target: head
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        headers: headers(head),
        bytes: body.len(),
        spans: 0,
        outcome: Outcome::Unanswered,
    };
    let Payload { ids, spans, faults } = match shared.read(protocol, body) {
        Ok(payload) => payload,
        Err(error) => {
            let why = format!("{protocol} that cannot be decoded: {error:#}");
            call.outcome = Outcome::Undecodable;
            let mut ledger = shared.ledger();
            ledger.blame([why.clone()]);
            ledger.begin(call);
            return Reply::Undecodable(why);
        }
    };
    call.spans = ids.len();
    let ticket = {
        let mut ledger = shared.ledger();
        ledger.blame(faults);
        ledger.begin(call)
    };
    let behaviour = shared.script().take();
    let (outcome, reply) = carry_out(behaviour, protocol, ids.len()).await;
    shared.ledger().settle(ticket, outcome, &ids, spans);
    if outcome == Outcome::Reset {
        reset.notify_one();
        return pending().await;
    }
    reply
}

async fn carry_out(behaviour: Behaviour, protocol: Protocol, spans: usize) -> (Outcome, Reply) {
    let accepted = (Outcome::Accepted, Reply::Accepted);
    match behaviour {
        Behaviour::Accept => accepted,
        Behaviour::AcceptAfter(delay) => {
            sleep(delay).await;
            accepted
        }
        Behaviour::PartialSuccess { .. } if protocol == Protocol::Zipkin => accepted,
        Behaviour::PartialSuccess { rejected, message } => {
            let rejected = spans.min(rejected as usize);
            (
                Outcome::Partial { rejected },
                Reply::Partial { rejected, message },
            )
        }
        Behaviour::Status {
            code,
            retry_after,
            body,
        } => {
            let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let retry_after = retry_after.and_then(|value| value.parse().ok());
            let reply = Reply::Status {
                code,
                retry_after,
                body,
            };
            (Outcome::Status(code.as_u16()), reply)
        }
        Behaviour::GrpcStatus {
            code,
            message,
            retry_info,
        } => {
            let reply = Reply::GrpcStatus {
                code,
                message,
                retry_info,
            };
            (Outcome::GrpcStatus(code), reply)
        }
        Behaviour::Garbage => (Outcome::Garbage, Reply::Garbage),
        // The connection ends before the answer could leave.
        Behaviour::Reset => (Outcome::Reset, Reply::Accepted),
        Behaviour::Never => pending().await,
    }
}

/// The header fields, with HTTP/2's authority as `host`.
fn headers(head: &Parts) -> Headers {
    let mut headers = Headers::new();
    if let Some(authority) = head.uri.authority() {
        headers.push("host", authority.as_str());
    }
    headers.extend(
        head.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes())),
    );
    headers
}
