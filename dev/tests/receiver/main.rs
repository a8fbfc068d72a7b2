//! The receiver against hand-made payloads: it keeps exactly what came, names every fault, and misbehaves as told.

mod behaviours;
mod faults;
mod payloads;

use anyhow::Result;
use payloads::{END, LINKED, PARENT, PROTOCOLS, SPAN, START, TRACE};
use std::collections::BTreeMap;
use std::time::Duration;
use throughline_dev::receiver::{
    Code, Kind, Outcome, Protocol, Receiver, Scope, Span, Status, Tally, Value,
};

#[test]
fn every_protocol_carries_the_span() -> Result<()> {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start()?;
        let body = payloads::body(protocol, &[SPAN]);
        let answer = payloads::send(&receiver, protocol, &body)?;
        assert_eq!(
            answer.status,
            if protocol == Protocol::Zipkin {
                202
            } else {
                200
            }
        );
        assert_eq!(receiver.wait_for(1)?, [expected(protocol)]);
        assert_eq!(receiver.invalid(), [""; 0]);

        let [call] = &receiver.requests()[..] else {
            panic!("not one call: {:?}", receiver.requests());
        };
        assert_eq!(
            (call.protocol, call.spans, call.outcome),
            (protocol, 1, Outcome::Accepted)
        );
        let frame = if protocol == Protocol::OtlpGrpc { 5 } else { 0 };
        assert_eq!(call.bytes, body.len() + frame);
        for (name, value) in [("b3", "0"), ("x-tenant", "one")] {
            assert_eq!(call.headers.get(name), Some(value.as_bytes()));
        }
        assert!(call.headers.contains("host"), "{:?}", call.headers);
    }
    Ok(())
}

fn expected(protocol: Protocol) -> Span {
    let zipkin = protocol == Protocol::Zipkin;
    let text = |text: &str| Value::from(text);
    let attributes: &[(&str, Value)] = match zipkin {
        true => &[
            ("http.request.method", text("GET")),
            ("http.response.status_code", text("503")),
            ("error", text("503")),
        ],
        false => &[
            ("http.request.method", text("GET")),
            ("http.response.status_code", Value::Int(503)),
            ("guarded", Value::Bool(true)),
            ("ratio", Value::Double(0.5)),
            ("ports", Value::List(vec![Value::Int(9080)])),
        ],
    };
    let map = |fields: &[(&str, Value)]| {
        let fields = fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        fields.collect::<BTreeMap<_, _>>()
    };
    let otlp = |text: &str| {
        if zipkin {
            String::new()
        } else {
            text.to_owned()
        }
    };
    Span {
        protocol,
        trace_id: TRACE.to_owned(),
        span_id: SPAN.to_owned(),
        parent_id: Some(PARENT.to_owned()),
        name: if zipkin { "get" } else { "GET" }.to_owned(),
        kind: Kind::Server,
        service: "reviews.bookinfo".to_owned(),
        remote_service: zipkin.then(|| "productpage.bookinfo".to_owned()),
        resource: map(&[("service.name", text("reviews.bookinfo"))]),
        scope: Scope {
            name: otlp("throughline"),
            version: otlp("0.1.0"),
        },
        start_ns: START,
        end_ns: END,
        status: Status {
            code: Code::Error,
            message: "503".to_owned(),
        },
        attributes: map(attributes),
        links: match zipkin {
            true => Vec::new(),
            false => vec![(LINKED.0.to_owned(), LINKED.1.to_owned())],
        },
        flags: if zipkin { 0 } else { 0x101 },
        trace_state: otlp("a=b"),
    }
}

#[test]
fn counting_counts_every_span_and_those_that_came_twice() -> Result<()> {
    for protocol in PROTOCOLS {
        let receiver = Receiver::start()?.counting_only();
        let one = payloads::body(protocol, &["0000000000000001", "0000000000000002"]);
        let other = payloads::body(protocol, &["0000000000000002", "0000000000000003"]);
        for body in [&one, &other] {
            payloads::send(&receiver, protocol, body)?;
        }
        let tally = Tally {
            calls: 2,
            accepted: 4,
            repeated: 1,
            ..Tally::default()
        };
        assert_eq!(receiver.tally(), tally, "{protocol}");
        assert_eq!((receiver.count(), receiver.wait_for(4)?.len()), (4, 0));
    }
    Ok(())
}

#[test]
fn what_was_taken_is_forgotten() -> Result<()> {
    let receiver = Receiver::start()?;
    let send = |id| {
        payloads::send(
            &receiver,
            Protocol::Zipkin,
            &payloads::body(Protocol::Zipkin, &[id]),
        )
    };
    send("0000000000000001")?;
    assert_eq!(receiver.take().len(), 1);
    assert_eq!((receiver.count(), receiver.spans()), (0, Vec::new()));
    send("0000000000000002")?;
    assert_eq!(receiver.wait_for(1)?[0].span_id, "0000000000000002");
    assert_eq!(receiver.tally().accepted, 2);
    Ok(())
}

#[test]
fn it_stops_and_starts_at_the_same_address() -> Result<()> {
    let receiver = Receiver::start()?;
    for round in 1..=3 {
        for protocol in PROTOCOLS {
            payloads::send(&receiver, protocol, &payloads::body(protocol, &[SPAN]))?;
        }
        assert_eq!(receiver.tally().accepted, round * 4);
        receiver.stop();
        for address in [receiver.http(), receiver.grpc()] {
            let error =
                std::net::TcpStream::connect_timeout(&address, Duration::from_secs(5)).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        }
        receiver.restart()?;
    }
    Ok(())
}
