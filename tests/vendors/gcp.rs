//! `x-cloud-trace-context` and `grpc-trace-bin`.

use crate::strict::TRACEPARENT;
use crate::{CLOUD, GRPC, Row, check, row};

const READ: &str = "extract gcp; inject tracecontext";
const BOTH: &str = "extract gcp; inject tracecontext gcp";
/// `00-{T}-{S}-01`, with the padding that some send.
const BINARY: &str = "AACA8ZjuVjQ7qGT+iypX0+/3AeRXtaLk2GvRAgE=";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("sampled", READ, &[(CLOUD, "{T}/{S#};o=1")], &[(CLOUD, "{T}/{S#};o=1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("not sampled", READ, &[(CLOUD, "{T}/{S#};o=0")], &[(CLOUD, "{T}/{S#};o=0"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("no decision", "extract gcp; inject tracecontext; always_off", &[(CLOUD, "{T}/{S#}")], &[(CLOUD, "{T}/{S#};o=0"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("a trace without a span begins here", READ, &[(CLOUD, "{T}")], &[(CLOUD, "{T}/{n#};o=1"), (TRACEPARENT, "00-{T}-{n}-01")], ""),
    row("and with span 0", READ, &[(CLOUD, "{T}/0;o=0")], &[(CLOUD, "{T}/{n#};o=0"), (TRACEPARENT, "00-{T}-{n}-00")], ""),
    row("written", "inject tracecontext gcp", &[(TRACEPARENT, "00-{T}-{V}-01")], &[(CLOUD, "{T}/{V#};o=1"), (TRACEPARENT, "00-{T}-{V}-01")], ""),
    row("written where a trace starts", BOTH, &[], &[(CLOUD, "{N}/{n#};o=1"), (TRACEPARENT, "00-{N}-{n}-01")], ""),
    row("31 digits", BOTH, &[(CLOUD, "{S}{0*15}/1")], &[(CLOUD, "{N}/{n#};o=1"), (TRACEPARENT, "00-{N}-{n}-01")], "gcp/trace_id"),
    row("a span that is none", BOTH, &[(CLOUD, "{T}/{S};o=1")], &[(CLOUD, "{N}/{n#};o=1"), (TRACEPARENT, "00-{N}-{n}-01")], "gcp/span_id"),
    row("an option that is none", BOTH, &[(CLOUD, "{T}/1;o=2")], &[(CLOUD, "{N}/{n#};o=1"), (TRACEPARENT, "00-{N}-{n}-01")], "gcp/sampled"),
    row("two of them", BOTH, &[(CLOUD, "{T}/1"), (CLOUD, "{T}/1")], &[(CLOUD, "{N}/{n#};o=1"), (TRACEPARENT, "00-{N}-{n}-01")], "gcp/repeated"),
    row("endless", BOTH, &[(CLOUD, "{T}/{1*99}")], &[(CLOUD, "{N}/{n#};o=1"), (TRACEPARENT, "00-{N}-{n}-01")], "gcp/length"),
    row("binary", READ, &[(GRPC, BINARY)], &[(GRPC, BINARY), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("binary without padding", READ, &[(GRPC, "AACA8ZjuVjQ7qGT+iypX0+/3AeRXtaLk2GvRAgA")],
        &[(GRPC, "AACA8ZjuVjQ7qGT+iypX0+/3AeRXtaLk2GvRAgA"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("binary of another trace is rewritten", "extract tracecontext; inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-00"), (GRPC, "AAAAAAAAAAAAAAAAAAAAAAAAAQEAAAAAAAAAAgIB")],
        &[(GRPC, "AACA8ZjuVjQ7qGT+iypX0+/3AeRXtaLk2GvRAgA"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("binary is never added", BOTH, &[(CLOUD, "{T}/{S#};o=1")], &[(CLOUD, "{T}/{S#};o=1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("text goes before binary", BOTH, &[(CLOUD, "{U}/{V#};o=1"), (GRPC, BINARY)],
        &[(CLOUD, "{U}/{V#};o=1"), (GRPC, "AAAK92UZFs1D3YRI6yEcgDGcAbeta3FpIDMxAgE"), (TRACEPARENT, "00-{U}-{V}-01")], ""),
    row("binary, removed", "inject tracecontext; stale remove", &[(GRPC, BINARY)], &[(TRACEPARENT, "00-{N}-{n}-01")], ""),
    row("binary that is no base64", "extract gcp tracecontext; inject tracecontext; stale remove", &[(GRPC, "!")], &[(TRACEPARENT, "00-{N}-{n}-01")], "grpc-trace-bin/syntax"),
    row("binary of another length", "extract gcp tracecontext; inject tracecontext; stale remove", &[(GRPC, "AACA8Zju")], &[(TRACEPARENT, "00-{N}-{n}-01")], "grpc-trace-bin/length"),
    row("binary of another version", "extract gcp tracecontext; inject tracecontext; stale remove", &[(GRPC, "AQCA8ZjuVjQ7qGT+iypX0+/3AeRXtaLk2GvRAgE=")], &[(TRACEPARENT, "00-{N}-{n}-01")], "grpc-trace-bin/version"),
    row("binary with fields in another order", "extract gcp tracecontext; inject tracecontext; stale remove", &[(GRPC, "AAGA8ZjuVjQ7qGT+iypX0+/3AeRXtaLk2GvRAgE=")], &[(TRACEPARENT, "00-{N}-{n}-01")], "grpc-trace-bin/syntax"),
];

#[test]
fn every_row_holds() {
    check(ROWS);
}
