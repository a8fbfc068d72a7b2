//! No trace header at all: what goes where another trace leaves than the one that came in.

use super::{HeaderWrites, TraceHeaders};

/// Removes every known header of a trace.
pub fn withdraw(headers: &TraceHeaders<'_>) -> HeaderWrites {
    let mut writes = HeaderWrites::default();
    for (name, field) in [
        ("traceparent", headers.traceparent),
        ("tracestate", headers.tracestate),
        ("b3", headers.b3),
        ("x-b3-traceid", headers.trace_id),
        ("x-b3-spanid", headers.span_id),
        ("x-b3-parentspanid", headers.parent_span_id),
        ("x-b3-sampled", headers.sampled),
        ("x-b3-flags", headers.flags),
        ("uber-trace-id", headers.uber_trace_id),
        ("x-amzn-trace-id", headers.x_amzn_trace_id),
        ("x-datadog-trace-id", headers.datadog_trace_id),
        ("x-datadog-parent-id", headers.datadog_parent_id),
        (
            "x-datadog-sampling-priority",
            headers.datadog_sampling_priority,
        ),
        ("x-datadog-tags", headers.datadog_tags),
        ("x-cloud-trace-context", headers.x_cloud_trace_context),
        ("grpc-trace-bin", headers.grpc_trace_bin),
    ] {
        writes.remove(name, field);
    }
    writes
}
