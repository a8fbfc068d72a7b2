//! Names, kinds, parents and ids, and what leaves on the wire.

use super::exchange::{Exchange, shown};
use super::hop::Hop;
use super::mesh::Mesh;
use crate::formats::{Context as Agreed, agreed};
use anyhow::{Context, Result, bail, ensure};
use std::collections::HashSet;
use throughline_dev::http::{Headers, Request};
use throughline_dev::receiver::{Kind, Span};

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

/// OTLP: it is known whether the parent is remote, and it is.
const KNOWN: u32 = 0x100;
const REMOTE: u32 = 0x200;

/// Gateway, waypoint, sidecar, application, sidecar: six spans, each under the one before it.
pub fn one_path(mesh: &Mesh) -> Result<()> {
    let (request, id) = mesh.tagged(Request::get("/path/x").header("host", "productpage:9080"));
    let answer = mesh.connect(Hop::Gateway, "gateway")?.send(&request)?;
    ensure!(answer.status == 200, "{answer:?}");
    let spans = mesh.spans(&id, 6)?;
    let expected = [
        (Kind::Server, "istio-ingressgateway.istio-system", KNOWN),
        (Kind::Client, "istio-ingressgateway.istio-system", KNOWN),
        (Kind::Server, "waypoint.bookinfo", KNOWN | REMOTE),
        (Kind::Client, "waypoint.bookinfo", KNOWN),
        (Kind::Server, "productpage.bookinfo", KNOWN | REMOTE),
        (Kind::Client, "productpage.bookinfo", KNOWN | REMOTE),
    ];
    let mut parent: Option<&Span> = None;
    for (kind, service, flags) in expected {
        let child = |span: &&Span| span.parent_id.as_ref() == parent.map(|span| &span.span_id);
        let mut children = spans.iter().filter(child);
        let (Some(span), None) = (children.next(), children.next()) else {
            bail!(
                "not one span is under {:?}:\n{}",
                parent.map(|span| &span.span_id),
                shown(&spans)
            );
        };
        ensure!(
            (span.kind, &*span.service, &*span.name) == (kind, service, "GET")
                && span.flags == flags | 1
                && parent.is_none_or(|parent| parent.trace_id == span.trace_id),
            "not the {kind} span of {service}: {span}"
        );
        parent = Some(span);
    }
    let ids: HashSet<_> = spans.iter().map(|span| &span.span_id).collect();
    ensure!(
        ids.len() == spans.len(),
        "one id for two spans:\n{}",
        shown(&spans)
    );
    let app = mesh
        .app
        .take_seen()
        .pop()
        .context("nothing reached the application")?;
    let upstream = mesh
        .upstream
        .seen(&id)
        .pop()
        .context("nothing reached the upstream")?;
    let (server, client) = (of(&spans, 4, &expected), of(&spans, 5, &expected));
    names(&app.headers, server.context("no span")?)?;
    names(&upstream.headers, client.context("no span")?)
}

/// The span of the hop at that position.
fn of<'a>(spans: &'a [Span], position: usize, hops: &[(Kind, &str, u32)]) -> Option<&'a Span> {
    let (kind, service, _) = hops.get(position)?;
    spans
        .iter()
        .find(|span| span.kind == *kind && span.service == *service)
}

/// All formats name that span.
pub fn names(headers: &Headers, span: &Span) -> Result<()> {
    let expected = Agreed {
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        sampled: true,
    };
    let on_the_wire = agreed(headers).map_err(anyhow::Error::msg)?;
    ensure!(
        on_the_wire.as_ref() == Some(&expected),
        "{on_the_wire:?} is on the wire, not {expected:?}"
    );
    for name in ["traceparent", "x-b3-traceid"] {
        ensure!(headers.contains(name), "no {name}:\n{headers:?}");
    }
    Ok(())
}

/// Each hop continues what its caller says in any format, and says in every format that its own span is next.
pub fn callers(mesh: &Mesh) -> Result<()> {
    let with = |name: &str, value: &str| Headers::new().with(name, value);
    let callers = [
        with("traceparent", &format!("00-{TRACE}-{SPAN}-01")),
        with("b3", &format!("{TRACE}-{SPAN}-1")),
        with("x-b3-traceid", TRACE)
            .with("x-b3-spanid", SPAN)
            .with("x-b3-sampled", "1"),
        // 64 bits; the parent of B3 belongs to the caller's span and goes no further.
        with("b3", &format!("64fe8b2a57d3eff7-{SPAN}-1-05e3ac9a4f6e3b90")),
    ];
    let mut sent = Vec::new();
    for hop in Hop::ALL {
        for headers in &callers {
            sent.push(mesh.send(hop, Request::get("/up/ok").headers(headers))?);
        }
    }
    for sent in sent {
        let count = 1 + u64::from(sent.hop.is_both());
        let exchange = mesh.left(sent, count)?;
        let Exchange { sent, outer, .. } = &exchange;
        ensure!(outer.flags == KNOWN | REMOTE | 1, "{outer}");
        let seen = mesh
            .upstream
            .seen(&sent.id)
            .pop()
            .context("nothing reached the upstream")?;
        names(&seen.headers, exchange.innermost())
            .with_context(|| format!("{}\n{:?}", exchange.described(), sent.request.headers))?;
        ensure!(
            !seen.headers.contains("x-b3-parentspanid"),
            "{:?}",
            seen.headers
        );
    }
    Ok(())
}
