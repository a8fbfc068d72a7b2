//! Everything that a collector may do to an exporter, and what is counted then.

use crate::payloads::{self, PROTOCOLS, send};
use anyhow::Result;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};
use throughline_dev::http::Response;
use throughline_dev::poll::{self, PATIENCE};
use throughline_dev::receiver::{Behaviour, Outcome, Protocol, Receiver, Tally};

const IDS: [&str; 3] = ["0000000000000001", "0000000000000002", "0000000000000003"];

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    std::str::from_utf8(answer.headers.get(name)?).ok()
}

/// Sends three spans to a receiver that behaves like this once.
fn meet(behaviour: Behaviour, protocol: Protocol) -> Result<(Receiver, Response)> {
    let receiver = Receiver::start()?;
    receiver.then([behaviour]);
    let answer = send(&receiver, protocol, &payloads::body(protocol, &IDS))?;
    Ok((receiver, answer))
}

fn tally(accepted: u64, refused: u64, unanswered: u64) -> Tally {
    Tally {
        calls: 1,
        accepted,
        refused,
        unanswered,
        ..Tally::default()
    }
}

#[test]
fn a_status_refuses() -> Result<()> {
    for protocol in PROTOCOLS {
        let behaviour = Behaviour::Status {
            code: 429,
            retry_after: Some("7".to_owned()),
            body: "slow down".to_owned(),
        };
        let (receiver, answer) = meet(behaviour, protocol)?;
        assert_eq!(
            (answer.status, header(&answer, "retry-after")),
            (429, Some("7"))
        );
        assert_eq!(answer.text(), "slow down");
        assert_eq!(receiver.requests()[0].outcome, Outcome::Status(429));
        assert_eq!(
            (receiver.tally(), receiver.spans()),
            (tally(0, 3, 0), vec![])
        );
    }
    Ok(())
}

#[test]
fn a_grpc_status_refuses_and_says_when_to_retry() -> Result<()> {
    let unavailable = |message: &str, retry_info| Behaviour::GrpcStatus {
        code: 14,
        message: message.to_owned(),
        retry_info,
    };
    let wait = Some(Duration::from_millis(2500));
    let (receiver, answer) = meet(unavailable("50 % full\n", wait), Protocol::OtlpGrpc)?;
    assert_eq!(
        (answer.status, header(&answer, "grpc-status")),
        (200, Some("14"))
    );
    assert_eq!(header(&answer, "grpc-message"), Some("50 %25 full%0A"));
    // google.rpc.Status{code: 14, message, details: [Any{RetryInfo{Duration{2 s, 500 000 000 ns}}}]}, by protoscope's rules:
    // 08 0e, 12 0a “50 % full\n”, 1a 36 { 0a 28 type_url, 12 0a { 0a 08 { 08 02, 10 80 ca b5 ee 01 } } }.
    let details = "CA4SCjUwICUgZnVsbAoaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIAhCAyrXuAQ";
    assert_eq!(header(&answer, "grpc-status-details-bin"), Some(details));
    assert_eq!(receiver.tally(), tally(0, 3, 0));
    assert_eq!(receiver.requests()[0].outcome, Outcome::GrpcStatus(14));

    let (_, answer) = meet(Behaviour::grpc_status(8), Protocol::OtlpGrpc)?;
    assert_eq!(header(&answer, "grpc-status"), Some("8"));
    assert_eq!(header(&answer, "grpc-status-details-bin"), None);
    let (_, answer) = meet(unavailable("why", None), Protocol::OtlpHttp)?;
    assert_eq!((answer.status, answer.text()), (500, "why".to_owned()));
    Ok(())
}

#[test]
fn a_partial_success_takes_the_first() -> Result<()> {
    for protocol in PROTOCOLS {
        let behaviour = Behaviour::PartialSuccess {
            rejected: 2,
            message: "no".to_owned(),
        };
        let (receiver, answer) = meet(behaviour, protocol)?;
        // ExportTraceServiceResponse{partial_success: {rejected_spans: 2, error_message: "no"}}
        let protobuf = b"\x0a\x06\x08\x02\x12\x02no";
        let (expected, taken) = match protocol {
            Protocol::OtlpHttp => (protobuf.to_vec(), 1),
            Protocol::OtlpGrpc => ([&b"\0\0\0\0\x08"[..], protobuf].concat(), 1),
            Protocol::OtlpHttpJson => (
                br#"{"partialSuccess":{"errorMessage":"no","rejectedSpans":"2"}}"#.to_vec(),
                1,
            ),
            Protocol::Zipkin => (Vec::new(), 3),
        };
        assert_eq!(answer.body, expected, "{protocol}");
        assert_eq!(receiver.tally(), tally(taken, 3 - taken, 0));
        assert_eq!(receiver.spans().len() as u64, taken);
    }
    Ok(())
}

#[test]
fn garbage_looks_like_success() -> Result<()> {
    for protocol in PROTOCOLS {
        let (receiver, answer) = meet(Behaviour::Garbage, protocol)?;
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains("nonsense"));
        assert_eq!(receiver.tally(), tally(0, 3, 0));
        assert_eq!(receiver.requests()[0].outcome, Outcome::Garbage);
    }
    Ok(())
}

#[test]
fn a_late_answer_still_takes_the_spans() -> Result<()> {
    for protocol in PROTOCOLS {
        let (sent, delay) = (Instant::now(), Duration::from_millis(100));
        let (receiver, answer) = meet(Behaviour::AcceptAfter(delay), protocol)?;
        assert!(matches!(answer.status, 200 | 202) && sent.elapsed() >= delay);
        assert_eq!(receiver.tally(), tally(3, 0, 0));
    }
    Ok(())
}

#[test]
fn a_reset_is_one_and_the_port_stays() -> Result<()> {
    let receiver = Receiver::start()?;
    receiver.then([Behaviour::Reset]);
    let mut stream = begin(&receiver)?;
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(receiver.requests()[0].outcome, Outcome::Reset);
    assert_eq!(receiver.tally(), tally(0, 0, 3));

    receiver.then([Behaviour::Reset]);
    let body = payloads::body(Protocol::OtlpGrpc, &IDS);
    assert!(send(&receiver, Protocol::OtlpGrpc, &body).is_err());
    assert_eq!(send(&receiver, Protocol::OtlpGrpc, &body)?.status, 200);
    Ok(())
}

#[test]
fn a_call_without_an_answer_ends_with_the_receiver() -> Result<()> {
    let receiver = Receiver::start()?;
    receiver.behave(Behaviour::Never);
    let mut stream = begin(&receiver)?;
    poll::until("the call to arrive", || {
        Ok((receiver.tally().calls == 1).then_some(()))
    })?;
    receiver.stop();
    assert!(stream.read(&mut [0]).is_ok_and(|bytes| bytes == 0));
    assert_eq!(receiver.requests()[0].outcome, Outcome::Unanswered);
    assert_eq!(receiver.tally(), tally(0, 0, 3));
    Ok(())
}

#[test]
fn spans_of_a_client_that_has_gone_are_not_taken() -> Result<()> {
    let receiver = Receiver::start()?;
    receiver.behave(Behaviour::AcceptAfter(PATIENCE * 2));
    let mut stream = begin(&receiver)?;
    poll::until("the call to arrive", || {
        Ok((receiver.tally().calls == 1).then_some(()))
    })?;
    stream.shutdown(Shutdown::Write)?;
    // The receiver closes its end too, without an answer: the call is over.
    assert!(stream.read(&mut [0]).is_ok_and(|bytes| bytes == 0));
    assert_eq!(receiver.tally(), tally(0, 0, 3));
    Ok(())
}

/// Sends a call and leaves the answer to the caller.
fn begin(receiver: &Receiver) -> Result<TcpStream> {
    let body = payloads::body(Protocol::Zipkin, &IDS);
    let head = format!(
        "POST /api/v2/spans HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(receiver.http())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)?;
    Ok(stream)
}
