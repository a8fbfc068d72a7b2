//! `trust`: peers with real certificates and without, strangers, destinations, and the rules of docs/configuration.md in a mesh.

pub mod destinations;
pub mod documented;
pub mod peers;
pub mod spans;
pub mod strangers;

use super::TRACEPARENT;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use throughline_dev::app::App;
use throughline_dev::http::{Headers, Request, client};

/// The headers that the last application got of a request.
fn arrives(to: SocketAddr, app: &App, request: &Request) -> Result<Headers> {
    let answer = client::send(to, request)?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(app.take_seen().pop().context("nothing arrived")?.headers)
}

/// What was done with a request that brought [`TRACEPARENT`] alone, by what arrived.
fn done(headers: &Headers) -> &'static str {
    match (headers.get("traceparent"), headers.get("x-b3-traceid")) {
        (None, None) => "strip",
        (Some(traceparent), None) if traceparent == TRACEPARENT.as_bytes() => "ignore",
        (Some(traceparent), Some(_)) if traceparent == TRACEPARENT.as_bytes() => "continue",
        (Some(_), Some(_)) => "restart",
        (None, Some(_)) => "half of it",
        (Some(_), None) => "another half",
    }
}
