//! Which headers are written, how many writes it takes, and what is never touched.

use crate::strict::{B3, FLAGS, PARENT, SAMPLED, SPAN, TRACE, TRACEPARENT, TRACESTATE};
use crate::table::{config, run};
use crate::{Row, check, row};

#[rustfmt::skip]
const UNCHANGED: &[Row] = &[
    row("W3C and several B3 headers", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 0, 0),
    row("denied", "", &[(SAMPLED, "0"), (SPAN, "{S}"), (TRACE, "{T}"), (TRACEPARENT, "00-{T}-{S}-00")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 0, 0),
    row("all three, with parents and a list", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1"), (B3, "{T}-{S}-1-{P}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1"), (B3, "{T}-{S}-1-{P}")], 0, 0),
    row("all three, debug", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1"), (B3, "{T}-{S}-d")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1"), (B3, "{T}-{S}-d")], 0, 0),
    row("parents that differ are not compared", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1"), (B3, "{T}-{S}-1-{V}")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1"), (B3, "{T}-{S}-1-{V}")], 0, 0),
    row("a 64-bit trace", "", &[(TRACEPARENT, "00-{0*16}{t}-{S}-01"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{t}-{S}-1")],
        &[(TRACEPARENT, "00-{0*16}{t}-{S}-01"), (TRACE, "{t}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{t}-{S}-1")], 0, 0),
    row("W3C alone", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACESTATE, "foo=1")], &[(TRACEPARENT, "00-{T}-{S}-03"), (TRACESTATE, "foo=1")], 0, 0),
    row("the single header alone", "inject b3", &[(B3, "{T}-{S}-0-{P}")], &[(B3, "{T}-{S}-0-{P}")], 0, 0),
    row("the several alone", "inject b3multi", &[(TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (FLAGS, "1")], &[(TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (FLAGS, "1")], 0, 0),
    row("a stale format that agrees", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-1")], &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-1")], 0, 0),
];

#[rustfmt::skip]
const WRITES: &[Row] = &[
    row("nothing came in", "", &[], &[(TRACEPARENT, "00-{N}-{n}-01"), (TRACE, "{N}"), (SPAN, "{n}"), (SAMPLED, "1")], 4, 0),
    row("nothing came in, every format", "inject tracecontext b3 b3multi", &[], &[(TRACEPARENT, "00-{N}-{n}-01"), (TRACE, "{N}"), (SPAN, "{n}"), (SAMPLED, "1"), (B3, "{N}-{n}-1")], 5, 0),
    row("W3C came in", "", &[(TRACEPARENT, "00-{T}-{S}-00")], &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 3, 0),
    row("the several came in", "", &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("the single header came in", "", &[(B3, "{T}-{S}-1")], &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1")], 4, 0),
    row("only the state is missing", "inject b3multi", &[(TRACE, "{T}"), (SPAN, "{S}")], &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("a word becomes a digit: strict receivers reject words", "inject b3multi", &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "TRUE")], &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("a repeated header is replaced by one, in one write", "inject b3multi", &[(TRACE, "{T}"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 1, 0),
    row("each repeated header in one write", "inject b3multi", &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0"), (TRACE, "{U}"), (SPAN, "{V}"), (SAMPLED, "1")], &[(TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 3, 0),
    row("a repeated single header", "inject b3", &[(B3, "{T}-{S}-1"), (B3, "0")], &[(B3, "{T}-{S}-1")], 1, 0),
    row("repeated traceparents", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACEPARENT, "00-{T}-{S}-01")], &[(TRACEPARENT, "00-{N}-{n}-01")], 1, 0),
    row("a bad list beside a good traceparent", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "="), (TRACESTATE, "foo=1")], &[(TRACEPARENT, "00-{T}-{S}-01")], 1, 0),
    row("unknown flags", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-ff")], &[(TRACEPARENT, "00-{T}-{S}-03")], 1, 0),
];

#[rustfmt::skip]
const STALE: &[Row] = &[
    row("the several are rewritten to agree", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{U}"), (SPAN, "{V}"), (PARENT, "{P}"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 4, 1),
    row("the several are removed, all five", "inject tracecontext; stale remove", &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1"), (FLAGS, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01")], 5, 0),
    row("the single header is rewritten to agree", "", &[(TRACEPARENT, "00-{T}-{S}-00"), (B3, "{U}-{V}-d-{P}")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0"), (B3, "{T}-{S}-0")], 4, 1),
    row("the single header is removed", "stale remove", &[(TRACEPARENT, "00-{T}-{S}-00"), (B3, "{T}-{S}-0")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 4, 0),
    row("a single header of nonsense is rewritten", "", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "nonsense")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1"), (B3, "{T}-{S}-1")], 4, 0),
    row("a single state is rewritten with the ids", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (B3, "{T}-{S}-1")], 1, 0),
    row("the traceparent is rewritten, its list goes", "extract b3 tracecontext; inject b3", &[(B3, "{T}-{S}-1"), (TRACEPARENT, "00-{U}-{V}-00"), (TRACESTATE, "foo=1")],
        &[(B3, "{T}-{S}-1"), (TRACEPARENT, "00-{T}-{S}-01")], 2, 1),
    row("the traceparent outside extract is rewritten too", "extract b3; inject b3", &[(B3, "{T}-{S}-1"), (TRACEPARENT, "00-{U}-{V}-00"), (TRACESTATE, "foo=1")],
        &[(B3, "{T}-{S}-1"), (TRACEPARENT, "00-{T}-{S}-01")], 2, 0),
    row("the traceparent is removed with its list", "extract b3; inject b3; stale remove", &[(B3, "{T}-{S}-1"), (TRACEPARENT, "00-{T}-{S}-01"), (TRACESTATE, "foo=1"), (TRACESTATE, "bar=2")],
        &[(B3, "{T}-{S}-1")], 2, 0),
    row("a bad traceparent is rewritten", "extract b3; inject b3", &[(B3, "{T}-{S}-0"), (TRACEPARENT, "nonsense")],
        &[(B3, "{T}-{S}-0"), (TRACEPARENT, "00-{T}-{S}-00")], 1, 0),
    row("a list alone brings no traceparent", "extract b3; inject b3", &[(B3, "{T}-{S}-0"), (TRACESTATE, "foo=1")],
        &[(B3, "{T}-{S}-0")], 1, 0),
    row("one header of the several brings them all", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-01"), (SAMPLED, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], 2, 0),
    row("one header of the several is removed", "inject tracecontext; stale remove", &[(TRACEPARENT, "00-{T}-{S}-01"), (SAMPLED, "0")],
        &[(TRACEPARENT, "00-{T}-{S}-01")], 1, 0),
    row("what is removed was read before", "extract b3; inject tracecontext; stale rewrite", &[(TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-01"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], 1, 0),
    row("a trace that starts rewrites what was rejected", "inject tracecontext", &[(TRACE, "{T}"), (SPAN, "0"), (PARENT, "{P}"), (SAMPLED, "x"), (FLAGS, "0")],
        &[(TRACEPARENT, "00-{N}-{n}-01"), (TRACE, "{N}"), (SPAN, "{n}"), (SAMPLED, "1"), (FLAGS, "0")], 5, 0),
    row("debug that does not count is removed with its flags", "inject tracecontext", &[(TRACEPARENT, "00-{T}-{S}-00"), (FLAGS, "1")],
        &[(TRACEPARENT, "00-{T}-{S}-00"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], 4, 0),
];

#[test]
fn headers_that_say_so_are_not_rewritten() {
    check(UNCHANGED, 10);
}

#[test]
fn only_what_differs_is_written() {
    check(WRITES, 13);
}

#[test]
fn stale_headers_are_rewritten_or_removed() {
    check(STALE, 16);
}

/// Names that look like the known ones, other vendors' formats, repeated names, bytes that are no text.
const UNRELATED: &[(&str, &[u8])] = &[
    (":authority", b"reviews.bookinfo:9080"),
    (":path", b"/reviews/0?b3=0"),
    ("baggage", b"userId=alice;x, serverNode=DF%2028"),
    ("baggage", b" \tisProduction=false "),
    ("x-request-id", b"8dd6f5a4-0f3a-9e0b-b9f4-7a2b5a7d7a11"),
    ("x-b3", b"0"),
    ("x-b3-traceid-2", b"nonsense"),
    ("x-b3-trace-id", b"nonsense"),
    ("xb3traceid", b""),
    ("b3-", b"d"),
    (
        "trace-parent",
        b"00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
    ),
    ("traceparent2", b"x"),
    ("trace-state", b"foo=1"),
    (
        "traceresponse",
        b"00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
    ),
    ("uberctx-user", b"alice"),
    ("x-datadog-origin", b"rum"),
    ("x-ot-span-context", b"a;b;c;d"),
    ("grpc-tags-bin", b"AAA="),
    ("sw8", b"1-MQ==-Mg==-3-NA==-NQ==-Ng==-Nw=="),
    ("cookie", b"a=1"),
    ("cookie", b"b3=0"),
    ("x-bytes", b"\xff\xfe\x00\x80 \xc3\x28"),
    ("x-empty", b""),
];

#[test]
fn nothing_else_is_touched() {
    let known: &[(&str, &[u8])] = &[
        ("x-b3-traceid", b"80f198ee56343ba864fe8b2a57d3eff7"),
        ("tracestate", b"foo=1"),
        ("b3", b"0"),
    ];
    for words in [
        "",
        "extract b3; inject b3; stale remove",
        "inject tracecontext b3 b3multi; always_off",
    ] {
        for before in [0, UNRELATED.len() / 2, UNRELATED.len()] {
            let mut request: Vec<(String, Vec<u8>)> = UNRELATED
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_vec()))
                .collect();
            let known = known
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_vec()));
            request.splice(before..before, known);
            let result = run(&config(words), &request)
                .and_then(|outcome| crate::untouched(&request, &outcome));
            assert_eq!(result, Ok(()), "[{words}], the known headers at {before}");
        }
    }
}
