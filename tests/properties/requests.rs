//! Requests: good headers on few ids, so that formats meet; the same with faults; and noise.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::string::string_regex;

use crate::Request;
use crate::strict::{
    B3, FLAGS, MULTI, PARENT, SAMPLED, SPAN, TRACE, TRACEPARENT, TRACESTATE, vendors,
};
use crate::table::{LOW, P, S, T, U, V};

const UNRELATED: [&str; 6] = [
    "baggage",
    "cookie",
    ":path",
    "x-request-id",
    "x-b3",
    "trace-parent",
];
const KNOWN: [&str; 8] = [
    TRACEPARENT,
    TRACESTATE,
    B3,
    TRACE,
    SPAN,
    PARENT,
    SAMPLED,
    FLAGS,
];

/// Good values with faults and noise among them, any header any number of times.
pub fn mixture() -> impl Strategy<Value = Request> {
    vec(header(), 0..16).prop_map(Request)
}

/// All formats on one trace; one header of it is changed in one place, or another header joins.
pub fn one_fault() -> impl Strategy<Value = Request> {
    (
        select(vec!["0", "1"]),
        of(header()),
        any::<Index>(),
        fault(),
    )
        .prop_map(|(sampled, more, place, fault)| {
            let text = |name: &str, value: String| (name.to_owned(), value.into_bytes());
            let mut request = vec![
                text(TRACEPARENT, format!("00-{T}-{S}-0{sampled}")),
                text(TRACESTATE, "foo=1,bar=2".into()),
                text(TRACE, T.into()),
                text(SPAN, S.into()),
                text(PARENT, P.into()),
                text(SAMPLED, sampled.into()),
                text(B3, format!("{T}-{S}-{sampled}-{P}")),
            ];
            let (_, value) = &mut request[place.index(7)];
            fault.apply(value);
            request.extend(more);
            Request(request)
        })
}

/// Any bytes in known and unknown headers.
pub fn noise() -> impl Strategy<Value = Request> {
    let name = select([KNOWN.as_slice(), &vendors(), &UNRELATED].concat()).prop_map(str::to_owned);
    vec((name, vec(any::<u8>(), 0..80)), 0..16).prop_map(Request)
}

fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    prop_oneof![
        8 => select(KNOWN.to_vec()).prop_flat_map(|name| (Just(name.to_owned()), value(name))),
        1 => (select(vendors()).prop_map(str::to_owned), vendors_value()),
        1 => (select(UNRELATED.to_vec()).prop_map(str::to_owned), vec(any::<u8>(), 0..40)),
    ]
}

/// Good for one of the vendors' headers, or noise. What they say is in tests/vendors.rs; here they are only in the way.
fn vendors_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (trace(), span()).prop_map(|(trace, span)| format!("{trace}:{span}:0:1").into_bytes()),
        wide_trace().prop_map(|trace| format!("{trace}/42;o=1").into_bytes()),
        any::<u64>().prop_map(|id| id.to_string().into_bytes()),
        vec(any::<u8>(), 0..40),
    ]
}

fn value(name: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let faulty = (good(name), vec(fault(), 1..4)).prop_map(|(value, faults)| {
        let mut value = value.into_bytes();
        faults.iter().for_each(|fault| fault.apply(&mut value));
        value
    });
    prop_oneof![
        6 => good(name).prop_map(String::into_bytes),
        3 => faulty,
        1 => vec(any::<u8>(), 0..80),
    ]
}

/// Few ids, so that two formats often hold the same, the low half of the same, or another.
fn trace() -> impl Strategy<Value = String> {
    let padded = format!("{}{LOW}", "0".repeat(16));
    prop_oneof![
        6 => select(vec![T.to_owned(), LOW.to_owned(), padded, U.to_owned(), "0".repeat(32)]),
        1 => matching("[0-9a-f]{16}"),
        1 => matching("[0-9a-f]{32}"),
    ]
}

fn wide_trace() -> impl Strategy<Value = String> {
    trace().prop_map(|trace| format!("{trace:0>32}"))
}

fn span() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(vec![S, V, P]).prop_map(str::to_owned), 1 => matching("[0-9a-f]{16}")]
}

fn good(name: &str) -> BoxedStrategy<String> {
    match name {
        TRACEPARENT => (
            select(vec!["00", "00", "00", "01", "cc", "fe"]),
            wide_trace(),
            span(),
            matching("[0f][0-9a-f]"),
            matching("(-[ -~]{0,8})?"),
        )
            .prop_map(|(version, trace, span, flags, tail)| {
                let tail = if version == "00" { "" } else { &tail };
                format!("{version}-{trace}-{span}-{flags}{tail}")
            })
            .boxed(),
        TRACESTATE => {
            let ot = "(ot=(k:v;)?th:[0-9a-fC]{1,14}(;rv:[0-9a-f]{13,14})?,|ot=rv:[0-9a-f]{14},)?";
            let others =
                "([a-z0-9][a-z0-9_*/@-]{0,5}=[ -+.-;>-~]{0,6}[!-+.-;>-~][ \t]{0,2},?){0,5}";
            matching(&format!("{ot}{others}")).boxed()
        }
        B3 => prop_oneof![
            1 => matching("[01d]"),
            6 => (trace(), span(), matching("(-[01d])?"), of(span()))
                .prop_map(|(trace, span, state, parent)| {
                    let parent = parent.map(|parent| format!("-{parent}")).unwrap_or_default();
                    format!("{trace}-{span}{state}{parent}")
                }),
        ]
        .boxed(),
        TRACE => trace().boxed(),
        SPAN | PARENT => span().boxed(),
        SAMPLED => select(vec!["0", "1", "true", "FALSE", "d"])
            .prop_map(str::to_owned)
            .boxed(),
        _ => select(vec!["1", "1", "0", "d"])
            .prop_map(str::to_owned)
            .boxed(),
    }
}

fn matching(regex: &str) -> impl Strategy<Value = String> + use<> {
    string_regex(regex).expect("a regular expression")
}

#[derive(Clone, Debug)]
enum Fault {
    Flip(Index, u8),
    Replace(Index, u8),
    Insert(Index, u8),
    Delete(Index),
    Truncate(Index),
    Repeat(Index),
    UpperCase(Index),
    UpperCaseAll,
    SpaceBefore(u8),
    SpaceAfter(u8),
}

fn fault() -> impl Strategy<Value = Fault> {
    let at = any::<Index>;
    let character = || prop_oneof![3 => select(b"0af-1dgG ,=/\t".to_vec()), 1 => any::<u8>()];
    let space = || select(b" \t".to_vec());
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(place, bit)| Fault::Flip(place, bit)),
        (at(), character()).prop_map(|(place, byte)| Fault::Replace(place, byte)),
        (at(), character()).prop_map(|(place, byte)| Fault::Insert(place, byte)),
        at().prop_map(Fault::Delete),
        at().prop_map(Fault::Truncate),
        at().prop_map(Fault::Repeat),
        at().prop_map(Fault::UpperCase),
        Just(Fault::UpperCaseAll),
        space().prop_map(Fault::SpaceBefore),
        space().prop_map(Fault::SpaceAfter),
    ]
}

impl Fault {
    fn apply(&self, value: &mut Vec<u8>) {
        let place = |index: &Index| index.index(value.len().max(1));
        match self {
            Self::Insert(index, byte) => value.insert(index.index(value.len() + 1), *byte),
            Self::SpaceBefore(space) => value.insert(0, *space),
            Self::SpaceAfter(space) => value.push(*space),
            _ if value.is_empty() => {}
            Self::Flip(index, bit) => {
                let place = place(index);
                value[place] ^= 1 << bit;
            }
            Self::Replace(index, byte) => {
                let place = place(index);
                value[place] = *byte;
            }
            Self::Delete(index) => {
                value.remove(place(index));
            }
            Self::Truncate(index) => value.truncate(place(index)),
            Self::Repeat(index) => {
                let place = place(index);
                value.insert(place, value[place]);
            }
            Self::UpperCase(index) => {
                let place = place(index);
                value[place].make_ascii_uppercase();
            }
            Self::UpperCaseAll => value.make_ascii_uppercase(),
        }
    }
}

/// [`KNOWN`] is what the tests know; the reader knows the same.
#[test]
fn every_known_header_is_generated() {
    assert!(KNOWN.iter().all(|name| crate::strict::known(name)));
    assert!(MULTI.iter().all(|name| KNOWN.contains(name)));
    assert!(!UNRELATED.iter().any(|name| crate::strict::known(name)));
}
