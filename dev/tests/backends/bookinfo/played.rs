//! A request that was played, and the trace that a backend has of it.

use super::destination::{Backend, Destination};
use super::request::Request;
use super::stage::Stage;
use super::tree::{self, Expected};
use crate::check::PATIENCE;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use throughline_dev::backends::Span;
use throughline_dev::poll;
use throughline_dev::receiver::{Code, Kind, Protocol};

/// The trace of one request.
pub struct Played<'a> {
    pub to: Destination<'a>,
    pub request: &'static Request,
    pub id: String,
    expected: Vec<Expected>,
    /// In the order of the expected ones.
    pub spans: Vec<Span>,
}

impl<'a> Played<'a> {
    /// Plays it. The tree that comes back must be exactly the one that Envoys logged.
    pub fn new(stage: &mut Stage, to: Destination<'a>, request: &'static Request) -> Result<Self> {
        let lines = stage.send(request)?;
        let id = lines.first().context("no lines")?.trace_id.clone();
        let expected = tree::expected(&stage.bookinfo, request, &lines)?;
        let found = poll::until_within(PATIENCE, "the trace", || {
            let found = to.backend.trace(&id)?;
            Ok((found.len() >= expected.len()).then_some(found))
        })?;
        ensure!(
            found.len() == expected.len(),
            "{} spans, not {found:#?}",
            expected.len()
        );
        let one = |expected: &Expected| {
            let mut same = found.iter().filter(|span| span.span_id == expected.span_id);
            let span = same.next();
            span.with_context(|| format!("no span is {expected:#?}: {found:#?}"))
        };
        let spans: Vec<Span> = expected
            .iter()
            .map(|expected| Ok(one(expected)?.clone()))
            .collect::<Result<_>>()?;
        for (span, expected) in spans.iter().zip(&expected) {
            expected.check(span, to.protocol)?;
        }
        Ok(Self {
            to,
            request,
            id,
            expected,
            spans,
        })
    }

    /// Whether the other was to become the same trace.
    pub fn is_like(&self, other: &Self) -> bool {
        self.to.protocol == other.to.protocol && self.request.name == other.request.name
    }

    /// Fails unless every span has the attributes of the reference's: no more, no less, no others; but for what differs from
    /// request to request, of which Envoy's log is the witness, and what the backend is known to change.
    pub fn check_attributes(&self, reference: &Self) -> Result<()> {
        let spans = self.spans.iter().zip(&reference.spans).zip(&self.expected);
        for ((span, reference), expected) in spans {
            let mut attributes = reference.attributes.clone();
            let of_request = expected.attributes.iter();
            attributes.extend(of_request.map(|(key, value)| ((*key).to_owned(), value.clone())));
            as_given_back(self.to, reference, &mut attributes);
            let keys: BTreeSet<_> = attributes.keys().chain(span.attributes.keys()).collect();
            let wrong: Vec<_> = keys
                .into_iter()
                .map(|key| (key, attributes.get(key), span.attributes.get(key)))
                .filter(|(_, expected, found)| expected != found)
                .collect();
            ensure!(
                wrong.is_empty(),
                "{} of {}: attributes with what they should be and are: {wrong:#?}",
                span.kind,
                span.service
            );
        }
        Ok(())
    }

    /// How long its longest span took.
    pub fn longest_ns(&self) -> u64 {
        let durations = self.spans.iter().map(|span| span.duration_ns);
        durations.max().unwrap_or_default()
    }
}

/// What a backend changes in the attributes of a span. All that take Zipkin's format beside OTLP share a receiver, which
/// makes the status of its tag and attributes of the remote endpoint; the Collector's is newer than the others'.
fn as_given_back(to: Destination<'_>, span: &Span, attributes: &mut BTreeMap<String, String>) {
    let translated = to.protocol == Protocol::Zipkin
        && !matches!(to.backend, Backend::Receiver(_) | Backend::Zipkin(_));
    if translated {
        attributes.remove("otel.status_code");
        let (address, port) = match span.kind {
            Kind::Server => ("client.address", "client.port"),
            _ => ("network.peer.address", "network.peer.port"),
        };
        let newer = matches!(to.backend, Backend::Otelcol(_));
        let mut copy = |from: &str, to: &str| {
            if let Some(value) = attributes.get(from).cloned() {
                attributes.insert(to.to_owned(), value);
            }
        };
        if newer {
            copy(address, "network.peer.address");
            copy("peer.service", "service.peer.name");
        } else {
            copy(address, "net.peer.ip");
        }
        copy(port, "net.peer.port");
    }
    // Jaeger has the status in this attribute, and none beside it.
    if matches!(to.backend, Backend::Jaeger(_)) && span.status == Code::Error {
        attributes.remove("error");
    }
}
