//! `x-datadog-*`.

use crate::strict::{FLAGS, SPAN, TRACE, TRACEPARENT};
use crate::{DD_PARENT, DD_PRIORITY, DD_TAGS, DD_TRACE, Row, check, row};

const READ: &str = "extract datadog; inject tracecontext";
const ADDED: &str = "inject tracecontext datadog";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("64 bits", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (TRACEPARENT, "00-{0*16}{t}-{S}-01")], ""),
    row("128 bits", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high}")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high}"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("a user's yes stays one", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "2")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "2"), (TRACEPARENT, "00-{0*16}{t}-{S}-01")], ""),
    row("a user's no stays one", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "-1")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "-1"), (TRACEPARENT, "00-{0*16}{t}-{S}-00")], ""),
    row("no decision", "extract datadog; inject tracecontext; always_off", &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "0"), (TRACEPARENT, "00-{0*16}{t}-{S}-00")], ""),
    row("a decision without ids", READ, &[(DD_PRIORITY, "0")],
        &[(DD_TRACE, "{N#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "0"), (DD_TAGS, "_dd.p.tid={Nhigh}"), (TRACEPARENT, "00-{N}-{n}-00")], ""),
    row("what says the same stays, in its order", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.dm=-4, _dd.p.tid={high},_dd.p.ts=02")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.dm=-4, _dd.p.tid={high},_dd.p.ts=02"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("with leading zeros", READ, &[(DD_TRACE, "00{t#}"), (DD_PARENT, "0{S#}"), (DD_PRIORITY, "1")],
        &[(DD_TRACE, "00{t#}"), (DD_PARENT, "0{S#}"), (DD_PRIORITY, "1"), (TRACEPARENT, "00-{0*16}{t}-{S}-01")], ""),
    row("two high halves, of which others may read the second", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high},_dd.p.dm=-4,_dd.p.tid=0000000000000001")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high},_dd.p.dm=-4"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("other tags stay behind a high half that is new", "extract tracecontext datadog; inject tracecontext", &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.dm=-4,_dd.p.ts=02"), (TRACEPARENT, "00-{T}-{S}-01")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high},_dd.p.dm=-4,_dd.p.ts=02"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("a high half that is none leaves the low one", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid=xyz,_dd.p.dm=-1")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.dm=-1"), (TRACEPARENT, "00-{0*16}{t}-{S}-01")], ""),
    row("the high half comes from W3C", "extract datadog tracecontext; inject tracecontext", &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (TRACEPARENT, "00-{T}-{S}-01")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high}"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("tags are no longer than Datadog takes", "extract tracecontext datadog; inject tracecontext", &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "a={x*475},b=1,c=2"), (TRACEPARENT, "00-{T}-{S}-01")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high},a={x*475},b=1,c=2"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("what does not fit beside the high half goes", "extract tracecontext datadog; inject tracecontext", &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "a={x*478},b=1,c=2"), (TRACEPARENT, "00-{T}-{S}-01")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high},a={x*478},b=1"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("tags of another trace go", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (DD_TRACE, "1"), (DD_PARENT, "2"), (DD_PRIORITY, "-1"), (DD_TAGS, "_dd.p.dm=-4")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high}"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("written", ADDED, &[(TRACEPARENT, "00-{T}-{V}-00")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{V#}"), (DD_PRIORITY, "0"), (DD_TAGS, "_dd.p.tid={high}"), (TRACEPARENT, "00-{T}-{V}-00")], ""),
    row("debug is a user's yes", "extract b3 datadog; inject tracecontext datadog; stale remove", &[(TRACE, "{t}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "2"), (TRACEPARENT, "00-{0*16}{t}-{S}-01")], ""),
    row("Datadog has no word for a low half of zero", ADDED, &[(TRACEPARENT, "00-{high}{0*16}-{S}-01")], &[(TRACEPARENT, "00-{high}{0*16}-{S}-01")], ""),
    row("removed", "inject tracecontext; stale remove", &[(TRACEPARENT, "00-{T}-{S}-01"), (DD_TRACE, "1"), (DD_PARENT, "2"), (DD_PRIORITY, "-1"), (DD_TAGS, "_dd.p.dm=-4")],
        &[(TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("no span", READ, &[(DD_TRACE, "{t#}")],
        &[(DD_TRACE, "{N#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={Nhigh}"), (TRACEPARENT, "00-{N}-{n}-01")], "datadog/incomplete"),
    row("a trace of zero", READ, &[(DD_TRACE, "0"), (DD_PARENT, "{S#}")],
        &[(DD_TRACE, "{N#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={Nhigh}"), (TRACEPARENT, "00-{N}-{n}-01")], "datadog/trace_id"),
    row("more than 64 bits", READ, &[(DD_TRACE, "18446744073709551616"), (DD_PARENT, "{S#}")],
        &[(DD_TRACE, "{N#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={Nhigh}"), (TRACEPARENT, "00-{N}-{n}-01")], "datadog/trace_id"),
    row("a span of zero: a synthetic test's trace, whose first span begins here", "extract datadog; inject tracecontext; always_off", &[(DD_TRACE, "{t#}"), (DD_PARENT, "0"), (DD_PRIORITY, "1")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "0"), (TRACEPARENT, "00-{0*16}{t}-{n}-00")], ""),
    row("and its decision and tags", "extract datadog; inject tracecontext; parentbased_always_off", &[(DD_TRACE, "{t#}"), (DD_PARENT, "0"), (DD_PRIORITY, "2"), (DD_TAGS, "_dd.p.dm=-4,_dd.p.tid={high}")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "2"), (DD_TAGS, "_dd.p.dm=-4,_dd.p.tid={high}"), (TRACEPARENT, "00-{T}-{n}-01")], ""),
    row("a format that names a span goes before it", "extract datadog tracecontext; inject tracecontext", &[(DD_TRACE, "{t#}"), (DD_PARENT, "0"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.dm=-4"), (TRACEPARENT, "00-{T}-{S}-01")],
        &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={high},_dd.p.dm=-4"), (TRACEPARENT, "00-{T}-{S}-01")], ""),
    row("a span that is no number", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S}")],
        &[(DD_TRACE, "{N#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={Nhigh}"), (TRACEPARENT, "00-{N}-{n}-01")], "datadog/span_id"),
    row("more than 64 bits of a span", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "18446744073709551616")],
        &[(DD_TRACE, "{N#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={Nhigh}"), (TRACEPARENT, "00-{N}-{n}-01")], "datadog/span_id"),
    row("a priority that is none", READ, &[(DD_TRACE, "{t#}"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "3")],
        &[(DD_TRACE, "{N#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={Nhigh}"), (TRACEPARENT, "00-{N}-{n}-01")], "datadog/sampled"),
    row("two traces", READ, &[(DD_TRACE, "1"), (DD_TRACE, "2"), (DD_PARENT, "{S#}"), (DD_PRIORITY, "1")],
        &[(DD_TRACE, "{N#}"), (DD_PARENT, "{n#}"), (DD_PRIORITY, "1"), (DD_TAGS, "_dd.p.tid={Nhigh}"), (TRACEPARENT, "00-{N}-{n}-01")], "datadog/repeated"),
];

#[test]
fn every_row_holds() {
    check(ROWS);
}
