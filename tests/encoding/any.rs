//! Any spans at all.

use std::collections::BTreeMap;

use proptest::{collection::vec, option::of, prelude::*, sample::select};
use throughline::{
    span::{Kind, Link, Parent},
    trace::{Sampling, SpanId, TraceId},
};

use crate::span::{Payload, Recorded, Value};

pub fn payload() -> impl Strategy<Value = Payload> {
    let service = prop_oneof![4 => Just("Reviews.bookinfo".to_owned()), 1 => text()];
    (service, named(text()), vec(recorded(), 1..4)).prop_map(|(service, rest, spans)| {
        let mut resource = vec![("service.name".to_owned(), service)];
        resource.extend(rest);
        Payload { resource, spans }
    })
}

/// What is hard to quote, hard to count and hard to cut.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        2 => "[\\x00-\\x1f\"\\\\/\\x7f-\\u{9f}\u{2028}\u{2029}\u{fffd}\u{10ffff}é]{0,20}",
        1 => Just(String::new()),
        1 => (select(vec!["x", "é", "\0", "\"", "😀"]), 0_usize..5_000).prop_map(|(part, times)| part.repeat(times)),
    ]
}

/// Names that do not repeat, and none that the encodings write themselves.
fn named<T: std::fmt::Debug + Clone>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Vec<(String, T)>> {
    const TAKEN: [&str; 4] = [
        "error",
        "otel.status_code",
        "w3c.tracestate",
        "service.name",
    ];
    vec((text(), value), 0..8).prop_map(|pairs| {
        let pairs: BTreeMap<String, T> = pairs.into_iter().collect();
        let free = pairs
            .into_iter()
            .filter(|(name, _)| !TAKEN.contains(&name.as_str()));
        free.collect()
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::Text),
        any::<i64>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Bool),
    ]
}

fn trace_id() -> impl Strategy<Value = TraceId> {
    let bits = prop_oneof![any::<u128>(), any::<u64>().prop_map(u128::from)];
    bits.prop_map(|bits| TraceId::new(bits.max(1)).expect("not zero"))
}

fn span_id() -> impl Strategy<Value = SpanId> {
    any::<u64>().prop_map(|bits| SpanId::new(bits.max(1)).expect("not zero"))
}

fn parent() -> impl Strategy<Value = Parent> {
    (span_id(), any::<bool>()).prop_map(|(span_id, is_remote)| Parent { span_id, is_remote })
}

fn link() -> impl Strategy<Value = Link> {
    (trace_id(), span_id()).prop_map(|(trace_id, span_id)| Link { trace_id, span_id })
}

/// As Envoy writes addresses, and what is none.
fn endpoint() -> impl Strategy<Value = String> {
    prop_oneof![
        (any::<[u8; 4]>(), of(any::<u16>())).prop_map(|(address, port)| {
            let address = std::net::Ipv4Addr::from(address);
            port.map_or(address.to_string(), |port| format!("{address}:{port}"))
        }),
        (any::<u128>(), of(any::<u16>())).prop_map(|(address, port)| {
            let address = std::net::Ipv6Addr::from(address);
            port.map_or(address.to_string(), |port| format!("[{address}]:{port}"))
        }),
        select(vec![
            "",
            "/var/run/app.sock",
            "@abstract/name",
            "envoy://internal/id",
            "reviews:9080"
        ])
        .prop_map(str::to_owned),
    ]
}

fn recorded() -> impl Strategy<Value = Recorded> {
    let identity = (
        trace_id(),
        span_id(),
        of(parent()),
        select(vec![Kind::Server, Kind::Client]),
    );
    let times = prop_oneof![
        (any::<u64>(), any::<u64>()),
        (any::<u64>(), 0_u64..3_000).prop_map(|(start, took)| (start, start.saturating_add(took))),
    ];
    let sampling = select(vec![Sampling::Deny, Sampling::Accept, Sampling::Debug]);
    let trace_state = prop_oneof![Just(String::new()), text()];
    let context = (sampling, any::<bool>(), trace_state, vec(link(), 0..3));
    let end = (of(text()), any::<bool>(), of((of(text()), of(endpoint()))));
    let attributes = (named(value()), any::<prop::sample::Index>());
    (identity, text(), times, context, attributes, end).prop_map(
        |(identity, name, (start, end), context, (mut block, index), (error, legacy, remote))| {
            let (trace_id, span_id, parent, kind) = identity;
            let (sampling, random, trace_state, links) = context;
            let attributes = block.split_off(index.index(block.len() + 1));
            Recorded {
                trace_id,
                span_id,
                parent,
                kind,
                name,
                start,
                end,
                sampling,
                random,
                trace_state,
                links,
                block,
                attributes,
                error,
                legacy,
                remote,
            }
        },
    )
}
