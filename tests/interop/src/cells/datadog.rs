//! Datadog's tracers. Their `b3` is the single header alone.

use super::Cell;
use throughline_dev::http::Headers;

const VARIABLE: &str = "DD_TRACE_PROPAGATION_STYLE";

/// Every cell of Datadog.
pub fn cells() -> Vec<Cell> {
    ["python-datadog", "node-datadog"]
        .into_iter()
        .flat_map(of)
        .collect()
}

fn of(application: &'static str) -> [Cell; 7] {
    let style = |style| Cell::by_environment(application, VARIABLE, style);
    let single = style("b3").injecting(&["tracecontext", "b3multi", "b3"]);
    let told = style("datadog")
        .extracting(&["tracecontext", "b3", "datadog"])
        .injecting(&["tracecontext", "b3multi", "datadog"]);
    [
        Cell::by_code(application, "the default, the caller too", &[]).called_by(caller),
        style("tracecontext"),
        style("b3multi"),
        style("b3").no(
            "Reads the single header alone, which the filter writes only where it is told to",
            single.settings.clone(),
        ),
        single,
        style("datadog").no(
            "The filter reads and writes `x-datadog-*` only where it is told to",
            told.settings.clone(),
        ),
        told,
    ]
}

/// What a caller with the tracer's default writes beside that `traceparent`, on the same trace and span.
fn caller(traceparent: &str) -> Headers {
    let part = |from, to| traceparent.get(from..to).unwrap_or_default();
    let decimal = |hex| u64::from_str_radix(hex, 16).unwrap_or_default().to_string();
    let (high, low, span_id, flags) = (part(3, 19), part(19, 35), part(36, 52), part(53, 55));
    let priority = if flags == "00" { "0" } else { "1" };
    Headers::new()
        .with(
            "tracestate",
            format!("dd=s:{priority};p:{span_id};t.tid:{high}"),
        )
        .with("x-datadog-trace-id", decimal(low))
        .with("x-datadog-parent-id", decimal(span_id))
        .with("x-datadog-sampling-priority", priority)
        .with("x-datadog-tags", format!("_dd.p.tid={high}"))
}
