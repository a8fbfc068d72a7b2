//! Zipkin's own: Brave, by itself and in Spring Boot, and the client for Go.

use super::{Cell, setting};
use throughline_dev::http::Headers;

const JOIN: &str =
    "Its server span takes the span id that it finds as its own, as Zipkin's shared spans do";

const NO_RANDOM: &str = "Takes no `traceparent` with Level 2's random flag";

const TRACE_CONTEXT: &str = "`TraceContextPropagation` of brave-propagation-w3c";

const BOOT: &str = "management.tracing.propagation.type";

/// Every cell of Zipkin.
pub fn cells() -> Vec<Cell> {
    vec![
        brave("`B3Propagation`", "b3multi", true)
            .no(JOIN, "`B3Propagation`, `supportsJoin(false)`"),
        brave("`B3Propagation`, `supportsJoin(false)`", "b3multi", false),
        brave("`B3Propagation`, `Format.SINGLE`", "b3", true).no(
            JOIN,
            "`B3Propagation`, `Format.SINGLE`, `supportsJoin(false)`",
        ),
        brave(
            "`B3Propagation`, `Format.SINGLE`, `supportsJoin(false)`",
            "b3",
            false,
        ),
        brave("Micrometer's `W3CPropagation`", "micrometer-w3c", true)
            .no(NO_RANDOM, "`B3Propagation`, `supportsJoin(false)`"),
        brave(TRACE_CONTEXT, "brave-w3c", false).no(
            "Takes a `traceparent` only beside a `tracestate`",
            "`B3Propagation`, `supportsJoin(false)`",
        ),
        brave(
            &format!("{TRACE_CONTEXT}; called with a `tracestate`"),
            "brave-w3c",
            false,
        )
        .called_by(|_| Headers::new().with("tracestate", "vendor=value"))
        .no(NO_RANDOM, "`B3Propagation`, `supportsJoin(false)`"),
        Cell::by_code("java-spring", "the default", &[]),
        boot("W3C").no(NO_RANDOM, "the default"),
        boot("B3"),
        boot("B3_MULTI"),
        go("the default", true).no(JOIN, "`WithSharedSpans(false)`"),
        go("`WithSharedSpans(false)`", false),
    ]
}

fn brave(settings: &str, propagation: &str, join: bool) -> Cell {
    let join = join.to_string();
    let environment = [
        ("BRAVE_PROPAGATION", propagation),
        ("BRAVE_SUPPORTS_JOIN", &join),
    ];
    Cell::by_code("java-brave", settings, &environment)
}

fn boot(propagation: &str) -> Cell {
    let environment = [("MANAGEMENT_TRACING_PROPAGATION_TYPE", propagation)];
    Cell::by_code("java-spring", &setting(BOOT, propagation), &environment)
}

fn go(settings: &str, shared: bool) -> Cell {
    Cell::by_code(
        "go-zipkin",
        settings,
        &[("ZIPKIN_SHARED_SPANS", &shared.to_string())],
    )
}
