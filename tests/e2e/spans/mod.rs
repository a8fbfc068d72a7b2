//! What the filter exports, as a collector gets it. A topic is a file; all of [`TOPICS`] share a [`Mesh`].

mod attributes;
mod decisions;
mod endings;
mod exchange;
pub mod export;
mod grpc;
mod hop;
mod ids;
mod links;
mod listeners;
mod mesh;
mod protocols;
mod redaction;
mod resources;
mod routes;
mod tags;
mod tracestate;
mod upstream;

use crate::suite::Only;
use anyhow::Result;
use mesh::Mesh;
use std::path::Path;
use throughline_dev::envoy::Release;

type Topic = fn(&Mesh) -> Result<()>;

const TOPICS: [(&str, Topic); 27] = [
    ("spans: every hop is under the one before it", ids::one_path),
    (
        "spans: a caller's span is the parent, whatever names it",
        ids::callers,
    ),
    ("spans: an unsampled request has none", decisions::unsampled),
    ("spans: a debug request has one", decisions::debug),
    ("spans: the random flag", decisions::random),
    ("spans: tracestate", tracestate::lists),
    ("spans: links to what was not continued", links::links),
    ("spans: attributes of HTTP", attributes::http),
    ("spans: attributes of an error", attributes::error),
    ("spans: attributes of gRPC", grpc::attributes),
    ("spans: gRPC's statuses", grpc::statuses),
    ("spans: nothing secret, nothing endless", redaction::values),
    ("spans: methods", redaction::methods),
    ("spans: custom tags", tags::sources),
    ("spans: resources", resources::names),
    ("spans: every protocol says the same", protocols::same),
    ("spans: how requests end", endings::table::all),
    ("spans: what a filter denies", endings::denied::all),
    ("spans: clients that leave", endings::clients::leave),
    ("spans: answers without a body", endings::bodies::none),
    ("spans: HTTP/2", endings::bodies::http2),
    (
        "spans: a stream has one span, when it ends",
        endings::streams::long,
    ),
    ("spans: WebSocket", endings::streams::websocket),
    ("spans: CONNECT", endings::streams::connect),
    ("spans: an internal redirect", endings::redirects::internal),
    (
        "spans: what Envoy refuses to pass on",
        endings::malformed::refused,
    ),
    ("spans: what is no HTTP", endings::malformed::no_http),
];

/// Runs what has `only` in its name.
pub fn run(release: Release, module: &Path, only: &Only, failures: &mut Vec<String>) {
    let topics: Vec<_> = TOPICS.iter().filter(|(name, _)| only.names(name)).collect();
    if topics.is_empty() {
        return;
    }
    let mesh = match Mesh::start(release, module) {
        Ok(mesh) => mesh,
        Err(error) => return failures.push(format!("spans\n{error:#}")),
    };
    let before = failures.len();
    for (name, topic) in topics {
        println!("Envoy {release}: {name}");
        if let Err(error) = topic(&mesh) {
            failures.push(format!("{name}\n{error:#}"));
        }
    }
    // A topic that failed may have left spans behind.
    if failures.len() == before
        && let Err(error) = mesh.check()
    {
        failures.push(format!("after all of spans\n{error:#}"));
    }
}
