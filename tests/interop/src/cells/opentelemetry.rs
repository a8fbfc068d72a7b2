//! OpenTelemetry's SDKs. All of them read the single and the several headers of B3, whichever they write.

use super::{Cell, setting};

const VARIABLE: &str = "OTEL_PROPAGATORS";

/// Discards what Level 2 of W3C Trace Context added, and the rest of the header with it.
const NO_RANDOM: &str = "Takes no `traceparent` with Level 2's random flag";

/// Every cell of OpenTelemetry.
pub fn cells() -> Vec<Cell> {
    [
        current("python-opentelemetry"),
        old("go-opentelemetry-1.16"),
        old("go-opentelemetry-1.38"),
        current("go-opentelemetry-1.47"),
        current("java-opentelemetry"),
        current("node-opentelemetry"),
    ]
    .concat()
}

fn current(application: &'static str) -> Vec<Cell> {
    let set = |propagators| Cell::by_environment(application, VARIABLE, propagators);
    ["tracecontext", "b3", "b3multi", "b3,tracecontext,baggage"]
        .map(set)
        .into()
}

fn old(application: &'static str) -> Vec<Cell> {
    const BOTH: &str = "tracecontext,b3multi";
    let set = |propagators| Cell::by_environment(application, VARIABLE, propagators);
    let tracecontext = set("tracecontext").no(NO_RANDOM, setting(VARIABLE, BOTH));
    vec![tracecontext, set(BOTH), set("b3"), set("b3multi")]
}
