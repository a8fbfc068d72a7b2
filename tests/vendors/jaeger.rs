//! `uber-trace-id`.

use crate::strict::{FLAGS, SAMPLED, SPAN, TRACE, TRACEPARENT};
use crate::{Row, UBER, check, row};

const READ: &str = "extract jaeger; inject tracecontext";
const BOTH: &str = "extract jaeger; inject tracecontext jaeger";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("sampled", READ, &[(UBER, "{T}:{S}:0:1")], &[(UBER, "{T}:{S}:0:1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("not sampled", READ, &[(UBER, "{T}:{S}:0:0")], &[(UBER, "{T}:{S}:0:0"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("the parent is deprecated, and stays while nothing changes", READ, &[(UBER, "{T}:{S}:{P}:1")], &[(UBER, "{T}:{S}:{P}:1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("64 bits", READ, &[(UBER, "{t}:{S}:0:1")], &[(UBER, "{t}:{S}:0:1"), (TRACEPARENT, "00-{0*16}{t}-{S}-01")], ""),
    row("leading zeros may be left out", READ, &[(UBER, "abc:1:0:1")], &[(UBER, "abc:1:0:1"), (TRACEPARENT, "00-{0*29}abc-{0*15}1-01")], ""),
    row("colons as part of an URL", READ, &[(UBER, "{T}%3A{S}%3a0%3A1")], &[(UBER, "{T}%3A{S}%3a0%3A1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("debug", "extract jaeger; inject tracecontext b3multi", &[(UBER, "{T}:{S}:0:3")],
        &[(UBER, "{T}:{S}:0:3"), (TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], ""),
    row("debug without sampled is none", READ, &[(UBER, "{T}:{S}:0:2")], &[(UBER, "{T}:{S}:0:2"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("firehose and two digits", READ, &[(UBER, "{T}:{S}:0:09")], &[(UBER, "{T}:{S}:0:09"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("written beside what came in", "inject tracecontext jaeger", &[(TRACEPARENT, "00-{T}-{S}-01")], &[(UBER, "{T}:{S}:0:1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("written where a trace starts", BOTH, &[], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], ""),
    row("written debug", "extract b3 jaeger; inject tracecontext jaeger; stale remove", &[(TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(UBER, "{T}:{S}:0:3"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("another trace is rewritten", "extract tracecontext jaeger", &[(TRACEPARENT, "00-{T}-{S}-01"), (UBER, "{U}:{V}:0:1")],
        &[(UBER, "{T}:{S}:0:1"), (TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], ""),
    row("what nobody reads is rewritten, too", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (UBER, "{U}:{V}:0:1")],
        &[(UBER, "{T}:{S}:0:1"), (TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], ""),
    row("or removed", "inject tracecontext; stale remove", &[(TRACEPARENT, "00-{T}-{S}-01"), (UBER, "{U}:{V}:0:1")], &[(TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("another decision", "extract tracecontext; inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-00"), (UBER, "{T}:{S}:0:1")],
        &[(UBER, "{T}:{S}:0:0"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("two of them", BOTH, &[(UBER, "{T}:{S}:0:1"), (UBER, "{T}:{S}:0:1")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/repeated"),
    row("no trace", BOTH, &[(UBER, "0:{S}:0:1")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/trace_id"),
    row("no span", BOTH, &[(UBER, "{T}:0:0:1")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/span_id"),
    row("upper case", BOTH, &[(UBER, "ABC:{S}:0:1")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/trace_id"),
    row("a span of 17 digits", BOTH, &[(UBER, "{T}:1{S}:0:1")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/span_id"),
    row("three fields", BOTH, &[(UBER, "{T}:{S}:1")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/syntax"),
    row("five fields", BOTH, &[(UBER, "{T}:{S}:0:1:1")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/syntax"),
    row("no flags", BOTH, &[(UBER, "{T}:{S}:0:")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/flags"),
    row("flags of nine bits", BOTH, &[(UBER, "{T}:{S}:0:100")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/flags"),
    row("empty", BOTH, &[(UBER, "")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/syntax"),
    row("endless", BOTH, &[(UBER, "{T}:{S}:0:{0*100}1")], &[(UBER, "{N}:{n}:0:1"), (TRACEPARENT, "00-{N}-{n}-01")], "jaeger/length"),
];

#[test]
fn every_row_holds() {
    check(ROWS);
}
