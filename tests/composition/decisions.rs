//! Where the winner defers, where debug counts, what becomes of the parent, the random flag and the list.

use crate::strict::{B3, FLAGS, PARENT, SAMPLED, SPAN, TRACE, TRACEPARENT, TRACESTATE};
use crate::{Row, check, row};

#[rustfmt::skip]
const DEFERRING: &[Row] = &[
    row("the sampler decides: on", "parentbased_always_on", &[(TRACE, "{T}"), (SPAN, "{S}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 0),
    row("the sampler decides: off", "parentbased_always_off", &[(TRACE, "{T}"), (SPAN, "{S}")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 2, 0),
    row("W3C decides on the same trace: deny", "extract b3 tracecontext; parentbased_always_on", &[(TRACE, "{T}"), (SPAN, "{S}"), (TRACEPARENT, "00-{T}-{S}-00")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 1, 0),
    row("W3C decides on the same trace: accept", "extract b3 tracecontext; parentbased_always_off", &[(TRACE, "{T}"), (SPAN, "{S}"), (TRACEPARENT, "00-{T}-{S}-01")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("W3C decides on the wider id of the same trace", "extract b3 tracecontext; parentbased_always_on", &[(TRACE, "{t}"), (SPAN, "{S}"), (TRACEPARENT, "00-{T}-{S}-00")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 2, 0),
    row("W3C on the same trace decides, from another span", "extract b3 tracecontext; parentbased_always_on", &[(TRACE, "{T}"), (SPAN, "{V}"), (TRACEPARENT, "00-{T}-{S}-00")],
        &[(TRACEPARENT, "00-{T}-{V}-00"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "0")], 2, 1),
    row("W3C on another trace decides nothing", "extract b3 tracecontext; parentbased_always_on", &[(TRACE, "{T}"), (SPAN, "{S}"), (TRACEPARENT, "00-{U}-{S}-00")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 1),
    row("a format outside extract decides nothing", "extract b3; parentbased_always_on", &[(TRACE, "{T}"), (SPAN, "{S}"), (TRACEPARENT, "00-{T}-{S}-00")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 0),
    row("the single header defers, the several decide", "extract b3; inject b3", &[(B3, "{T}-{S}"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")],
        &[(B3, "{T}-{S}-0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 1, 0),
    row("the single header defers, the several are elsewhere", "extract b3; inject b3", &[(B3, "{T}-{S}"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "0")],
        &[(B3, "{T}-{S}-1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 3, 1),
    row("the single header defers, a state without ids decides", "extract b3; inject b3; stale remove", &[(B3, "{T}-{S}"), (SAMPLED, "0")],
        &[(B3, "{T}-{S}-0")], 2, 0),
    row("the single header defers, debug without ids decides", "extract b3; inject b3; stale remove; parentbased_always_off", &[(B3, "{T}-{S}-{P}"), (FLAGS, "1")],
        &[(B3, "{T}-{S}-d-{P}")], 2, 0),
    row("the first that decides: W3C before the several", "extract b3 tracecontext", &[(B3, "{T}-{S}"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "1"), (TRACEPARENT, "00-{T}-{S}-00")],
        &[(B3, "{T}-{S}-0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0"), (TRACEPARENT, "00-{T}-{S}-00")], 3, 1),
    row("a parent stays while its child defers", "", &[(TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")], 2, 0),
];

#[rustfmt::skip]
const DEBUG: &[Row] = &[
    row("in the several headers, beside a sampled W3C winner", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 0, 0),
    row("in the single header, beside a sampled W3C winner", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-d")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1"), (B3, "{T}-{S}-d")], 3, 0),
    row("on the low half of the winner's trace", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{t}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 1, 0),
    row("on the winner's trace, from another span", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 1, 1),
    row("on another trace it does not count", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{V}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 4, 1),
    row("beside a W3C winner that denies it does not count", "", &[(TRACEPARENT, "00-{T}-{S}-00"), (B3, "{T}-{S}-d")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0"), (B3, "{T}-{S}-0")], 4, 1),
    row("without ids, in the single header, after W3C", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "d")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1"), (B3, "{T}-{S}-d")], 4, 0),
    row("without ids, in the several headers, after W3C", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 2, 0),
    row("without ids, in the single header, before W3C", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "d")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1"), (B3, "{T}-{S}-d")], 4, 0),
    row("without ids, in the several headers, before W3C", "extract b3multi tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 2, 0),
    row("without ids, beside a W3C winner that denies", "", &[(TRACEPARENT, "00-{T}-{S}-00"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 4, 0),
    row("B3 first: debug makes W3C sampled", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 1, 1),
    row("sampled beside debug is removed", "", &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 2, 0),
    row("deny beside debug is removed", "", &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 2, 0),
    row("other flags become 1", "", &[(B3, "{T}-{S}-d"), (FLAGS, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1"), (B3, "{T}-{S}-d")], 4, 0),
    row("other flags are ignored and stay", "", &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (FLAGS, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (FLAGS, "0")], 1, 0),
    row("outside extract it does not count", "extract tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 0),
];

#[rustfmt::skip]
const PARENTS: &[Row] = &[
    row("stays while the span stays: the several headers", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")], 0, 0),
    row("stays while the span stays: the single header", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-1-{P}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1-{P}")], 3, 0),
    row("stays where only the decision changes", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")], 1, 1),
    row("goes with its span: the several headers", "", &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "1")], 2, 1),
    row("goes with its span: the single header", "", &[(TRACEPARENT, "00-{T}-{V}-01"), (B3, "{T}-{S}-1-{P}")],
        &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "1"), (B3, "{T}-{V}-1")], 4, 1),
    row("goes with its trace", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{V}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 3, 1),
    row("an equal span id on another trace is another span", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 1),
    row("belongs to no span that came in", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (PARENT, "{P}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 4, 0),
    row("goes where a trace starts", "", &[(PARENT, "{P}")],
        &[(TRACEPARENT, "00-{N}-{n}-01"), (TRACE, "{N}"), (SPAN, "{n}"), (SAMPLED, "1")], 5, 0),
    row("an empty one goes, the context stays", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, ""), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("one of zeros goes from the single header", "inject tracecontext b3", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-1-{0*16}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-1")], 1, 0),
    row("none is invented for the several headers", "extract b3; inject b3multi", &[(B3, "{T}-{S}-1-{P}")],
        &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1-{P}")], 3, 0),
    row("none is invented for the single header", "extract b3; inject b3", &[(TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1"), (B3, "{T}-{S}-1")], 1, 0),
    row("of repeated ones the first stays", "extract b3; inject b3multi", &[(TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (PARENT, "{V}"), (SAMPLED, "1")],
        &[(TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")], 1, 0),
];

#[rustfmt::skip]
const FLAGS_AND_LISTS: &[Row] = &[
    row("the random flag stays, sampled", "", &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 0, 0),
    row("the random flag stays, unsampled", "", &[(TRACEPARENT, "00-{T}-{S}-02"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-02"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 0, 0),
    row("the random flag stays where B3 wins on the same trace", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 0, 0),
    row("the random flag stays where B3 changes the span", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{V}-03"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "1")], 1, 1),
    row("the random flag stays where B3 brings the low half", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("the random flag stays on a 64-bit trace", "", &[(TRACEPARENT, "00-{0*16}{t}-{S}-03"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{0*16}{t}-{S}-03"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1")], 0, 0),
    row("the random flag belongs to the trace that goes", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{U}-{S}-01"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 1),
    row("a trace that starts here has no random flag", "", &[],
        &[(TRACEPARENT, "00-{N}-{n}-01"), (TRACE, "{N}"), (SPAN, "{n}"), (SAMPLED, "1")], 4, 0),
    row("a B3 trace has no random flag", "inject tracecontext", &[(B3, "{T}-{S}-1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-1")], 1, 0),
    row("the list stays beside its traceparent", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1, bar=2"), (TRACESTATE, ""), (TRACESTATE, "baz=3")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1, bar=2"), (TRACESTATE, ""), (TRACESTATE, "baz=3")], 0, 0),
    row("the list stays where B3 wins on the same trace", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{V}-00"), (TRACESTATE, "foo=1"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "0")], 1, 1),
    row("the list goes where B3 wins on another trace", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{U}-{S}-01"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 1),
    row("the list goes where the traceparent is rejected, in one write", "", &[(TRACEPARENT, "00-{T}-{S}"), (TRACESTATE, "foo=1"), (TRACESTATE, "bar=2"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 0),
    row("the list goes without a traceparent", "", &[(TRACESTATE, "foo=1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 0),
    row("a bad list goes alone", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1,BAR=2"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
];

#[test]
fn a_winner_that_defers() {
    check(DEFERRING, 14);
}

#[test]
fn debug() {
    check(DEBUG, 17);
}

#[test]
fn the_parent() {
    check(PARENTS, 14);
}

#[test]
fn the_random_flag_and_the_list() {
    check(FLAGS_AND_LISTS, 15);
}
