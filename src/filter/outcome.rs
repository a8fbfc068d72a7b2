//! How a request ended, asked of the host in its log phase.
//!
//! Each property is a host call with a copy into the VM. Where the host can evaluate expressions, one call brings what
//! every span needs; where it cannot, or where something has no value (no response was sent, no upstream was chosen),
//! the properties are asked one by one.

use core::cell::Cell;

use super::host::{Expression, Host, PropertyPath};
use crate::{
    span::{GrpcStatus as Status, Kind, Outcome, ResponseFlags, Sides, Upstream},
    text::clean,
};

// Envoy, "Attributes".
const CODE: PropertyPath = PropertyPath::of("response\0code");
const FLAGS: PropertyPath = PropertyPath::of("response\0flags");
const DETAILS: PropertyPath = PropertyPath::of("response\0code_details");
const GRPC_STATUS: PropertyPath = PropertyPath::of("response\0grpc_status");
const RESPONSE_SIZE: PropertyPath = PropertyPath::of("response\0size");
const REQUEST_SIZE: PropertyPath = PropertyPath::of("request\0size");
const PROTOCOL: PropertyPath = PropertyPath::of("request\0protocol");
const TIME: PropertyPath = PropertyPath::of("request\0time");
const SOURCE: PropertyPath = PropertyPath::of("source\0address");
const CLUSTER: PropertyPath = PropertyPath::of("xds\0cluster_name");
const UPSTREAM: PropertyPath = PropertyPath::of("upstream\0address");
const ATTEMPTS: PropertyPath = PropertyPath::of("upstream\0request_attempt_count");

/// What the spans of one root context ask for, in one expression for each kind of hop.
#[derive(Debug, Default)]
pub struct Questions {
    server: Question,
    client: Question,
    both: Question,
}

/// An expression, compiled when it is first asked.
#[derive(Debug, Default)]
struct Question(Cell<Compiled>);

#[derive(Clone, Copy, Debug, Default)]
enum Compiled {
    #[default]
    NotYet,
    Never,
    As(Expression),
}

/// The order of the elements of each expression.
const COMMON: &str = "response.code,response.flags,request.size,response.size,xds.cluster_name";
const OF_SERVER: &str = "request.protocol,source.address";
const OF_CLIENT: &str = "upstream.address,upstream.request_attempt_count";

impl Question {
    fn ask(&self, host: &mut impl Host, parts: &[&str]) -> Option<Vec<Vec<u8>>> {
        if let Compiled::NotYet = self.0.get() {
            let compiled = host.compile(&format!("[{}]", parts.join(",")));
            self.0.set(compiled.map_or(Compiled::Never, Compiled::As));
        }
        let Compiled::As(expression) = self.0.get() else {
            return None;
        };
        let list = host.evaluate(expression)?;
        Some(list.iter().map(|(element, _)| element.to_vec()).collect())
    }
}

impl Questions {
    /// How the request ended whose spans are `sides`, of which the client span may have been left out.
    pub fn ask(&self, host: &mut impl Host, sides: Sides, is_grpc: bool) -> Outcome {
        let mut outcome = self
            .all_at_once(host, sides)
            .unwrap_or_else(|| one_by_one(host, sides));
        let explains_itself = outcome.flags.is_empty() && (1..400).contains(&outcome.code);
        if !explains_itself {
            outcome.details = text(host.property(&DETAILS));
        }
        if is_grpc {
            outcome.grpc_status = number(host.property(&GRPC_STATUS)).map(Status::of);
        }
        outcome
    }

    fn all_at_once(&self, host: &mut impl Host, sides: Sides) -> Option<Outcome> {
        let (question, parts): (_, &[&str]) = match sides {
            Sides::One(Kind::Server) => (&self.server, &[COMMON, OF_SERVER]),
            Sides::One(Kind::Client) => (&self.client, &[COMMON, OF_CLIENT]),
            Sides::Both => (&self.both, &[COMMON, OF_SERVER, OF_CLIENT]),
        };
        let mut answers = question.ask(host, parts)?.into_iter();
        Some(read(sides, |_| answers.next()))
    }
}

fn one_by_one(host: &mut impl Host, sides: Sides) -> Outcome {
    read(sides, |path| host.property(path))
}

/// Reads the answers in the order of the expressions.
fn read(sides: Sides, mut next: impl FnMut(&PropertyPath) -> Option<Vec<u8>>) -> Outcome {
    let mut outcome = Outcome {
        code: number(next(&CODE)).unwrap_or(0),
        flags: ResponseFlags(number(next(&FLAGS)).unwrap_or(0)),
        request_size: size(next(&REQUEST_SIZE)),
        response_size: size(next(&RESPONSE_SIZE)),
        upstream: Upstream {
            cluster: text(next(&CLUSTER)),
            ..Upstream::default()
        },
        ..Outcome::default()
    };
    if sides != Sides::One(Kind::Client) {
        outcome.protocol = text(next(&PROTOCOL));
        outcome.source = text(next(&SOURCE));
    }
    if sides != Sides::One(Kind::Server) {
        outcome.upstream.address = text(next(&UPSTREAM));
        outcome.upstream.attempts = number(next(&ATTEMPTS)).unwrap_or(0);
    }
    outcome
}

/// When the request came, in nanoseconds since the epoch.
pub fn request_time(host: &mut impl Host) -> Option<u64> {
    number(host.property(&TIME))
}

fn number(bytes: Option<Vec<u8>>) -> Option<u64> {
    Some(u64::from_le_bytes(bytes?.try_into().ok()?))
}

fn size(bytes: Option<Vec<u8>>) -> Option<i64> {
    number(bytes).and_then(|size| i64::try_from(size).ok())
}

fn text(bytes: Option<Vec<u8>>) -> Option<String> {
    clean(&bytes?).filter(|text| !text.is_empty())
}
