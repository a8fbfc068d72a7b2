//! The single header and the several ones together: the single one first, then the others.

use super::{Accept, Child, Debug, Defer, Deny, Group, Kept, Row, Started};
use crate::strict::{B3, FLAGS, PARENT, SAMPLED, SPAN, TRACE};

const OTEL: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTEL_SPAN: &str = "00f067aa0ba902b7";
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_SPAN: &str = "b7ad6b7169203331";

#[rustfmt::skip]
pub const GROUPS: &[Group] = &[
    Group { source: "README: the single-header variant takes precedence", rejects: &[], rows: &[
        Row("go: the single state, equal ids", &[(B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"), (TRACE, OTEL), (SPAN, OTEL_SPAN), (SAMPLED, "0")], Kept(OTEL, OTEL_SPAN, Accept)),
        Row("rust: the single deny, equal ids", &[(B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"), (TRACE, OTEL), (SPAN, OTEL_SPAN)], Kept(OTEL, OTEL_SPAN, Deny)),
        Row("java: other ids in the several", &[(B3, "{T}-{S}-1"), (TRACE, OTHER), (SPAN, OTHER_SPAN), (SAMPLED, "1")], Kept("{T}", "{S}", Accept)),
        Row("python: another trace id in the several", &[(B3, "{T}-{S}-1"), (TRACE, "80f198ee56343ba864fe8b2a57d3e123"), (SPAN, "{S}"), (SAMPLED, "1")], Kept("{T}", "{S}", Accept)),
        Row("the order of the fields does not matter", &[(TRACE, OTHER), (SPAN, OTHER_SPAN), (SAMPLED, "1"), (B3, "{T}-{S}-0")], Kept("{T}", "{S}", Deny)),
        Row("debug in the single", &[(B3, "{T}-{S}-d"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], Kept("{T}", "{S}", Debug)),
        Row("all say the same", &[(B3, "{T}-{S}-1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], Kept("{T}", "{S}", Accept)),
        Row("all say debug", &[(B3, "{T}-{S}-d"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], Kept("{T}", "{S}", Debug)),
        Row("the parent in both", &[(B3, "{T}-{S}-1-{P}"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")], Child("{T}", "{S}", Accept, "{P}")),
    ]},
    Group { source: "go-contrib and rust B3 data: bad several headers go unnoticed behind a good single one", rejects: &["b3multi"], rows: &[
        Row("a bad state in the several", &[(B3, "{T}-{S}-1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "invalid")], Kept("{T}", "{S}", Accept)),
        Row("zeros in the several", &[(B3, "{T}-{S}-0"), (TRACE, "0"), (SPAN, "0"), (SAMPLED, "0")], Kept("{T}", "{S}", Deny)),
        Row("half of the ids in the several", &[(B3, "{T}-{S}-d"), (TRACE, "{t}"), (SAMPLED, "0")], Kept("{T}", "{S}", Debug)),
        Row("upper case in the several", &[(B3, "{T}-{S}-1"), (TRACE, "80F198EE56343BA864FE8B2A57D3EFF7"), (SPAN, "{S}")], Kept("{T}", "{S}", Accept)),
    ]},
    Group { source: "brave, go-contrib, java, rust: an invalid single header falls back to the several", rejects: &["b3"], rows: &[
        Row("go: an empty state", &[(B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"), (TRACE, OTEL), (SPAN, OTEL_SPAN), (SAMPLED, "0")], Kept(OTEL, OTEL_SPAN, Deny)),
        Row("rust: a hyphen", &[(B3, "-"), (TRACE, OTEL), (SPAN, OTEL_SPAN), (SAMPLED, "0")], Kept(OTEL, OTEL_SPAN, Deny)),
        Row("java: a bad span id", &[(B3, "{T}-abcdefghijklmnop-1"), (TRACE, OTHER), (SPAN, OTHER_SPAN), (SAMPLED, "1")], Kept(OTHER, OTHER_SPAN, Accept)),
        Row("zipkin-go: a word", &[(B3, "invalid"), (TRACE, "{t}"), (SPAN, "{S}")], Kept("{t}", "{S}", Defer)),
        Row("empty", &[(B3, ""), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], Kept("{T}", "{S}", Debug)),
        Row("a parent in the several", &[(B3, "x"), (TRACE, "{T}"), (SPAN, "{S}"), (PARENT, "{P}"), (SAMPLED, "1")], Child("{T}", "{S}", Accept, "{P}")),
        Row("a state in the several", &[(B3, "nonsense"), (SAMPLED, "0")], Started(Deny)),
        Row("debug in the several", &[(B3, "2"), (FLAGS, "1")], Started(Debug)),
        Row("nothing in the several", &[(B3, "nonsense"), (FLAGS, "0")], Started(Defer)),
    ]},
    Group { source: "java, zipkin-go: both are invalid", rejects: &["b3", "b3multi"], rows: &[
        Row("java: a bad span id in both", &[(B3, "{T}-abcdefghijklmnop-1"), (TRACE, "{T}"), (SPAN, "e457b5a2e4d86bd100"), (SAMPLED, "1")], Started(Defer)),
        Row("zipkin-go: an unknown state, short ids", &[(B3, "0000000000000001-0000000000000002-x"), (TRACE, "1"), (SPAN, "2"), (PARENT, "invalid_data")], Started(Defer)),
        Row("a bad state in both", &[(B3, "{T}-{S}-x"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "x")], Started(Defer)),
        Row("no deny survives", &[(B3, "{T}-0"), (TRACE, "{T}"), (SAMPLED, "0")], Started(Defer)),
    ]},
    Group { source: "docs/propagation.md: a single state gives its state to the ids of the several", rejects: &[], rows: &[
        Row("deny over accept", &[(B3, "0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], Kept("{T}", "{S}", Deny)),
        Row("accept over deny", &[(B3, "1"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], Kept("{T}", "{S}", Accept)),
        Row("deny over debug", &[(B3, "0"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], Kept("{T}", "{S}", Deny)),
        Row("debug over deny", &[(B3, "d"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "0")], Kept("{T}", "{S}", Debug)),
        Row("deny where the several defer", &[(B3, "0"), (TRACE, "{T}"), (SPAN, "{S}")], Kept("{T}", "{S}", Deny)),
        Row("debug where the several defer", &[(B3, "d"), (TRACE, "{t}"), (SPAN, "{S}"), (PARENT, "{P}")], Child("{t}", "{S}", Debug, "{P}")),
        Row("both are states", &[(B3, "0"), (SAMPLED, "1")], Started(Deny)),
        Row("both are states, one debug", &[(B3, "1"), (FLAGS, "1")], Started(Accept)),
    ]},
    Group { source: "docs/propagation.md: a single state stays where the several are rejected", rejects: &["b3multi"], rows: &[
        Row("bad ids", &[(B3, "0"), (TRACE, "nonsense"), (SPAN, "{S}"), (SAMPLED, "1")], Started(Deny)),
        Row("half of the ids", &[(B3, "d"), (TRACE, "{T}"), (SAMPLED, "0")], Started(Debug)),
        Row("a bad state", &[(B3, "1"), (SAMPLED, "nonsense")], Started(Accept)),
    ]},
];
