//! What each sampler decides, and the new span id where it turns a decision that came in.
//!
//! R is the low 56 bits of the trace id, T = (1 - p) * 2^56, and a trace is sampled if and only if R >= T. The thresholds
//! are those of the specification's table (trace/tracestate-probability-sampling.md) at its recommended four digits.

use crate::strict::{B3, FLAGS, PARENT, SAMPLED, SPAN, TRACE, TRACEPARENT, TRACESTATE};
use crate::{Row, check, row};

#[rustfmt::skip]
const KEEPING: &[Row] = &[
    row("keeps accept", "inject tracecontext; parentbased_always_on", &[(TRACEPARENT, "00-{T}-{S}-01")], &[(TRACEPARENT, "00-{T}-{S}-01")], 0, 0),
    row("keeps deny", "inject tracecontext; parentbased_always_on", &[(TRACEPARENT, "00-{T}-{S}-00")], &[(TRACEPARENT, "00-{T}-{S}-00")], 0, 0),
    row("keeps accept", "inject tracecontext; parentbased_always_off", &[(TRACEPARENT, "00-{T}-{S}-01")], &[(TRACEPARENT, "00-{T}-{S}-01")], 0, 0),
    row("keeps deny", "inject tracecontext; parentbased_always_off", &[(TRACEPARENT, "00-{T}-{S}-00")], &[(TRACEPARENT, "00-{T}-{S}-00")], 0, 0),
    row("keeps accept", "inject tracecontext; parentbased_traceidratio 0", &[(TRACEPARENT, "00-{T}-{S}-01")], &[(TRACEPARENT, "00-{T}-{S}-01")], 0, 0),
    row("keeps deny", "inject tracecontext; parentbased_traceidratio 1", &[(TRACEPARENT, "00-{T}-{S}-00")], &[(TRACEPARENT, "00-{T}-{S}-00")], 0, 0),
    row("keeps a B3 deny", "extract b3; inject b3; parentbased_always_on", &[(B3, "{T}-{S}-0-{P}")], &[(B3, "{T}-{S}-0-{P}")], 0, 0),
    row("keeps debug", "extract b3; inject b3; parentbased_always_off", &[(B3, "{T}-{S}-d-{P}")], &[(B3, "{T}-{S}-d-{P}")], 0, 0),
    row("keeps a state without ids: deny", "extract b3; inject b3; parentbased_always_on; stale remove", &[(SAMPLED, "0")], &[(B3, "{N}-{n}-0")], 2, 0),
    row("keeps a state without ids: accept", "extract b3; inject b3; parentbased_always_off", &[(B3, "1")], &[(B3, "{N}-{n}-1")], 1, 0),
    row("keeps a state without ids: debug", "extract b3; inject b3; parentbased_traceidratio 0", &[(B3, "d")], &[(B3, "{N}-{n}-d")], 1, 0),
    row("decides where a trace starts: on", "extract b3; inject b3; parentbased_always_on", &[], &[(B3, "{N}-{n}-1")], 1, 0),
    row("decides where a trace starts: off", "extract b3; inject b3; parentbased_always_off", &[], &[(B3, "{N}-{n}-0")], 1, 0),
    row("decides where a trace starts: p = 0", "inject tracecontext; parentbased_traceidratio 0", &[], &[(TRACEPARENT, "00-{N}-{n}-00")], 1, 0),
    row("decides where a trace starts: p = 1", "inject tracecontext; parentbased_traceidratio 1", &[], &[(TRACEPARENT, "00-{N}-{n}-01"), (TRACESTATE, "ot=th:0")], 2, 0),
];

#[rustfmt::skip]
const TURNING: &[Row] = &[
    row("on turns deny: a new span id", "inject tracecontext; always_on", &[(TRACEPARENT, "00-{T}-{S}-00")], &[(TRACEPARENT, "00-{T}-{n}-01")], 1, 0),
    row("on agrees with accept", "inject tracecontext; always_on", &[(TRACEPARENT, "00-{T}-{S}-01")], &[(TRACEPARENT, "00-{T}-{S}-01")], 0, 0),
    row("off turns accept: a new span id", "inject tracecontext; always_off", &[(TRACEPARENT, "00-{T}-{S}-01")], &[(TRACEPARENT, "00-{T}-{n}-00")], 1, 0),
    row("off agrees with deny", "inject tracecontext; always_off", &[(TRACEPARENT, "00-{T}-{S}-00")], &[(TRACEPARENT, "00-{T}-{S}-00")], 0, 0),
    row("the random flag and the list stay", "inject tracecontext; always_off", &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACESTATE, "foo=1")], &[(TRACEPARENT, "00-{T}-{n}-02"), (TRACESTATE, "foo=1")], 1, 0),
    row("a later version is downgraded too", "inject tracecontext; always_on", &[(TRACEPARENT, "cc-{T}-{S}-02-x")], &[(TRACEPARENT, "00-{T}-{n}-03")], 1, 0),
    row("on turns a B3 deny: the parent goes with its span", "extract b3; inject b3multi; always_on", &[(TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "0")],
        &[(TRACE, "{T}"), (SPAN, "{n}"), (SAMPLED, "1")], 3, 0),
    row("off turns a B3 accept: the parent goes with its span", "extract b3; inject b3; always_off", &[(B3, "{t}-{S}-1-{P}")], &[(B3, "{t}-{n}-0")], 1, 0),
    row("both families leave on the new span id", "always_off", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{n}-00"), (TRACE, "{T}"), (SPAN, "{n}"), (SAMPLED, "0")], 4, 0),
    row("debug stays debug: off", "extract b3; inject b3; always_off", &[(B3, "{T}-{S}-d-{P}")], &[(B3, "{T}-{S}-d-{P}")], 0, 0),
    row("debug stays debug: p = 0", "extract b3; inject b3multi; traceidratio 0", &[(TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], &[(TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 0, 0),
    row("debug stays debug beside W3C", "always_off", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 0, 0),
    row("nothing is turned where it was deferred: on", "extract b3; inject b3; always_on", &[(B3, "{T}-{S}-{P}")], &[(B3, "{T}-{S}-1-{P}")], 1, 0),
    row("nothing is turned where it was deferred: off", "extract b3; inject b3; always_off", &[(B3, "{T}-{S}")], &[(B3, "{T}-{S}-0")], 1, 0),
    row("a state without ids does not bind: off", "extract b3; inject b3; always_off", &[(B3, "1")], &[(B3, "{N}-{n}-0")], 1, 0),
    row("a state without ids does not bind: on", "extract b3multi; inject b3multi; always_on", &[(SAMPLED, "0")],
        &[(TRACE, "{N}"), (SPAN, "{n}"), (SAMPLED, "1")], 3, 0),
    row("b3: 0 beside a context says nothing", "extract b3 tracecontext; inject tracecontext; always_on", &[(B3, "0"), (TRACEPARENT, "00-{T}-{S}-01")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-1")], 1, 0),
    row("debug without ids does", "extract b3; inject b3; always_off", &[(B3, "d")], &[(B3, "{N}-{n}-d")], 1, 0),
    row("the conflict is counted, the winner is turned", "always_on", &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{n}-01"), (TRACE, "{T}"), (SPAN, "{n}"), (SAMPLED, "1")], 2, 1),
    row("a new trace: on", "inject tracecontext; always_on", &[], &[(TRACEPARENT, "00-{N}-{n}-01")], 1, 0),
    row("a new trace: off", "inject tracecontext; always_off", &[], &[(TRACEPARENT, "00-{N}-{n}-00")], 1, 0),
];

#[rustfmt::skip]
const RATIOS: &[Row] = &[
    row("p = 0.5, R = T", "inject tracecontext; traceidratio 0.5", &[(TRACEPARENT, "00-{0*18}80000000000000-{S}-01")], &[(TRACEPARENT, "00-{0*18}80000000000000-{S}-01")], 0, 0),
    row("p = 0.5, R = T - 1", "inject tracecontext; traceidratio 0.5", &[(TRACEPARENT, "00-{f*18}7fffffffffffff-{S}-01")], &[(TRACEPARENT, "00-{f*18}7fffffffffffff-{n}-00")], 1, 0),
    row("p = 0.5, R = T, denied before", "inject tracecontext; traceidratio 0.5", &[(TRACEPARENT, "00-{1*18}80000000000000-{S}-00")], &[(TRACEPARENT, "00-{1*18}80000000000000-{n}-01"), (TRACESTATE, "ot=th:8")], 2, 0),
    row("p = 0.5, R = T - 1, denied before", "inject tracecontext; traceidratio 0.5", &[(TRACEPARENT, "00-{f*18}7fffffffffffff-{S}-00")], &[(TRACEPARENT, "00-{f*18}7fffffffffffff-{S}-00")], 0, 0),
    row("p = 0.25, R = T", "inject tracecontext; traceidratio 0.25", &[(TRACEPARENT, "00-{1*18}c0000000000000-{S}-01")], &[(TRACEPARENT, "00-{1*18}c0000000000000-{S}-01")], 0, 0),
    row("p = 0.25, R = T - 1", "inject tracecontext; traceidratio 0.25", &[(TRACEPARENT, "00-{1*18}bfffffffffffff-{S}-01")], &[(TRACEPARENT, "00-{1*18}bfffffffffffff-{n}-00")], 1, 0),
    row("p = 0.75, R = T", "inject tracecontext; traceidratio 0.75", &[(TRACEPARENT, "00-{1*18}40000000000000-{S}-01")], &[(TRACEPARENT, "00-{1*18}40000000000000-{S}-01")], 0, 0),
    row("p = 0.75, R = T - 1", "inject tracecontext; traceidratio 0.75", &[(TRACEPARENT, "00-{1*18}3fffffffffffff-{S}-01")], &[(TRACEPARENT, "00-{1*18}3fffffffffffff-{n}-00")], 1, 0),
    row("p = 0.1, R = T, which is e666", "inject tracecontext; traceidratio 0.1", &[(TRACEPARENT, "00-{1*18}e6660000000000-{S}-01")], &[(TRACEPARENT, "00-{1*18}e6660000000000-{S}-01")], 0, 0),
    row("p = 0.1, R = T - 1", "inject tracecontext; traceidratio 0.1", &[(TRACEPARENT, "00-{1*18}e665ffffffffff-{S}-01")], &[(TRACEPARENT, "00-{1*18}e665ffffffffff-{n}-00")], 1, 0),
    row("p = 0.01, R = T, which is fd70a", "inject tracecontext; traceidratio 0.01", &[(TRACEPARENT, "00-{1*18}fd70a000000000-{S}-01")], &[(TRACEPARENT, "00-{1*18}fd70a000000000-{S}-01")], 0, 0),
    row("p = 0.01, R = T - 1", "inject tracecontext; traceidratio 0.01", &[(TRACEPARENT, "00-{1*18}fd709fffffffff-{S}-01")], &[(TRACEPARENT, "00-{1*18}fd709fffffffff-{n}-00")], 1, 0),
    row("p = 2^-56, the highest R", "inject tracecontext; traceidratio 1.3877787807814457e-17", &[(TRACEPARENT, "00-{1*18}ffffffffffffff-{S}-01")], &[(TRACEPARENT, "00-{1*18}ffffffffffffff-{S}-01")], 0, 0),
    row("p = 1 keeps R = 0", "inject tracecontext; traceidratio 1", &[(TRACEPARENT, "00-{1*18}{0*14}-{S}-01")], &[(TRACEPARENT, "00-{1*18}{0*14}-{S}-01")], 0, 0),
    row("p = 1 where no argument is given", "inject tracecontext; traceidratio", &[(TRACEPARENT, "00-{1*18}{0*14}-{S}-01")], &[(TRACEPARENT, "00-{1*18}{0*14}-{S}-01")], 0, 0),
    row("p = 0 keeps no R", "inject tracecontext; traceidratio 0", &[(TRACEPARENT, "00-{f*32}-{S}-01")], &[(TRACEPARENT, "00-{f*32}-{n}-00")], 1, 0),
    row("a 64-bit trace id has its 56 bits too: R = T", "extract b3; inject b3; traceidratio 0.5", &[(B3, "ff80000000000000-{S}-1")], &[(B3, "ff80000000000000-{S}-1")], 0, 0),
    row("a 64-bit trace id has its 56 bits too: R = T - 1", "extract b3; inject b3; traceidratio 0.5", &[(B3, "ff7fffffffffffff-{S}-1")], &[(B3, "ff7fffffffffffff-{n}-0")], 1, 0),
    row("deferred, R = T", "extract b3; inject b3; parentbased_traceidratio 0.5", &[(B3, "{1*18}80000000000000-{S}")], &[(B3, "{1*18}80000000000000-{S}-1")], 1, 0),
    row("deferred, R = T - 1", "extract b3; inject b3; parentbased_traceidratio 0.5", &[(B3, "{1*18}7fffffffffffff-{S}")], &[(B3, "{1*18}7fffffffffffff-{S}-0")], 1, 0),
    row("deferred, decided by itself", "extract b3; inject b3; traceidratio 0.5", &[(B3, "{1*18}80000000000000-{S}-{P}")], &[(B3, "{1*18}80000000000000-{S}-1-{P}")], 1, 0),
    row("the wider id decides", "extract b3 tracecontext; inject b3; stale remove; traceidratio 0.5", &[(B3, "ff7fffffffffffff-{S}-1"), (TRACEPARENT, "00-{1*16}ff7fffffffffffff-{S}-01")],
        &[(B3, "{1*16}ff7fffffffffffff-{n}-0")], 2, 0),
    row("the conflict's loser decides nothing", "extract tracecontext b3; inject tracecontext; stale remove; traceidratio 0.5", &[(TRACEPARENT, "00-{1*18}80000000000000-{S}-01"), (B3, "{1*18}7fffffffffffff-{S}-0")],
        &[(TRACEPARENT, "00-{1*18}80000000000000-{S}-01")], 1, 1),
];

#[test]
fn parent_based_samplers_keep_what_came_in() {
    check(KEEPING, 15);
}

#[test]
fn other_samplers_decide_every_time() {
    check(TURNING, 20);
}

#[test]
fn ratios_compare_the_low_56_bits() {
    check(RATIOS, 23);
}
