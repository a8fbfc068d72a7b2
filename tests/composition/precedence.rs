//! Whose ids go on, which trace ids are one trace, what counts as a conflict.

use crate::strict::{B3, FLAGS, PARENT, SAMPLED, SPAN, TRACE, TRACEPARENT, TRACESTATE};
use crate::{Row, check, row};

#[rustfmt::skip]
const CONFLICTS: &[Row] = &[
    row("all agree", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 0, 0),
    row("another trace id: W3C first by default", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 1),
    row("another trace id: B3 first", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{U}-{S}-01"), (TRACE, "{U}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 1),
    row("another decision, B3 first: what the list says of W3C's goes", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "ot=th:0,a=1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACESTATE, "a=1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 2, 1),
    row("another span id: W3C first by default", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 1),
    row("another span id: B3 first", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (SAMPLED, "1")], 1, 1),
    row("another decision: W3C first by default", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 1),
    row("another decision: B3 first", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 1, 1),
    row("three formats on three traces are one conflict", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{V}"), (SAMPLED, "0"), (B3, "{P}-{P}-d")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1")], 4, 1),
    row("a rejected traceparent is no context, so nothing conflicts", "", &[(TRACEPARENT, "00-{T}-{S}"), (TRACE, "{U}"), (SPAN, "{V}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{U}-{V}-01"), (TRACE, "{U}"), (SPAN, "{V}"), (SAMPLED, "1")], 1, 0),
    row("two traceparents are none", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACEPARENT, "00-{T}-{S}-01"), (B3, "{U}-{V}-0")],
        &[(TRACEPARENT, "00-{U}-{V}-00"), (TRACE, "{U}"), (SPAN, "{V}"), (SAMPLED, "0"), (B3, "{U}-{V}-0")], 4, 0),
    row("rejected several headers are no context", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 3, 0),
    row("a rejected single header is no context", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{U}-{V}-x")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1")], 4, 0),
    row("a state without ids is no context: deny", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1")], 4, 0),
    row("a state without ids is no context: accept", "", &[(TRACEPARENT, "00-{T}-{S}-00"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 3, 0),
    row("a single state that overrules the several headers is no context either", "extract b3", &[(B3, "0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0"), (B3, "{T}-{S}-0")], 3, 0),
    row("deferring is no decision that could differ", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("debug implies accept", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 0, 0),
    row("debug is not deny", "", &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 2, 1),
    row("a format outside extract cannot conflict", "extract tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{V}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 3, 0),
    row("b3multi does not read the single header", "extract b3multi", &[(B3, "{T}-{S}-1"), (TRACE, "{U}"), (SPAN, "{V}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{U}-{V}-00"), (TRACE, "{U}"), (SPAN, "{V}"), (SAMPLED, "0"), (B3, "{U}-{V}-0")], 2, 0),
    row("b3multi does not read a single state", "extract b3multi", &[(B3, "0"), (TRACE, "{T}"), (SPAN, "{S}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1")], 3, 0),
    row("tracecontext does not read B3", "extract tracecontext; inject tracecontext", &[(B3, "{T}-{S}-0")],
        &[(TRACEPARENT, "00-{N}-{n}-01"), (B3, "{N}-{n}-1")], 2, 0),
    row("tracecontext does not read a B3 state", "extract tracecontext; inject tracecontext", &[(B3, "d")],
        &[(TRACEPARENT, "00-{N}-{n}-01"), (B3, "{N}-{n}-1")], 2, 0),
];

#[rustfmt::skip]
const ONE_TRACE: &[Row] = &[
    row("the low half in B3 is the same trace", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("the wider id is kept where B3 comes first", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("the span and the decision stay the winner's", "extract b3 tracecontext; inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{t}-{V}-0")],
        &[(TRACEPARENT, "00-{T}-{V}-00"), (B3, "{T}-{V}-0")], 2, 1),
    row("its list stays with the trace", "extract b3 tracecontext; inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1"), (B3, "{t}-{S}-1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1"), (B3, "{T}-{S}-1")], 1, 0),
    row("the parent stays with the span", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{t}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")], 1, 0),
    row("an SDK padded the low half to 32 digits", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{0*16}{t}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("the single header holds the low half of the several", "extract b3; inject b3", &[(B3, "{t}-{S}-1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(B3, "{T}-{S}-1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("the high half is another trace", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "80f198ee56343ba8"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 1),
    row("an equal low half below another high half is another trace", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{u}{t}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 1),
    row("a 64-bit trace keeps its 16 digits in B3", "", &[(TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{0*16}{t}-{S}-01"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("16 digits where W3C brought a padded id", "inject b3 b3multi tracecontext", &[(TRACEPARENT, "00-{0*16}{t}-{S}-00")],
        &[(TRACEPARENT, "00-{0*16}{t}-{S}-00"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "0"), (B3, "{t}-{S}-0")], 4, 0),
    row("a padded id in the several headers is left alone", "", &[(TRACEPARENT, "00-{0*16}{t}-{S}-01"), (TRACE, "{0*16}{t}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{0*16}{t}-{S}-01"), (TRACE, "{0*16}{t}"), (SPAN, "{S}"), (SAMPLED, "1")], 0, 0),
    row("a padded id in the single header is left alone", "extract b3; inject b3", &[(B3, "{0*16}{t}-{S}-1-{P}")],
        &[(B3, "{0*16}{t}-{S}-1-{P}")], 0, 0),
    row("a padded id in the single header, 16 digits in the several", "extract b3; inject b3 b3multi", &[(B3, "{0*16}{t}-{S}-1")],
        &[(B3, "{0*16}{t}-{S}-1"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1")], 3, 0),
    row("a padded single header that must change anyway", "extract b3; inject b3", &[(B3, "{0*16}{t}-{S}")],
        &[(B3, "{t}-{S}-1")], 1, 0),
];

#[rustfmt::skip]
const NEWER: &[Row] = &[
    row("the application's B3 tracer made a span under W3C's", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (PARENT, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (PARENT, "{S}"), (SAMPLED, "1")], 1, 0),
    row("the same in one header, and its list stays", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1"), (B3, "{T}-{V}-1-{S}")],
        &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACESTATE, "foo=1"), (B3, "{T}-{V}-1-{S}")], 1, 0),
    row("a 64-bit tracer's", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{t}"), (SPAN, "{V}"), (PARENT, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (PARENT, "{S}"), (SAMPLED, "1")], 2, 0),
    row("another decision is a conflict all the same", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (PARENT, "{S}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (PARENT, "{S}"), (SAMPLED, "1")], 2, 1),
    row("another parent proves nothing", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{V}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 1),
    row("a parent of the same id on another trace proves nothing", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{V}"), (PARENT, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 3, 1),
    row("where B3 comes first W3C cannot prove that it is newer", "extract b3 tracecontext", &[(TRACEPARENT, "00-{T}-{V}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")], 1, 1),
];

#[test]
fn what_counts_as_a_conflict() {
    check(CONFLICTS, 20);
}

#[test]
fn a_newer_span_is_recognised_by_its_parent() {
    check(NEWER, 7);
}

#[test]
fn ids_of_64_and_128_bits() {
    check(ONE_TRACE, 15);
}
