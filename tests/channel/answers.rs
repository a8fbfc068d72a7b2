//! What becomes of spans by what the collector answers.

use crate::{
    support::Answered,
    worker::{MILLISECOND, Worker, spans, status},
};

fn with(mut answer: Answered, name: &str, value: &str) -> Answered {
    answer
        .headers
        .push((name.to_owned(), value.as_bytes().to_vec()));
    answer
}

fn body(mut answer: Answered, body: &[u8]) -> Answered {
    answer.body = body.to_vec();
    answer
}

/// gRPC's status in the trailers, or in the headers of an answer that has nothing else.
fn grpc(code: u32, in_trailers: bool, body: &[u8]) -> Answered {
    let field = ("grpc-status".to_owned(), code.to_string().into_bytes());
    let mut answer = status(200);
    answer.body = body.to_vec();
    if in_trailers {
        answer.trailers.push(field);
    } else {
        answer.headers.push(field);
    }
    answer
}

/// Two spans leave by `protocol` and are answered so. Returns the worker afterwards.
fn after(protocol: &str, answer: Option<Answered>) -> Worker {
    let mut worker = Worker::new(&format!(
        r#"{{"export": {{"cluster": "c", "protocol": "{protocol}", "batch": {{"maxExportBatchSize": 2}}}}}}"#
    ));
    worker.requests(1, 2);
    worker.tick();
    match answer {
        Some(answer) => worker.answer(answer),
        None => worker.no_answer(),
    }
    worker
}

#[test]
fn each_answer_is_counted() {
    const EXPORTED: &str = "spans{outcome=exported}";
    const REJECTED: &str = "spans{outcome=failed,reason=rejected}";
    const PARTIAL: &str = "spans{outcome=failed,reason=partial_success}";
    const BAD: &str = "spans{outcome=failed,reason=bad_response}";
    for (protocol, answer, code, counted) in [
        ("otlp-http", status(200), "200", [(EXPORTED, 2)].as_slice()),
        (
            "otlp-http",
            body(status(200), b"\x0a\x02\x08\x01"),
            "200",
            &[(EXPORTED, 1), (PARTIAL, 1)],
        ),
        (
            "otlp-http",
            body(status(200), b"\x0a\x02\x08\x09"),
            "200",
            &[(PARTIAL, 2)],
        ),
        (
            "otlp-http",
            body(status(200), b"<html>"),
            "200",
            &[(BAD, 2)],
        ),
        ("otlp-http", status(400), "400", &[(REJECTED, 2)]),
        ("otlp-http", status(404), "404", &[(REJECTED, 2)]),
        ("otlp-http", status(500), "500", &[(REJECTED, 2)]),
        (
            "otlp-http-json",
            body(status(200), b"{}"),
            "200",
            &[(EXPORTED, 2)],
        ),
        (
            "otlp-http-json",
            body(
                status(200),
                br#"{"partialSuccess": {"rejectedSpans": "1"}}"#,
            ),
            "200",
            &[(EXPORTED, 1), (PARTIAL, 1)],
        ),
        ("zipkin", status(202), "202", &[(EXPORTED, 2)]),
        ("zipkin", status(400), "400", &[(REJECTED, 2)]),
        (
            "otlp-grpc",
            grpc(0, true, b"\0\0\0\0\0"),
            "grpc_0",
            &[(EXPORTED, 2)],
        ),
        (
            "otlp-grpc",
            grpc(0, true, b"\0\0\0\0\x04\x0a\x02\x08\x01"),
            "grpc_0",
            &[(EXPORTED, 1), (PARTIAL, 1)],
        ),
        ("otlp-grpc", grpc(3, false, b""), "grpc_3", &[(REJECTED, 2)]),
        (
            "otlp-grpc",
            grpc(16, true, b""),
            "grpc_16",
            &[(REJECTED, 2)],
        ),
        ("otlp-grpc", status(200), "200", &[(BAD, 2)]),
        ("otlp-grpc", status(415), "415", &[(REJECTED, 2)]),
    ] {
        let mut worker = after(protocol, Some(answer.clone()));
        let why = format!("{protocol}: {answer:?}");
        for (name, count) in counted {
            assert_eq!(worker.metric(name), *count, "{why}: {name}");
        }
        let [finished, exported, lost] = worker.counted();
        assert_eq!((finished, exported + lost), (2, 2), "{why}");
        assert_eq!(
            worker.metric(&format!("export_requests{{code={code}}}")),
            1,
            "{why}"
        );
        worker.tick();
        assert_eq!(worker.ticks(), [], "{why}: nothing is left to do");
        assert_eq!(worker.host.sent.len(), 1, "{why}: nothing is sent again");
    }
}

#[test]
fn what_is_tried_again_is_the_same_batch() {
    for (protocol, answer, code) in [
        ("otlp-http", Some(status(429)), "429"),
        ("otlp-http", Some(status(502)), "502"),
        ("otlp-http", Some(status(503)), "503"),
        ("otlp-http", Some(status(504)), "504"),
        ("otlp-http", None, "none"),
        ("otlp-http-json", Some(status(503)), "503"),
        ("zipkin", Some(status(503)), "503"),
        ("zipkin", None, "none"),
        ("otlp-grpc", Some(grpc(14, true, b"")), "grpc_14"),
        ("otlp-grpc", Some(grpc(4, false, b"")), "grpc_4"),
        ("otlp-grpc", Some(status(503)), "503"),
        ("otlp-grpc", None, "none"),
    ] {
        let mut worker = after(protocol, answer);
        assert_eq!(worker.counted(), [2, 0, 0], "{protocol} {code}");
        assert_eq!(
            worker.metric(&format!("export_requests{{code={code}}}")),
            1,
            "{protocol}"
        );
        let [(1, period)] = worker.ticks()[..] else {
            panic!("{protocol} {code}: {:?}", worker.ticks());
        };
        assert!(
            (500..=1_500).contains(&period),
            "{protocol} {code}: half a second to one and a half: {period}"
        );
        worker.tick();
        assert_eq!(worker.host.sent.len(), 2, "{protocol} {code}");
        assert_eq!(
            worker.host.sent[0].body, worker.host.sent[1].body,
            "{protocol} {code}"
        );
    }
}

#[test]
fn the_collectors_own_word_counts() {
    // The answer comes at 22:13:20.001.
    for (value, least, most) in [
        ("7", 7_000, 7_000),
        ("Tue, 14 Nov 2023 22:13:40 GMT", 19_999, 19_999),
        ("Tue, 14 Nov 2000 22:13:40 GMT", 500, 1_500),
        ("soon", 500, 1_500),
        ("1000000", 300_000, 300_000),
    ] {
        let mut worker = after("otlp-http", Some(with(status(503), "retry-after", value)));
        let asked = worker.host.now;
        while worker.host.sent.len() == 1 {
            worker.tick();
        }
        let waited = (worker.host.now - asked) / MILLISECOND;
        assert!((least..=most).contains(&waited), "{value}: {waited}");
    }
}

/// An answer that the host loses: its tick notices.
#[test]
fn an_answer_that_never_comes_is_noticed() {
    let mut worker = Worker::new(crate::TWOS);
    worker.requests(1, 2);
    worker.tick();
    assert_eq!(worker.ticks(), [(1, 15_000)]);
    worker.tick();
    assert_eq!(worker.metric("export_requests{code=none}"), 1);
    worker.tick();
    assert_eq!(spans(&worker.host.sent[1]).len(), 2, "tried again");
    let late = worker.in_flight.remove(0);
    worker.in_flight.push(late);
    worker.answer(status(200));
    assert_eq!(worker.counted(), [2, 2, 0]);
    worker.answer(status(200));
    assert_eq!(worker.counted(), [2, 2, 0], "the late one is nobody's");
}

#[test]
fn a_huge_answer_is_read_in_part() {
    let huge = vec![b'x'; 10 << 20];
    let mut worker = after("otlp-http", Some(body(status(400), &huge)));
    let said = worker.said().concat();
    assert!(said.len() < 1_100, "{} bytes are said", said.len());
}
