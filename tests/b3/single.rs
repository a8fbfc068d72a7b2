//! Single headers that hold a context, or a sampling state alone.

use super::{Accept, Child, Debug, Defer, Deny, Group, Kept, Row, Started};
use crate::strict::B3;

const BRAVE: &str = "0000000000000001";
const BRAVE_128: &str = "00000000000000090000000000000001";
const OTEL: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTEL_LOW: &str = "a3ce929d0e0e4736";
const OTEL_SPAN: &str = "00f067aa0ba902b7";
const ZIPKIN_GO: &str = "000000000000007b00000000000001c8";

#[rustfmt::skip]
pub const GROUPS: &[Group] = &[
    Group { source: "openzipkin/b3-propagation README and RATIONALE", rejects: &[], rows: &[
        Row("a sampled root span", &[(B3, "{T}-{S}-1")], Kept("{T}", "{S}", Accept)),
        Row("a root span not yet sampled", &[(B3, "{T}-{S}")], Kept("{T}", "{S}", Defer)),
        Row("a denied span keeps its ids", &[(B3, "{T}-{S}-0")], Kept("{T}", "{S}", Deny)),
        Row("a forced root span", &[(B3, "{T}-{S}-d")], Kept("{T}", "{S}", Debug)),
        Row("a sampled child", &[(B3, "{T}-{S}-1-{P}")], Child("{T}", "{S}", Accept, "{P}")),
        Row("a debug child", &[(B3, "{T}-{S}-d-{P}")], Child("{T}", "{S}", Debug, "{P}")),
        Row("a denied child", &[(B3, "{T}-{S}-0-{P}")], Child("{T}", "{S}", Deny, "{P}")),
        Row("the README's order of span and parent", &[(B3, "{T}-{P}-1-{S}")], Child("{T}", "{P}", Accept, "{S}")),
        Row("a 64-bit trace id", &[(B3, "{t}-{S}-1")], Kept("{t}", "{S}", Accept)),
        Row("sample, without ids", &[(B3, "1")], Started(Accept)),
        Row("debug, without ids", &[(B3, "d")], Started(Debug)),
    ]},
    Group { source: "openzipkin/brave B3SingleFormatTest", rejects: &[], rows: &[
        Row("ids not yet sampled", &[(B3, "0000000000000001-0000000000000003")], Kept(BRAVE, "0000000000000003", Defer)),
        Row("ids not yet sampled, 128 bits", &[(B3, "00000000000000010000000000000001-0000000000000003")], Kept("00000000000000010000000000000001", "0000000000000003", Defer)),
        Row("ids unsampled", &[(B3, "0000000000000001-0000000000000003-0")], Kept(BRAVE, "0000000000000003", Deny)),
        Row("ids sampled", &[(B3, "0000000000000001-0000000000000003-1")], Kept(BRAVE, "0000000000000003", Accept)),
        Row("ids with debug", &[(B3, "0000000000000001-0000000000000003-d")], Kept(BRAVE, "0000000000000003", Debug)),
        Row("parent, unsampled", &[(B3, "0000000000000001-0000000000000003-0-0000000000000002")], Child(BRAVE, "0000000000000003", Deny, "0000000000000002")),
        Row("parent, sampled", &[(B3, "0000000000000001-0000000000000003-1-0000000000000002")], Child(BRAVE, "0000000000000003", Accept, "0000000000000002")),
        Row("parent, debug", &[(B3, "0000000000000001-0000000000000003-d-0000000000000002")], Child(BRAVE, "0000000000000003", Debug, "0000000000000002")),
        Row("a child not yet sampled: odd but possible", &[(B3, "0000000000000001-0000000000000003-0000000000000002")], Child(BRAVE, "0000000000000003", Defer, "0000000000000002")),
        Row("the largest form", &[(B3, "00000000000000090000000000000001-0000000000000003-1-0000000000000002")], Child(BRAVE_128, "0000000000000003", Accept, "0000000000000002")),
        Row("128 bits, debug", &[(B3, "00000000000000090000000000000001-0000000000000003-d")], Kept(BRAVE_128, "0000000000000003", Debug)),
        Row("128 bits, unsampled", &[(B3, "00000000000000090000000000000001-0000000000000003-0")], Kept(BRAVE_128, "0000000000000003", Deny)),
        Row("a low half of zeros is an id while the high half is not zero", &[(B3, "00000000000000090000000000000000-0000000000000003-1")], Kept("00000000000000090000000000000000", "0000000000000003", Accept)),
        Row("a 64-bit id padded to 32 digits", &[(B3, "00000000000000000000000000000001-0000000000000003-1")], Kept(BRAVE, "0000000000000003", Accept)),
        Row("a padded id that defers", &[(B3, "00000000000000000000000000000001-0000000000000003")], Kept(BRAVE, "0000000000000003", Defer)),
    ]},
    Group { source: "opentelemetry-go-contrib propagators/b3, opentelemetry-rust zipkin propagator", rejects: &[], rows: &[
        Row("defer", &[(B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7")], Kept(OTEL, OTEL_SPAN, Defer)),
        Row("deny", &[(B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0")], Kept(OTEL, OTEL_SPAN, Deny)),
        Row("accept", &[(B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")], Kept(OTEL, OTEL_SPAN, Accept)),
        Row("debug", &[(B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d")], Kept(OTEL, OTEL_SPAN, Debug)),
        Row("with a parent", &[(B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-00000000000000cd")], Child(OTEL, OTEL_SPAN, Accept, "00000000000000cd")),
        Row("64 bits are padded on the left for W3C", &[(B3, "a3ce929d0e0e4736-00f067aa0ba902b7")], Kept(OTEL_LOW, OTEL_SPAN, Defer)),
        Row("64 bits with a parent", &[(B3, "a3ce929d0e0e4736-00f067aa0ba902b7-1-00000000000000cd")], Child(OTEL_LOW, OTEL_SPAN, Accept, "00000000000000cd")),
        Row("64 bits, deny", &[(B3, "a3ce929d0e0e4736-00f067aa0ba902b7-0")], Kept(OTEL_LOW, OTEL_SPAN, Deny)),
        Row("ids that begin and end in zeros", &[(B3, "ab000000000000000000000000000000-cd00000000000000-1")], Kept("ab000000000000000000000000000000", "cd00000000000000", Accept)),
    ]},
    Group { source: "opentelemetry-java, -js, -cpp and -python B3 propagators", rejects: &[], rows: &[
        Row("java: sampled", &[(B3, "ff000000000000000000000000000041-ff00000000000041-1")], Kept("ff000000000000000000000000000041", "ff00000000000041", Accept)),
        Row("java: not sampled", &[(B3, "ff000000000000000000000000000041-ff00000000000041-0")], Kept("ff000000000000000000000000000041", "ff00000000000041", Deny)),
        Row("java: debug", &[(B3, "ff000000000000000000000000000041-ff00000000000041-d")], Kept("ff000000000000000000000000000041", "ff00000000000041", Debug)),
        Row("java: a short trace id, sampled", &[(B3, "ff00000000000000-ff00000000000041-1")], Kept("ff00000000000000", "ff00000000000041", Accept)),
        Row("java: a short trace id, not sampled", &[(B3, "ff00000000000000-ff00000000000041-0")], Kept("ff00000000000000", "ff00000000000041", Deny)),
        Row("js: an id of 8 bytes", &[(B3, "4aaba1a52cf8ee09-e457b5a2e4d86bd1")], Kept("4aaba1a52cf8ee09", "{S}", Defer)),
        Row("cpp: a short trace id with a parent", &[(B3, "80f198ee56343ba8-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90")], Child("80f198ee56343ba8", "{S}", Accept, "{P}")),
        Row("cpp: ids that count", &[(B3, "0102030405060708090a0b0c0d0e0f10-0102030405060708-1")], Kept("0102030405060708090a0b0c0d0e0f10", "0102030405060708", Accept)),
        Row("python: trace and span of one value", &[(B3, "00000000000000640000000000000064-0000000000000064")], Kept("00000000000000640000000000000064", "0000000000000064", Defer)),
    ]},
    Group { source: "openzipkin/zipkin-go b3/spancontext_test, DataDog/dd-trace-rs b3", rejects: &[], rows: &[
        Row("zipkin-go: defer", &[(B3, "000000000000007b00000000000001c8-000000000000007b")], Kept(ZIPKIN_GO, "000000000000007b", Defer)),
        Row("zipkin-go: deny", &[(B3, "000000000000007b00000000000001c8-000000000000007b-0")], Kept(ZIPKIN_GO, "000000000000007b", Deny)),
        Row("zipkin-go: a child", &[(B3, "000000000000007b00000000000001c8-000000000000007b-1-00000000000001c8")], Child(ZIPKIN_GO, "000000000000007b", Accept, "00000000000001c8")),
        Row("zipkin-go: a denied child", &[(B3, "000000000000007b00000000000001c8-000000000000007b-0-00000000000001c8")], Child(ZIPKIN_GO, "000000000000007b", Deny, "00000000000001c8")),
        Row("zipkin-go refuses a child that defers, brave and the contract take it", &[(B3, "000000000000007b00000000000001c8-000000000000007b-00000000000001c8")], Child(ZIPKIN_GO, "000000000000007b", Defer, "00000000000001c8")),
        Row("dd: two parts", &[(B3, "80f198ee56343ba8-00f067aa0ba902b7")], Kept("80f198ee56343ba8", OTEL_SPAN, Defer)),
        Row("dd: three parts", &[(B3, "80f198ee56343ba8-00f067aa0ba902b7-1")], Kept("80f198ee56343ba8", OTEL_SPAN, Accept)),
        Row("dd drops the parent, B3 keeps it", &[(B3, "80f198ee56343ba8-00f067aa0ba902b7-0-05e3ac9a4f6e3b90")], Child("80f198ee56343ba8", OTEL_SPAN, Deny, "{P}")),
    ]},
    Group { source: "the edges of the grammar", rejects: &[], rows: &[
        Row("the largest ids", &[(B3, "{f*32}-{f*16}-1-{f*16}")], Child("ffffffffffffffffffffffffffffffff", "ffffffffffffffff", Accept, "ffffffffffffffff")),
        Row("the smallest ids", &[(B3, "{0*15}1-{0*15}1-0-{0*15}1")], Child("0000000000000001", "0000000000000001", Deny, "0000000000000001")),
        Row("the smallest high half", &[(B3, "{0*15}1{0*16}-{S}-1")], Kept("00000000000000010000000000000000", "{S}", Accept)),
        Row("a parent that is the span itself is not ours to judge", &[(B3, "{T}-{S}-1-{S}")], Child("{T}", "{S}", Accept, "{S}")),
        Row("a span that is the low half of the trace id", &[(B3, "{T}-{t}-1")], Kept("{T}", "{t}", Accept)),
        Row("decimal digits only", &[(B3, "1234567890123456-6543210987654321-1")], Kept("1234567890123456", "6543210987654321", Accept)),
        Row("letters only", &[(B3, "abcdefabcdefabcd-fedcbafedcbafedc-d")], Kept("abcdefabcdefabcd", "fedcbafedcbafedc", Debug)),
        Row("a parent of zeros is no parent", &[(B3, "{T}-{S}-1-{0*16}")], Kept("{T}", "{S}", Accept)),
        Row("a parent of zeros, deferring", &[(B3, "{T}-{S}-{0*16}")], Kept("{T}", "{S}", Defer)),
    ]},
    Group { source: "RFC 9110 §5.5: optional white space is not part of a value", rejects: &[], rows: &[
        Row("a space before", &[(B3, " {T}-{S}-1")], Kept("{T}", "{S}", Accept)),
        Row("a space after", &[(B3, "{T}-{S}-0 ")], Kept("{T}", "{S}", Deny)),
        Row("tabs and spaces", &[(B3, "\t {T}-{S}-d \t")], Kept("{T}", "{S}", Debug)),
        Row("a space after ids that defer", &[(B3, "{T}-{S} ")], Kept("{T}", "{S}", Defer)),
        Row("a space before a state", &[(B3, " 0")], Started(Deny)),
        Row("a tab after a state", &[(B3, "d\t")], Started(Debug)),
    ]},
    Group { source: "RFC 9110 §5.1 and README: names in any case, the first value counts", rejects: &[], rows: &[
        Row("the same header twice", &[(B3, "{T}-{S}-1"), (B3, "{T}-{S}-1")], Kept("{T}", "{S}", Accept)),
        Row("two contexts", &[(B3, "{T}-{S}-0"), (B3, "{t}-{P}-1")], Kept("{T}", "{S}", Deny)),
        Row("a context, then nonsense", &[(B3, "{T}-{S}-1"), (B3, "nonsense")], Kept("{T}", "{S}", Accept)),
        Row("a state, then a context: the state counts", &[(B3, "0"), (B3, "{T}-{S}-1")], Started(Deny)),
        Row("three of them", &[(B3, "{T}-{S}-d"), (B3, "0"), (B3, "")], Kept("{T}", "{S}", Debug)),
    ]},
];
