//! The same spans, whatever they are exported by.

use super::exchange::{Exchange, shown};
use super::hop::Hop;
use super::mesh::Mesh;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use throughline_dev::http::Request;
use throughline_dev::receiver::{Protocol, Span};

/// What Zipkin has instead of a field.
const ZIPKINS: [&str; 3] = ["error", "otel.status_code", "w3c.tracestate"];

/// Of each request, what the others carry is what protobuf over HTTP carries, as far as their formats have it.
pub fn same(mesh: &Mesh) -> Result<()> {
    for target in [
        "/reviews/ok?token=x",
        "/reviews/500",
        "/no-host/x",
        "/nowhere",
    ] {
        let spans = if target.starts_with("/reviews") { 2 } else { 1 };
        let left = |listener| -> Result<Exchange> {
            let request = Request::get(target)
                .header("host", "reviews:9080")
                .header("user-agent", "a \"quoted\" \\ \u{e9} agent")
                .header(
                    "traceparent",
                    "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-03",
                )
                .header("tracestate", "a=\"1\"")
                .header("b3", "463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1");
            mesh.left(mesh.send_to(Hop::Gateway, listener, request)?, spans)
        };
        let reference = left("gateway")?;
        for (listener, protocol) in [
            ("otlp-grpc", Protocol::OtlpGrpc),
            ("otlp-http-json", Protocol::OtlpHttpJson),
            ("zipkin", Protocol::Zipkin),
        ] {
            let exchange = left(listener)?;
            ensure!(
                exchange.inner.is_some() == reference.inner.is_some(),
                "{protocol}: {target}: {}",
                shown(exchange.spans())
            );
            for (span, reference) in exchange.spans().zip(reference.spans()) {
                let problem = difference(span, reference).with_context(|| target.to_owned());
                ensure!(
                    span.protocol == protocol,
                    "{:?} came by {}",
                    listener,
                    span.protocol
                );
                problem.with_context(|| format!("{span}\n{reference}"))?;
            }
        }
    }
    Ok(())
}

fn difference(span: &Span, reference: &Span) -> Result<()> {
    ensure!(
        attributes(span) == attributes(reference),
        "other attributes"
    );
    ensure!(
        span.kind == reference.kind && span.service == reference.service,
        "another kind"
    );
    ensure!(span.status.code == reference.status.code, "another status");
    if span.protocol == Protocol::Zipkin {
        ensure!(span.name == reference.name.to_lowercase(), "another name");
        ensure!(
            span.attribute("w3c.tracestate") == reference.trace_state,
            "another tracestate"
        );
        ensure!(
            span.status.message == reference.attribute("error.type"),
            "the tag `error` is not the reason"
        );
        let callee = reference.attribute("peer.service");
        ensure!(
            span.remote_service.as_deref().unwrap_or_default() == callee,
            "another callee"
        );
    } else {
        ensure!(
            (
                &span.name,
                &span.resource,
                &span.scope,
                &span.links,
                span.flags,
                &span.trace_state
            ) == (
                &reference.name,
                &reference.resource,
                &reference.scope,
                &reference.links,
                reference.flags,
                &reference.trace_state
            ),
            "another field"
        );
    }
    Ok(())
}

/// As text, without what differs between two requests, and without what Zipkin has instead of fields.
fn attributes(span: &Span) -> BTreeMap<String, String> {
    let differs =
        |key: &str| matches!(key, "guid:x-request-id" | "client.port") || ZIPKINS.contains(&key);
    let attributes = span.attributes.iter().filter(|(key, _)| !differs(key));
    attributes
        .map(|(key, value)| (key.clone(), value.to_string()))
        .collect()
}
