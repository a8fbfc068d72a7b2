//! `x-amzn-trace-id`.

use crate::strict::TRACEPARENT;
use crate::{Row, XRAY, check, row};

const READ: &str = "extract xray; inject tracecontext";
const BOTH: &str = "extract xray; inject tracecontext xray";
const NEW: &str = "Root=1-{N8}-{N24};Parent={n};Sampled=1";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("sampled", READ, &[(XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=1")],
        &[(XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("not sampled, in another order, with spaces", READ, &[(XRAY, "Sampled=0; Parent={S}; Root=1-{T8}-{T24}")],
        &[(XRAY, "Sampled=0; Parent={S}; Root=1-{T8}-{T24}"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("other fields stay while nothing changes", READ, &[(XRAY, "Self=1-{T8}-{T24};Root=1-{T8}-{T24};Parent={S};Sampled=1;Lineage=a87bd80c:0")],
        &[(XRAY, "Self=1-{T8}-{T24};Root=1-{T8}-{T24};Parent={S};Sampled=1;Lineage=a87bd80c:0"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("the decision is asked for", READ, &[(XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=?")],
        &[(XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("no decision", "extract xray; inject tracecontext; always_off", &[(XRAY, "Root=1-{T8}-{T24};Parent={S}")],
        &[(XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=0"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("a load balancer begins the trace", READ, &[(XRAY, "Root=1-{T8}-{T24}")],
        &[(XRAY, "Root=1-{T8}-{T24};Parent={n};Sampled=1"), (TRACEPARENT, "00-{T}-{n}-01")], ""),
    row("and decides", READ, &[(XRAY, "Root=1-{T8}-{T24};Sampled=0")],
        &[(XRAY, "Root=1-{T8}-{T24};Parent={n};Sampled=0"), (TRACEPARENT, "00-{T}-{n}-00")], ""),
    row("which somebody else continues", "extract xray tracecontext; inject tracecontext", &[(XRAY, "Root=1-{T8}-{T24}"), (TRACEPARENT, "00-{T}-{S}-01")],
        &[(XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("a trace that has a span goes before one that has none", "extract xray tracecontext; inject tracecontext", &[(XRAY, "Root=1-{T8}-{T24}"), (TRACEPARENT, "00-{U}-{V}-01")],
        &[(XRAY, "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent={V};Sampled=1"), (TRACEPARENT, "00-{U}-{V}-01")], ""),
    row("written beside what came in", "inject tracecontext xray", &[(TRACEPARENT, "00-{T}-{S}-00")],
        &[(XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=0"), (TRACEPARENT, "00-{T}-{S}-00")], ""),
    row("no root", BOTH, &[(XRAY, "Parent={S};Sampled=1")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/incomplete"),
    row("another version", BOTH, &[(XRAY, "Root=2-{T8}-{T24};Parent={S}")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/trace_id"),
    row("upper case", BOTH, &[(XRAY, "Root=1-80F198EE-{T24};Parent={S}")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/trace_id"),
    row("nothing but zeros", BOTH, &[(XRAY, "Root=1-00000000-{0*24};Parent={S}")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/trace_id"),
    row("a short one", BOTH, &[(XRAY, "Root=1-{T8}-{S};Parent={S}")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/trace_id"),
    row("no span", BOTH, &[(XRAY, "Root=1-{T8}-{T24};Parent={0*16}")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/span_id"),
    row("a decision that is none", BOTH, &[(XRAY, "Root=1-{T8}-{T24};Parent={S};Sampled=yes")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/sampled"),
    row("two roots", BOTH, &[(XRAY, "Root=1-{T8}-{T24};Root=1-{T8}-{T24};Parent={S}")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/repeated"),
    row("a field without a value", BOTH, &[(XRAY, "Root")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/syntax"),
    row("empty", BOTH, &[(XRAY, "")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/incomplete"),
    row("endless", BOTH, &[(XRAY, "Root=1-{T8}-{T24};a={x*600}")], &[(XRAY, NEW), (TRACEPARENT, "00-{N}-{n}-01")], "xray/length"),
];

#[test]
fn every_row_holds() {
    check(ROWS);
}
