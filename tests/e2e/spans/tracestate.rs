//! W3C's tracestate is on the spans where it leaves with the request.

use super::hop::Hop;
use super::mesh::Mesh;
use anyhow::{Context, Result, ensure};
use throughline_dev::http::{Headers, Request};

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

pub fn lists(mesh: &Mesh) -> Result<()> {
    let traceparent = || Headers::new().with("traceparent", format!("00-{TRACE}-{SPAN}-01"));
    let long = |value| format!("a={},b={}", "x".repeat(256), "y".repeat(value));
    let (longest, longer) = (long(251), long(252));
    assert_eq!(longest.len(), 512);
    // What came, the list that leaves, the list on the span.
    for (headers, leaves, on_span) in [
        (
            traceparent().with("tracestate", "a=1,b=2"),
            "a=1,b=2",
            "a=1,b=2",
        ),
        (traceparent(), "", ""),
        (traceparent().with("tracestate", "Not=valid"), "", ""),
        (Headers::new().with("tracestate", "a=1"), "", ""),
        // Beside a context of another trace the list is not its.
        (
            Headers::new()
                .with("b3", format!("{TRACE}-{SPAN}-1"))
                .with("tracestate", "a=1"),
            "",
            "",
        ),
        (
            traceparent().with("tracestate", &longest),
            &longest,
            &longest,
        ),
        (traceparent().with("tracestate", &longer), &longer, ""),
        (
            traceparent()
                .with("tracestate", "a=1")
                .with("tracestate", "b=2"),
            "a=1,b=2",
            "a=1,b=2",
        ),
    ] {
        let exchange = mesh.left(
            mesh.send(Hop::Gateway, Request::get("/up/ok").headers(&headers))?,
            2,
        )?;
        let seen = mesh
            .upstream
            .seen(&exchange.sent.id)
            .pop()
            .context("no request arrived")?;
        let fields: Vec<_> = seen
            .headers
            .all("tracestate")
            .map(String::from_utf8_lossy)
            .collect();
        ensure!(fields.join(",") == leaves, "{headers:?}became {fields:?}");
        for span in exchange.spans() {
            ensure!(span.trace_state == on_span, "{headers:?}{span}");
        }
    }
    Ok(())
}
