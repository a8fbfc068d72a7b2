//! How a request ended, asked of the host in its log phase. Each answer is a host call, so only what the spans need is
//! asked.

use super::host::{Host, PropertyPath};
use crate::{
    span::{Kind, Outcome, ResponseFlags, Upstream},
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

/// `outer` is the span that the request came with; with `sent_on` there is a client span under it.
pub fn read(host: &mut impl Host, outer: Kind, sent_on: bool, is_grpc: bool) -> Outcome {
    let code = number(host, &CODE).unwrap_or(0);
    let flags = ResponseFlags(number(host, &FLAGS).unwrap_or(0));
    let is_server = outer == Kind::Server;
    let is_client = !is_server || sent_on;
    let explains_itself = flags.is_empty() && (1..400).contains(&code);
    Outcome {
        code,
        flags,
        details: if explains_itself {
            None
        } else {
            text(host, &DETAILS)
        },
        grpc_status: if is_grpc {
            number(host, &GRPC_STATUS)
        } else {
            None
        },
        protocol: if is_server {
            text(host, &PROTOCOL)
        } else {
            None
        },
        source: if is_server { text(host, &SOURCE) } else { None },
        request_size: size(host, &REQUEST_SIZE),
        response_size: size(host, &RESPONSE_SIZE),
        upstream: Upstream {
            cluster: text(host, &CLUSTER),
            address: if is_client {
                text(host, &UPSTREAM)
            } else {
                None
            },
            attempts: if is_client {
                number(host, &ATTEMPTS).unwrap_or(0)
            } else {
                0
            },
            service: None,
        },
    }
}

/// When the request came, in nanoseconds since the epoch.
pub fn request_time(host: &mut impl Host) -> Option<u64> {
    number(host, &TIME)
}

fn number(host: &mut impl Host, path: &PropertyPath) -> Option<u64> {
    let bytes = host.property(path)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

fn size(host: &mut impl Host, path: &PropertyPath) -> Option<i64> {
    number(host, path).and_then(|size| i64::try_from(size).ok())
}

fn text(host: &mut impl Host, path: &PropertyPath) -> Option<String> {
    host.property(path)
        .and_then(|bytes| clean(&bytes))
        .filter(|text| !text.is_empty())
}
