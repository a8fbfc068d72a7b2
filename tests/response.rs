//! What a response tells of the trace, and what it costs those who want none of it.

mod support;

use support::{FakeHost, configure};
use throughline::filter::Stream;

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";
const BOTH: &str = r#"{"response": {"serverTiming": true, "traceId": "X-Trace-Id"}}"#;

/// The response's headers after the filter, to a request on that trace.
fn answered(
    config: &str,
    place: (&str, i64),
    request: &[(&str, &str)],
    response: &[(&str, &str)],
) -> Vec<(String, String)> {
    let (node, direction) = place;
    let mut host = FakeHost::default();
    let properties = [
        ("xds.node.id", node.as_bytes().to_vec()),
        ("xds.listener_direction", direction.to_le_bytes().to_vec()),
    ];
    for (name, value) in properties {
        host.properties.insert(name.to_owned(), value);
    }
    let filter = configure(&mut host, config).expect("a good configuration");
    let request: Vec<(&str, &[u8])> = request
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    host.set_request(&request);
    host.response = response
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    let mut stream = Stream::default();
    filter.on_request(&mut host, &mut stream);
    if let Some(hop) = stream.response() {
        filter.on_response(&mut host, &hop);
    }
    assert!(stream.response().is_none(), "it is told once");
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let headers = host.response.iter();
    headers
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn traceparent() -> String {
    format!("00-{TRACE}-{SPAN}-01")
}

#[test]
fn the_caller_learns_the_trace_and_its_servers_span() {
    let expected = |timing: &str| {
        vec![
            ("x-trace-id".to_owned(), TRACE.to_owned()),
            ("server-timing".to_owned(), timing.to_owned()),
        ]
    };
    let traceparent = traceparent();
    let ours = format!("traceparent;desc=\"{traceparent}\"");
    for (node, direction) in [
        ("sidecar~10.0.0.1~a.b~b.svc", 1),
        ("router~10.0.0.1~a.b~b.svc", 2),
        ("waypoint~10.0.0.1~a.b~b.svc", 1),
        ("envoy", 0),
        ("envoy", 2),
    ] {
        let request = [("traceparent", traceparent.as_str())];
        let got = answered(BOTH, (node, direction), &request, &[]);
        assert_eq!(got, expected(&ours), "{node}");
        let inner = [
            ("server-timing", "db;dur=5, traceparent;desc=\"inner\""),
            ("x-trace-id", "inner"),
            ("server-timing", "app"),
        ];
        let got = answered(BOTH, (node, direction), &request, &inner);
        assert_eq!(got, expected(&format!("db;dur=5, app, {ours}")), "{node}");
    }
}

#[test]
fn what_cannot_be_read_is_not_replaced() {
    let mut host = FakeHost::default();
    let filter = configure(&mut host, BOTH).expect("a good configuration");
    host.set_request(&[]);
    let mut stream = Stream::default();
    filter.on_request(&mut host, &mut stream);
    let came = ("server-timing".to_owned(), b"app".to_vec());
    host.response = vec![came.clone()];
    host.without_headers = true;
    let hop = stream.response().expect("the caller is told");
    filter.on_response(&mut host, &hop);
    assert!(host.response.contains(&came), "{:?}", host.response);
}

#[test]
fn where_spans_are_exported_it_is_the_servers_and_not_the_one_that_leaves() {
    let config = r#"{"response": {"serverTiming": true}, "export": {"cluster": "collector"}}"#;
    let traceparent = traceparent();
    let request = [("traceparent", traceparent.as_str())];
    let got = answered(config, ("router~10.0.0.1~a.b~b.svc", 2), &request, &[]);
    let [(_, timing)] = got.as_slice() else {
        panic!("{got:?}");
    };
    assert!(timing.contains(TRACE) && !timing.contains(SPAN), "{timing}");
}

#[test]
fn nothing_is_said_where_nothing_is_traced_or_asked_for() {
    let sidecar = "sidecar~10.0.0.1~a.b~b.svc";
    let traceparent = traceparent();
    for (why, config, direction, request) in [
        (
            "an application's own call",
            BOTH,
            2,
            ("traceparent", traceparent.as_str()),
        ),
        ("an exporter's call", BOTH, 1, ("b3", "0")),
        (
            "nobody asked",
            "{}",
            1,
            ("traceparent", traceparent.as_str()),
        ),
        (
            "off",
            r#"{"response": {"serverTiming": false, "traceId": ""}}"#,
            1,
            ("traceparent", traceparent.as_str()),
        ),
    ] {
        let got = answered(config, (sidecar, direction), &[request], &[]);
        assert!(got.is_empty(), "{why}: {got:?}");
    }
}

#[test]
fn whoever_asks_for_none_pays_for_none() {
    let mut host = FakeHost::default();
    let filter = configure(&mut host, "{}").expect("a good configuration");
    host.set_request(&[]);
    host.calls.clear();
    let mut stream = Stream::default();
    filter.on_request(&mut host, &mut stream);
    assert!(stream.response().is_none());
    assert!(!host.calls.contains_key("property"), "{:?}", host.calls);
}
