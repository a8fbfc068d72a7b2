//! What each action does.

use crate::support::{FakeHost, Outcome, ROOT, configure, run};
use crate::{INGRESS, SIDECAR, SPAN, TRACE, TRACEPARENT, host, sent};
use throughline::filter::Stream;

/// A rule for everything.
fn all(action: &str, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!(r#"{{"trust": [{{"match": {{"hosts": ["*"]}}, "action": "{action}"}}]{comma}{more}}}"#)
}

/// A request with a trace in every format, and what tracers put beside it.
const FULL: &[(&str, &str)] = &[
    (":method", "GET"),
    (":path", "/"),
    (":authority", "a"),
    ("x-request-id", "463ac35c-9f64-13ad-4848-5a3953bb6124"),
    ("accept", "*/*"),
    ("traceparent", TRACEPARENT),
    ("tracestate", "a=1"),
    ("tracestate", "b=2"),
    ("baggage", "user=alice"),
    ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-d"),
    ("x-b3-traceid", TRACE),
    ("x-b3-spanid", SPAN),
    ("x-b3-parentspanid", "05e3ac9a4f6e3b90"),
    ("x-b3-sampled", "1"),
    ("x-b3-flags", "1"),
    ("x-b3-custom", "1"),
    (
        "uber-trace-id",
        "4bf92f3577b34da6a3ce929d0e0e4736:f067aa0ba902b7:0:3",
    ),
    ("uberctx-user", "alice"),
    ("jaeger-debug-id", "x"),
    ("jaeger-baggage", "user=alice"),
    (
        "x-amzn-trace-id",
        "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1",
    ),
    ("x-datadog-trace-id", "11803532876627986230"),
    ("x-datadog-parent-id", "67667974448284343"),
    ("x-datadog-sampling-priority", "2"),
    ("x-datadog-tags", "_dd.p.tid=4bf92f3577b34da6"),
    ("x-datadog-origin", "rum"),
    (
        "x-cloud-trace-context",
        "4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1",
    ),
    ("grpc-trace-bin", "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE"),
    ("grpc-tags-bin", "AA"),
    ("ot-tracer-traceid", "1"),
    ("ot-baggage-user", "alice"),
    ("x-ot-span-context", "1"),
    ("baggage-user", "alice"),
    ("correlation-context", "a=1"),
    ("sw8", "1"),
    ("sw8-correlation", "1"),
    ("elastic-apm-traceparent", TRACEPARENT),
    ("newrelic", "1"),
    ("x-dynatrace", "1"),
    ("x-instana-t", "1"),
    ("sentry-trace", "1"),
    ("singularityheader", "1"),
    ("x-honeycomb-trace", "1"),
    (
        "request-id",
        "|4bf92f3577b34da6a3ce929d0e0e4736.00f067aa0ba902b7.",
    ),
    ("request-context", "appId=cid-v1:1"),
    ("traceresponse", TRACEPARENT),
    ("ce-traceparent", TRACEPARENT),
    ("ce-tracestate", "a=1"),
    ("pinpoint-traceid", "1"),
    ("x-envoy-force-trace", "1"),
    ("x-client-trace-id", "1"),
    ("x-trace-force", "1"),
];

/// What of it is no trace's.
const REST: &[&str] = &[":method", ":path", ":authority", "x-request-id", "accept"];

const FORCE: &str =
    r#""sampling": {"sampler": "parentbased_always_off", "forceHeader": "x-trace-force"}"#;

fn names(outcome: &Outcome) -> Vec<&str> {
    outcome
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect()
}

fn without_rest(outcome: &Outcome) -> Vec<&str> {
    let mut names = names(outcome);
    for name in REST {
        assert!(names.contains(name), "{name} is gone");
    }
    names.retain(|name| !REST.contains(name));
    names
}

#[test]
fn restart_begins_as_if_nothing_had_come_in() {
    let mut host = host(INGRESS, &[]);
    let outcome = sent(&mut host, &all("restart", FORCE), FULL);
    let mut left = without_rest(&outcome);
    left.sort_unstable();
    assert_eq!(
        left,
        ["traceparent", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"]
    );
    let traceparent = outcome.one("traceparent").unwrap();
    assert!(!traceparent.contains(TRACE), "{traceparent}");
    assert!(
        traceparent.ends_with("-00"),
        "forced, debug or sampled by what came in: {traceparent}"
    );
    assert_eq!(outcome.one("x-b3-sampled"), Some("0"));
    assert_eq!(
        outcome.counters["throughline.requests{origin=restarted}"],
        1
    );
    assert!(!outcome.counters.contains_key("throughline.conflicts"));
    assert_eq!(outcome.filter_state["throughline.sampled"], b"false");
    assert!(
        traceparent
            .contains(std::str::from_utf8(&outcome.filter_state["throughline.trace_id"]).unwrap())
    );
}

#[test]
fn restart_decides_as_a_root_does() {
    for (sampler, expected) in [
        ("parentbased_always_on", "-01"),
        ("parentbased_always_off", "-00"),
        ("always_on", "-01"),
        ("always_off", "-00"),
    ] {
        let sampling = format!(r#""sampling": {{"sampler": "{sampler}"}}"#);
        for came_in in ["01", "00"] {
            let request = [(
                "traceparent",
                &*TRACEPARENT.replace("-01", &format!("-{came_in}")),
            )];
            let outcome = sent(
                &mut host(INGRESS, &[]),
                &all("restart", &sampling),
                &request,
            );
            let traceparent = outcome.one("traceparent").unwrap();
            assert!(
                traceparent.ends_with(expected),
                "{sampler} {came_in}: {traceparent}"
            );
        }
    }
}

#[test]
fn restart_counts_only_what_it_cut() {
    for (request, origin) in [
        (vec![], "started"),
        (vec![("traceparent", "00-0-0-00")], "started"),
        (vec![("x-b3-sampled", "1")], "started"),
        (vec![("b3", "0")], "started"),
        (vec![("traceparent", TRACEPARENT)], "restarted"),
        (
            vec![("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7")],
            "restarted",
        ),
    ] {
        let outcome = sent(&mut host(INGRESS, &[]), &all("restart", ""), &request);
        let counters: Vec<_> = outcome.counters.iter().collect();
        let name = format!("throughline.requests{{origin={origin}}}");
        assert_eq!(counters, [(&name, &1)], "{request:?}");
        assert_eq!(outcome.one("x-b3-sampled"), Some("1"), "{request:?}");
    }
}

#[test]
fn restart_writes_no_more_formats_than_configured() {
    let inject = r#""propagation": {"inject": ["b3"]}"#;
    let config = all("restart", &format!("{FORCE}, {inject}"));
    let outcome = sent(&mut host(INGRESS, &[]), &config, FULL);
    assert_eq!(without_rest(&outcome), ["b3"]);
    let config = all(
        "restart",
        r#""propagation": {"inject": ["datadog", "jaeger"]}"#,
    );
    let outcome = sent(&mut host(INGRESS, &[]), &config, FULL);
    let tags = outcome.one("x-datadog-tags").unwrap();
    assert!(
        tags.starts_with("_dd.p.tid=") && !tags.contains("4bf92f3577b34da6"),
        "{tags}"
    );
    assert_eq!(outcome.one("x-datadog-sampling-priority"), Some("1"));
}

#[test]
fn ignore_touches_nothing() {
    let tags = r#""customTags": {"a": {"literal": {"value": "x"}}}, "tags": {"to": ["accessLog", "baggage", "header:x-a"]}, "export": {"cluster": "collector"}"#;
    for request in [FULL, &FULL[..5]] {
        let mut host = host(SIDECAR, &[]);
        let config = all("ignore", tags);
        let outcome = sent(&mut host, &config, request);
        let before: Vec<(String, Vec<u8>)> = request
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        assert_eq!(outcome.headers, before);
        assert!(outcome.filter_state.is_empty());
        assert_eq!(outcome.counters["throughline.requests{origin=ignored}"], 1);
        assert_eq!(outcome.calls.get("random"), None);
        assert_eq!(spans(&config, request), 0);
    }
}

#[test]
fn strip_leaves_nothing_of_a_trace() {
    let mut host = host(SIDECAR, &[("xds.listener_direction", "outbound")]);
    let outcome = sent(&mut host, &all("strip", FORCE), FULL);
    assert_eq!(without_rest(&outcome), [""; 0]);
    assert_eq!(outcome.counters["throughline.stripped"], 1);
    assert_eq!(
        outcome.counters["throughline.requests{origin=tracecontext}"],
        1
    );
    assert_eq!(
        outcome.filter_state["throughline.trace_id"],
        TRACE.as_bytes()
    );
}

#[test]
fn strip_takes_the_tags_with_it() {
    let tags = r#""customTags": {"tenant": {"header": {"name": "x-tenant"}}}, "tags": {"to": ["accessLog", "baggage", "header:x-tag"]}"#;
    let request = [
        ("x-tenant", "gold"),
        ("x-tag", "from the hop before"),
        ("baggage", "a=1"),
    ];
    let outcome = sent(&mut host(SIDECAR, &[]), &all("strip", tags), &request);
    assert_eq!(names(&outcome), ["x-tenant"]);
    assert_eq!(outcome.filter_state["throughline.tag.tenant"], b"gold");
    // The same goes on where nothing is stripped.
    let outcome = sent(&mut host(SIDECAR, &[]), &all("continue", tags), &request);
    assert_eq!(outcome.one("x-tag"), Some("gold"));
    assert_eq!(outcome.one("baggage"), Some("a=1,tenant=gold"));
    // And a restart has baggage of its own alone.
    let outcome = sent(&mut host(SIDECAR, &[]), &all("restart", tags), &request);
    assert_eq!(outcome.one("baggage"), Some("tenant=gold"));
}

#[test]
fn strip_and_restart_hold_without_randomness_too() {
    for action in ["strip", "restart"] {
        let mut host = host(SIDECAR, &[]);
        host.without_randomness = true;
        let request = &FULL[..9];
        let outcome = sent(&mut host, &all(action, ""), request);
        let expected: &[&str] = &[];
        assert_eq!(without_rest(&outcome), expected, "{action}");
    }
}

#[test]
fn an_exporters_call_is_stripped_and_not_traced() {
    let request = [(":authority", "a"), ("b3", "0"), ("baggage", "a=1")];
    let config = all("strip", r#""export": {"cluster": "collector"}"#);
    let outcome = sent(&mut host(SIDECAR, &[]), &config, &request);
    assert_eq!(names(&outcome), [":authority"]);
    assert_eq!(outcome.counters["throughline.requests{origin=exporter}"], 1);
    let state: Vec<_> = outcome.filter_state.into_iter().collect();
    let mark = ("throughline.trace_id".to_owned(), Vec::new());
    assert_eq!(state, [mark], "it has no ids, and is taken");
}

#[test]
fn a_request_that_another_filter_answered_is_trusted_no_more() {
    for (action, same) in [("restart", false), ("continue", true), ("strip", true)] {
        let mut host = host(INGRESS, &[]);
        let filter = configure(&mut host, &all(action, "")).unwrap();
        host.set_request(&[(":method", b"GET"), ("traceparent", TRACEPARENT.as_bytes())]);
        filter.on_log(&mut host, Stream::default());
        let trace = &host.filter_state["throughline.trace_id"];
        assert_eq!(trace == TRACE.as_bytes(), same, "{action}");
    }
    let mut host = host(INGRESS, &[]);
    let filter = configure(&mut host, &all("ignore", "")).unwrap();
    host.set_request(&[(":method", b"GET"), ("traceparent", TRACEPARENT.as_bytes())]);
    filter.on_log(&mut host, Stream::default());
    assert!(host.filter_state.is_empty());
    assert_eq!(host.metrics()["throughline.requests{origin=ignored}"], 1);
}

#[test]
fn the_debug_line_has_the_action() {
    for (action, expected) in [
        ("continue", " origin=tracecontext"),
        ("restart", " origin=restarted trust=restart"),
        ("strip", " origin=tracecontext trust=strip"),
        ("ignore", "gateway trust=ignore"),
    ] {
        let mut host = host(INGRESS, &[]);
        let config = all(action, r#""log": {"level": "debug"}"#);
        sent(&mut host, &config, &[("traceparent", TRACEPARENT)]);
        let (_, line) = host.log.pop().unwrap();
        assert!(line.ends_with(expected), "{action}: {line}");
    }
}

#[test]
fn only_rules_that_are_there_have_metrics() {
    let metrics = |config: &str| {
        let mut host = host(INGRESS, &[]);
        configure(&mut host, config).unwrap();
        let known = [
            "throughline.requests{origin=restarted}",
            "throughline.requests{origin=ignored}",
            "throughline.stripped",
        ];
        known.map(|name| host.metrics().contains_key(name))
    };
    assert_eq!(metrics("{}"), [false; 3]);
    assert_eq!(metrics(&all("restart", "")), [true, false, false]);
    assert_eq!(metrics(&all("ignore", "")), [false, true, false]);
    assert_eq!(metrics(&all("strip", "")), [false, false, true]);
}

/// How many times something is exported when a request of that configuration is over.
fn spans(config: &str, request: &[(&str, &str)]) -> usize {
    let mut host: FakeHost = host(SIDECAR, &[]);
    let filter = configure(&mut host, config).unwrap();
    let request: Vec<(&str, &[u8])> = request
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    host.set_request(&request);
    let mut stream = Stream::default();
    filter.on_request(&mut host, &mut stream);
    filter.on_log(&mut host, stream);
    host.now += 60_000_000_000;
    filter.on_tick(&mut host, ROOT);
    host.sent.len()
}

#[test]
fn what_is_stripped_or_restarted_is_a_span_all_the_same() {
    let export = r#""export": {"cluster": "collector"}"#;
    assert_eq!(spans(&all("strip", export), FULL), 1);
    assert_eq!(spans(&all("restart", export), FULL), 1);
}

/// Who may not force does not have the header carried to who would let it.
#[test]
fn the_header_that_forces_goes_no_further_than_who_may() {
    let config = format!("{{{FORCE}}}");
    let stranger = ("xds.listener_direction", "inbound");
    for (properties, expected, sampled) in [
        (vec![stranger], None, "false"),
        (
            vec![stranger, ("connection.mtls", "true")],
            Some("1"),
            "true",
        ),
        (
            vec![("xds.listener_direction", "outbound")],
            Some("1"),
            "true",
        ),
        (
            vec![
                stranger,
                ("filter_state.io.istio.peer_principal", "spiffe://a/b"),
            ],
            Some("1"),
            "true",
        ),
    ] {
        let outcome = sent(
            &mut host(SIDECAR, &properties),
            &config,
            &[("x-trace-force", "1")],
        );
        assert_eq!(outcome.one("x-trace-force"), expected, "{properties:?}");
        assert_eq!(
            outcome.filter_state["throughline.sampled"],
            sampled.as_bytes(),
            "{properties:?}"
        );
    }
    // Nor does a value that hides another.
    let request = [("x-trace-force", "0"), ("x-trace-force", "1")];
    let outcome = sent(&mut host(SIDECAR, &[stranger]), &config, &request);
    assert!(outcome.all("x-trace-force").is_empty());
}

#[test]
fn a_second_filter_leaves_a_restarted_request_alone() {
    let config = all("restart", "");
    let mut host = host(INGRESS, &[]);
    let filter = configure(&mut host, &config).unwrap();
    host.set_request(&[("traceparent", TRACEPARENT.as_bytes())]);
    let first = run(&filter, &mut host);
    let traceparent = first.one("traceparent").unwrap().to_owned();
    // The next proxy, which trusts this one, goes on with it.
    let mut next = crate::host(
        SIDECAR,
        &[
            ("xds.listener_direction", "inbound"),
            ("connection.mtls", "true"),
        ],
    );
    let again = sent(
        &mut next,
        r#"{"trust": [{"match": {"proxy": "sidecar-inbound", "peer": "unauthenticated"}, "action": "restart"}]}"#,
        &[("traceparent", &traceparent)],
    );
    assert_eq!(again.one("traceparent"), Some(traceparent.as_str()));
}
