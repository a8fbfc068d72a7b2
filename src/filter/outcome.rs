//! How a request ended, asked of the host in its log phase.
//!
//! Each property is a host call with a copy into the VM. Where the host can evaluate expressions, one call brings what
//! every span needs. An expression fails as a whole when one of its properties has no value (no upstream was chosen, no
//! response was sent); then a second one asks of each whether it is there, which costs more. Only where the host has no
//! expressions are the properties asked one by one.

use core::cell::Cell;
use std::borrow::Cow;

use super::host::{Expression, Host, PropertyPath};
use crate::{
    propagation::Headers,
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

/// Both forms of an expression, each compiled when it is first asked.
#[derive(Debug, Default)]
struct Question {
    of_all: Cell<Compiled>,
    of_those_there: Cell<Compiled>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Compiled {
    #[default]
    NotYet,
    Never,
    As(Expression),
}

/// The order of the elements of each expression.
const OF_SERVER: &str = "response.code,response.flags,request.size,response.size,xds.cluster_name,request.protocol,\
                         source.address";
const OF_CLIENT: &str = "response.code,response.flags,request.size,response.size,xds.cluster_name,upstream.address,\
                         upstream.request_attempt_count";
const OF_BOTH: &str = "response.code,response.flags,request.size,response.size,xds.cluster_name,request.protocol,\
                       source.address,upstream.address,upstream.request_attempt_count";

impl Question {
    fn ask(&self, host: &mut impl Host, paths: &str) -> Option<Headers> {
        if let Compiled::NotYet = self.of_all.get() {
            self.of_all.set(compile(host, paths.to_owned()));
        }
        if let Some(list) = evaluate(host, self.of_all.get()) {
            return Some(list);
        }
        if let Compiled::NotYet = self.of_those_there.get() {
            let mut list = String::new();
            for path in paths.split(',') {
                if !list.is_empty() {
                    list.push(',');
                }
                for part in ["has(", path, ")?", path, ":''"] {
                    list.push_str(part);
                }
            }
            self.of_those_there.set(compile(host, list));
        }
        evaluate(host, self.of_those_there.get())
    }
}

fn compile(host: &mut impl Host, elements: String) -> Compiled {
    let list = ["[", &elements, "]"].concat();
    host.compile(&list).map_or(Compiled::Never, Compiled::As)
}

/// The elements of the list, or `None` where one of them has no value.
fn evaluate(host: &mut impl Host, compiled: Compiled) -> Option<Headers> {
    match compiled {
        Compiled::As(expression) => host.evaluate(expression),
        Compiled::NotYet | Compiled::Never => None,
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
        let (question, paths) = match sides {
            Sides::One(Kind::Server) => (&self.server, OF_SERVER),
            Sides::One(Kind::Client) => (&self.client, OF_CLIENT),
            Sides::Both => (&self.both, OF_BOTH),
        };
        let list = question.ask(host, paths)?;
        let mut elements = list.iter();
        Some(read(sides, |_| {
            elements.next().map(|(element, _)| Cow::Borrowed(element))
        }))
    }
}

fn one_by_one(host: &mut impl Host, sides: Sides) -> Outcome {
    read(sides, |path| host.property(path).map(Cow::Owned))
}

/// Reads the answers in the order of the expressions.
fn read<'a>(sides: Sides, mut next: impl FnMut(&PropertyPath) -> Option<Cow<'a, [u8]>>) -> Outcome {
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

/// Whether the answer is an upstream's: then the request was sent on.
pub fn is_upstreams(host: &mut impl Host) -> bool {
    host.property(&DETAILS).as_deref() == Some(b"via_upstream")
}

/// When the request came, in nanoseconds since the epoch.
pub fn request_time(host: &mut impl Host) -> Option<u64> {
    number(host.property(&TIME))
}

fn number(bytes: Option<impl AsRef<[u8]>>) -> Option<u64> {
    Some(u64::from_le_bytes(bytes?.as_ref().try_into().ok()?))
}

fn size(bytes: Option<Cow<'_, [u8]>>) -> Option<i64> {
    number(bytes).and_then(|size| i64::try_from(size).ok())
}

fn text(bytes: Option<impl AsRef<[u8]>>) -> Option<String> {
    clean(bytes?.as_ref()).filter(|text| !text.is_empty())
}
