//! What is said when spans do not arrive, and when they do again.

use crate::{
    TWOS,
    support::Answered,
    worker::{Worker, status},
};

const UNREACHABLE: &str = "export_unreachable";

/// A worker that sent a batch of two by this `export`, and what was said until then.
fn sent(export: &str) -> Worker {
    let mut worker = Worker::new(&format!(r#"{{"export": {export}}}"#));
    assert_eq!(worker.metric(UNREACHABLE), 0);
    worker.requests(1, 1);
    worker.tick();
    worker
}

#[test]
fn a_cluster_that_is_not_there_is_named_with_the_fix() {
    const SERVICE: &str = "tempo.monitoring.svc.cluster.local";
    for (export, expected) in [
        (
            r#"{"cluster": "zipkin", "protocol": "zipkin"}"#.to_owned(),
            [
                "spans do not leave by zipkin to cluster zipkin:",
                "add the cluster to Envoy",
            ]
            .as_slice(),
        ),
        (
            r#"{"cluster": "otel", "protocol": "otlp-grpc"}"#.to_owned(),
            &[
                "by otlp-grpc to cluster otel:",
                "add the cluster to Envoy, with HTTP/2",
            ],
        ),
        (
            format!(r#"{{"service": "{SERVICE}"}}"#),
            &[
                "by otlp-http to cluster outbound|4318||tempo.monitoring.svc.cluster.local:",
                "a Service or ServiceEntry of that host with port 4318",
                "extensionProvider",
            ],
        ),
        (
            format!(r#"{{"service": "{SERVICE}", "protocol": "otlp-grpc"}}"#),
            &[
                "by otlp-grpc to cluster outbound|4317||tempo.monitoring.svc.cluster.local:",
                "port 4317 is named grpc-",
                "extensionProvider",
            ],
        ),
    ] {
        let mut worker = Worker::new(&format!(r#"{{"export": {export}}}"#));
        worker.said();
        worker.host.without_clusters = true;
        worker.requests(1, 1);
        worker.tick();
        let said = worker.said();
        let [line] = said.as_slice() else {
            panic!("not one line but {said:?}");
        };
        assert!(
            line.contains("Envoy has no such cluster, or no host in it"),
            "{line}"
        );
        for part in expected {
            assert!(line.contains(part), "{part:?} is not in {line}");
        }
        assert_eq!(worker.metric(UNREACHABLE), 1);
        assert_eq!(worker.metric("export_requests{code=not_sent}"), 1);
    }
}

#[test]
fn it_is_said_once_and_once_that_it_is_over() {
    let mut worker = Worker::new(TWOS);
    worker.said();
    worker.host.without_clusters = true;
    worker.requests(1, 2);
    worker.tick();
    assert_eq!(worker.said().len(), 1);
    for _ in 0..4 {
        worker.tick();
    }
    assert_eq!(worker.said(), [""; 0], "not again and again");
    worker.host.without_clusters = false;
    worker.tick();
    worker.answer(status(200));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        worker.said(),
        [format!(
            "throughline {version}: spans leave again by otlp-http to cluster collector"
        )]
    );
    assert_eq!(worker.metric(UNREACHABLE), 0);
    assert_eq!(worker.counted(), [2, 2, 0], "nothing was lost");
}

#[test]
fn what_never_arrives_is_given_up_and_counted() {
    let mut worker = Worker::new(TWOS);
    worker.host.without_clusters = true;
    worker.requests(1, 2);
    let mut ticks = 0;
    while !worker.ticks().is_empty() {
        worker.tick();
        ticks += 1;
        assert!(ticks < 20, "it goes on and on");
    }
    assert_eq!(worker.counted(), [2, 0, 2]);
    assert_eq!(
        worker.metric("spans{outcome=failed,reason=retries_exhausted}"),
        2
    );
}

#[test]
fn each_answer_that_is_no_yes_says_what_it_was() {
    let body = |code, body: &str| Answered {
        body: body.as_bytes().to_vec(),
        ..status(code)
    };
    let grpc = |code: &str, message: &str| Answered {
        trailers: vec![
            ("grpc-status".to_owned(), code.as_bytes().to_vec()),
            ("grpc-message".to_owned(), message.as_bytes().to_vec()),
        ],
        ..status(200)
    };
    for (protocol, answer, expected) in [
        (
            "otlp-http",
            body(503, ""),
            "the answer was HTTP 503; will try again",
        ),
        (
            "otlp-http",
            body(503, "no healthy upstream"),
            "HTTP 503, no healthy upstream; will try again",
        ),
        (
            "otlp-http",
            body(400, "bad\r\nspan"),
            "refused: HTTP 400, bad\u{fffd}\u{fffd}span",
        ),
        (
            "otlp-http",
            body(200, "<html>"),
            "what answers there is no collector of this protocol (HTTP 200, <html>)",
        ),
        (
            "otlp-http",
            body(429, "too fast"),
            "the answer was HTTP 429, too fast; will try again",
        ),
        (
            "otlp-grpc",
            grpc("14", "down"),
            "the answer was grpc-status 14, down; will try again",
        ),
        (
            "otlp-grpc",
            grpc("16", "who?"),
            "refused: grpc-status 16, who?",
        ),
        (
            "otlp-grpc",
            body(200, "x"),
            "what answers there is no collector of this protocol (HTTP 200, x)",
        ),
        ("zipkin", body(404, ""), "refused: HTTP 404"),
    ] {
        let mut worker = sent(&format!(r#"{{"cluster": "c", "protocol": "{protocol}"}}"#));
        worker.said();
        worker.answer(answer);
        let said = worker.said();
        let [line] = said.as_slice() else {
            panic!("{expected}: not one line but {said:?}");
        };
        assert!(line.contains(expected), "{expected:?} is not in {line}");
        // Whoever answers has been reached; Envoy's own 503 is no answer of a collector's.
        let reached = expected.starts_with("refused")
            || expected.starts_with("what answers")
            || expected.contains("too fast");
        assert_eq!(
            worker.metric(UNREACHABLE),
            u64::from(!reached),
            "{expected}"
        );
    }
    let mut worker = sent(r#"{"cluster": "c"}"#);
    worker.said();
    worker.no_answer();
    assert!(worker.said().concat().ends_with("to cluster c: no answer"));
}

#[test]
fn drops_are_said_once() {
    let mut worker = Worker::new(
        r#"{"export": {"cluster": "c", "batch": {"maxQueueSize": 2, "maxExportBatchSize": 2}, "maxInFlight": 1}}"#,
    );
    worker.said();
    worker.requests(1, 2);
    worker.tick();
    for _ in 0..2 {
        worker.requests(1, 10);
        worker.pass(1);
        worker.tick_of(1);
    }
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        worker.said(),
        [format!(
            "throughline {version}: spans are dropped before they leave by otlp-http to cluster c: queue_full; \
             throughline_spans counts them"
        )]
    );
    assert_eq!(worker.counted(), [22, 0, 18]);
}

/// A collector that is overloaded now and then must not fill the log.
#[test]
fn failures_that_take_turns_with_successes_are_said_once_a_minute() {
    let mut worker = Worker::new(r#"{"export": {"cluster": "c"}}"#);
    worker.said();
    let mut lines = 0;
    for _ in 0..10 {
        for code in [503, 200] {
            worker.requests(1, 1);
            worker.tick();
            worker.answer(status(code));
            lines += worker.said().len();
        }
    }
    assert_eq!(lines, 2, "that spans do not leave, and that they do again");
    worker.pass(60_000);
    worker.requests(1, 1);
    worker.tick();
    worker.answer(status(503));
    assert_eq!(worker.said().len(), 1, "a minute later it is news again");
}

/// The gauge is the process's, and workers take turns at any point.
#[test]
fn a_worker_that_recovers_does_not_hide_one_that_just_failed() {
    const LIST: &str = "throughline.unreachable";
    let mut worker = Worker::new(TWOS);
    worker.host.without_clusters = true;
    worker.requests(1, 2);
    worker.tick();
    assert_eq!(worker.metric(UNREACHABLE), 1);
    worker.host.without_clusters = false;
    worker.tick();
    let another = [7_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat();
    worker.host.meanwhile = Some((LIST, another));
    worker.answer(status(200));
    assert_eq!(worker.metric(UNREACHABLE), 1, "the other one fails still");
    assert_eq!(worker.host.meanwhile, None, "it came in between");
}

/// Every worker would say the same.
#[test]
fn only_one_worker_says_it() {
    let mut one = Worker::new(TWOS);
    one.host.without_clusters = true;
    one.requests(1, 2);
    one.tick();
    assert_eq!(one.said().len(), 1);
    let shared = std::mem::take(&mut one.host.shared);
    let now = one.host.now;
    drop(one);
    let mut other = Worker::new(TWOS);
    other.host.now = now;
    other.host.shared = shared;
    other.host.without_clusters = true;
    other.said();
    other.requests(1, 2);
    other.tick();
    assert_eq!(other.said(), [""; 0]);
    assert_eq!(other.metric(UNREACHABLE), 1, "its gauge is its own");
}
