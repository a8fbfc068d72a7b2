//! What a call to the collector looks like.

use throughline::filter::{Filter, Stream};

use crate::{
    support::{FakeHost, ROOT},
    worker::{Worker, spans},
};

fn headers(worker: &Worker) -> Vec<(&str, &str)> {
    let headers = worker.host.sent[0].headers.iter();
    headers
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[test]
fn each_protocol_says_what_it_is() {
    let version = format!("throughline/{}", env!("CARGO_PKG_VERSION"));
    for (export, cluster, authority, path, content_type, more) in [
        (
            r#"{"cluster": "outbound|4318||otel"}"#,
            "outbound|4318||otel",
            "outbound_4318__otel",
            "/v1/traces",
            "application/x-protobuf",
            [].as_slice(),
        ),
        (
            r#"{"service": "tempo.monitoring.svc", "protocol": "otlp-grpc", "headers": {"X-Key": "k"}}"#,
            "outbound|4317||tempo.monitoring.svc.cluster.local",
            "tempo.monitoring.svc.cluster.local:4317",
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            "application/grpc",
            &[("te", "trailers"), ("x-key", "k")],
        ),
        (
            r#"{"cluster": "c", "protocol": "otlp-http-json", "path": "/p"}"#,
            "c",
            "c",
            "/p",
            "application/json",
            &[],
        ),
        (
            r#"{"service": "zipkin", "port": 80, "protocol": "zipkin", "timeout": "1s"}"#,
            "outbound|80||zipkin",
            "zipkin:80",
            "/api/v2/spans",
            "application/json",
            &[],
        ),
    ] {
        let mut worker = Worker::new(&format!(r#"{{"export": {export}}}"#));
        worker.requests(1, 1);
        worker.tick();
        let expected = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", authority),
            (":path", path),
            ("content-type", content_type),
            ("user-agent", &version),
            ("b3", "0"),
        ];
        assert_eq!(headers(&worker), [expected.as_slice(), more].concat());
        assert_eq!(worker.host.sent[0].cluster, cluster);
        let timeout = if export.contains("1s") { 1_000 } else { 10_000 };
        assert_eq!(worker.host.sent[0].timeout, timeout);
    }
}

#[test]
fn spans_leave_in_the_order_of_their_end() {
    let mut worker = Worker::new(crate::DEFAULT);
    for _ in 0..5 {
        worker.requests(1, 1);
        worker.pass(1);
    }
    worker.tick();
    let ends: Vec<u64> = spans(&worker.host.sent[0])
        .iter()
        .map(|span| span.end_time_unix_nano)
        .collect();
    assert_eq!(ends.len(), 5);
    assert!(ends.is_sorted() && ends[0] < ends[4], "{ends:?}");
}

/// On whatever proxy it passes: or reporting spans would make spans.
#[test]
fn the_filter_leaves_its_own_calls_alone() {
    let mut worker = Worker::new(r#"{"export": {"cluster": "c", "protocol": "otlp-grpc"}}"#);
    worker.requests(1, 1);
    worker.tick();
    let call: Vec<(String, Vec<u8>)> = worker.host.sent[0]
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
        .collect();
    for config in [
        crate::DEFAULT,
        r#"{"export": {"cluster": "c"}, "sampling": {"sampler": "always_on"}, "propagation": {"extract": ["tracecontext"]}}"#,
    ] {
        let mut host = FakeHost::default();
        let filter = Filter::configure(&mut host, ROOT, config.as_bytes(), &|_: &str| None);
        let filter = filter.expect("a good configuration");
        for seen_before_its_end in [true, false] {
            host.headers = call.clone();
            host.calls.clear();
            let mut stream = Stream::default();
            if seen_before_its_end {
                filter.on_request(&mut host, &mut stream);
            }
            filter.on_log(&mut host, stream);
            assert_eq!(host.headers, call, "{config}");
            assert_eq!(
                host.filter_state.len(),
                0,
                "{config}: {:?}",
                host.filter_state
            );
            let calls: Vec<_> = host.calls.clone().into_iter().collect();
            assert_eq!(
                calls,
                [("increment", 1), ("request_headers", 1), ("shared", 1)],
                "{config}"
            );
        }
        assert_eq!(host.metrics()["throughline.requests{origin=exporter}"], 2);
        assert_eq!(host.ticks, [].into(), "nothing waits to be exported");
    }
}

#[test]
fn tags_are_all_that_such_a_call_gets() {
    let config = r#"{"export": {"cluster": "c"}, "customTags": {"a": {"literal": {"value": "x"}}},
        "tags": {"to": ["span", "accessLog", "baggage", "header:x-a"]}}"#;
    let mut host = FakeHost::default();
    let filter = Filter::configure(&mut host, ROOT, config.as_bytes(), &|_: &str| None);
    let filter = filter.expect("a good configuration");
    host.set_request(&[("b3", b"0")]);
    let mut stream = Stream::default();
    filter.on_request(&mut host, &mut stream);
    filter.on_log(&mut host, stream);
    let pair = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let left = [pair("b3", b"0"), pair("x-a", b"x"), pair("baggage", b"a=x")];
    assert_eq!(host.headers, left);
    let state: Vec<_> = host.filter_state.keys().collect();
    assert_eq!(state, ["throughline.tag.a"]);
    assert_eq!(host.ticks, [].into(), "no span waits to be exported");
}
