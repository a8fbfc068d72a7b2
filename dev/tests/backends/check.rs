//! What holds for every backend.

use super::trace;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::time::Duration;
use throughline_dev::backends::{Edges, Endpoint, Span};
use throughline_dev::{http2, poll};

/// Searches and graphs lag by up to ten seconds, on a busy machine by more.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// No trace has it.
pub const UNKNOWN: &str = "00000000000000000000000000000404";
/// How a trace went in, by its id. The leading zero is one that some drop.
pub const BY_HTTP: &str = "0af7651916cd43dd8448eb211c80319c";
pub const BY_GRPC: &str = "0af7651916cd43dd8448eb211c80319d";
pub const BY_ZIPKIN: &str = "0af7651916cd43dd8448eb211c80319e";
pub const ALL: [&str; 3] = [BY_HTTP, BY_GRPC, BY_ZIPKIN];

/// Polls `read` until there are as many spans as expected, and holds them to it.
pub fn arrives(expected: &[Span], read: impl Fn() -> Result<Vec<Span>>) -> Result<()> {
    let enough = |spans: &Vec<Span>| spans.len() >= expected.len();
    let mut found = poll::until_within(PATIENCE, "the trace", || Ok(Some(read()?).filter(enough)))?;
    found.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(found, expected);
    Ok(())
}

/// Sends the trace to each receiver, under an id for each; each comes back equal.
pub fn takes_all(
    otlp_http: Endpoint,
    otlp_grpc: Endpoint,
    zipkin: Endpoint,
    read: impl Fn(&str) -> Result<Vec<Span>>,
) -> Result<()> {
    assert!(read(UNKNOWN)?.is_empty());
    let sent = trace::spans(BY_HTTP)?;
    otlp_http.post("/v1/traces", &trace::as_otlp(&sent))?;
    arrives(&sent, || read(BY_HTTP)).context("by OTLP over HTTP")?;
    let sent = trace::spans(BY_GRPC)?;
    export(otlp_grpc, &trace::as_protobuf(&sent)?)?;
    arrives(&sent, || read(BY_GRPC)).context("by OTLP over gRPC")?;
    let sent = trace::spans(BY_ZIPKIN)?;
    zipkin.post("/api/v2/spans", &trace::as_zipkin(&sent))?;
    arrives(&sent, || read(BY_ZIPKIN)).context("by Zipkin")
}

fn export(to: Endpoint, request: &[u8]) -> Result<()> {
    let call = http2::grpc_call(
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        request,
    );
    let answer = http2::send(to.0, &call)?;
    let status = answer
        .trailers
        .get("grpc-status")
        .or_else(|| answer.headers.get("grpc-status"));
    ensure!(status == Some(b"0"), "{answer:?}");
    Ok(())
}

/// Polls until `graph` is the expected one.
pub fn becomes(expected: &Edges, graph: impl Fn() -> Result<Edges>) -> Result<()> {
    let equal = || Ok((graph()? == *expected).then_some(()));
    poll::until_within(PATIENCE, "the service graph", equal)
        .with_context(|| format!("{:?}, not {expected:?}", graph()))
}

/// The ids of the traces that a search found.
pub fn ids(traces: &[Vec<Span>]) -> BTreeSet<&str> {
    traces
        .iter()
        .flatten()
        .map(|span| span.trace_id.as_str())
        .collect()
}

/// Polls until `search` finds these traces, and never any other.
pub fn finds(
    what: &str,
    ids: &[&str],
    search: impl Fn() -> Result<BTreeSet<String>>,
) -> Result<()> {
    let expected: BTreeSet<_> = ids.iter().map(|id| (*id).to_owned()).collect();
    poll::until_within(PATIENCE, &format!("{what} to find its traces"), || {
        let found = search()?;
        ensure!(found.is_subset(&expected), "{what} found {found:?}");
        Ok((found == expected).then_some(()))
    })
}
