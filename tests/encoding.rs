//! What leaves as bytes is what was recorded: decoded by OpenTelemetry's own classes, and compared document by document
//! with what the specifications of OTLP's JSON and of Zipkin v2 demand.

#[path = "encoding/any.rs"]
mod any;
#[path = "encoding/json.rs"]
mod json;
#[path = "encoding/otlp.rs"]
mod otlp;
#[path = "encoding/span.rs"]
mod span;
#[path = "encoding/unique.rs"]
mod unique;
#[path = "encoding/zipkin.rs"]
mod zipkin;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use prost::Message as _;
use throughline::export::{Batch, Envelope, Protocol};

use any::{payload, text};
use span::{Payload, Recorded, Value};

const VERSION: &str = "1.2.3";

/// The body of one request with all of the payload's spans.
fn body(protocol: Protocol, payload: &Payload) -> Vec<u8> {
    let envelope = Envelope::new(protocol, &payload.resource, VERSION);
    let mut batch = Batch::open(&envelope, 0);
    for span in &payload.spans {
        batch.add(
            &envelope,
            &span.encoded(protocol.encoding(), payload.service()),
        );
    }
    batch.close(&envelope);
    assert_eq!(batch.spans(), payload.spans.len());
    batch.body().to_vec()
}

/// gRPC's one message: not compressed, its length, its bytes.
fn unframed(body: &[u8]) -> &[u8] {
    let (frame, message) = body.split_at(5);
    assert_eq!(frame[0], 0, "not compressed");
    let length = u32::from_be_bytes(frame[1..].try_into().expect("four bytes"));
    assert_eq!(length as usize, message.len(), "the frame's length");
    message
}

fn holds(payload: &Payload) {
    let expected = otlp::request(payload);
    let protobuf = body(Protocol::OtlpHttp, payload);
    let decoded = ExportTraceServiceRequest::decode(protobuf.as_slice()).expect("protobuf");
    assert_eq!(decoded, expected, "otlp-http");
    assert_eq!(
        unframed(&body(Protocol::OtlpGrpc, payload)),
        protobuf,
        "otlp-grpc"
    );

    let text = body(Protocol::OtlpHttpJson, payload);
    let decoded: ExportTraceServiceRequest = serde_json::from_slice(&text).expect("OTLP's JSON");
    assert_eq!(
        decoded, expected,
        "otlp-http-json, by OpenTelemetry's classes"
    );
    assert_eq!(
        unique::parse(&text),
        json::document(payload),
        "otlp-http-json"
    );

    let text = body(Protocol::Zipkin, payload);
    assert_eq!(unique::parse(&text), zipkin::document(payload), "zipkin");
}

fn cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(500),
        failure_persistence: None,
        ..default
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_spans_are_decoded_as_they_were_recorded(payload in payload()) {
        holds(&payload);
    }

    #[test]
    fn any_text_is_decoded_as_it_was_written(key in text(), value in text(), name in text()) {
        let mut recorded = Recorded::small();
        recorded.name = name;
        recorded.attributes = vec![(key, Value::Text(value))];
        holds(&Payload::of(vec![recorded]));
    }
}

/// A protobuf length takes one byte more from 128, 16 384 and 2 097 152 bytes on. With each step of the text's length
/// every message around it passes that border at a place of its own.
#[test]
fn lengths_are_right_on_both_sides_of_every_border() {
    let around = |border: usize| border.saturating_sub(600)..border + 2;
    let near_two_mebibytes = (2_097_152 - 600..2_097_154).step_by(30);
    for length in around(128).chain(around(16_384)).chain(near_two_mebibytes) {
        let mut recorded = Recorded::small();
        recorded.attributes = vec![("k".to_owned(), Value::Text("x".repeat(length)))];
        holds(&Payload::of(vec![recorded]));
    }
}

/// The same for the resource, whose length the headroom holds.
#[test]
fn a_resource_of_any_length_is_right() {
    for length in (0..300).chain(16_200..16_400) {
        let mut payload = Payload::of(vec![Recorded::small()]);
        payload.resource.push(("k".to_owned(), "x".repeat(length)));
        holds(&payload);
    }
}

#[test]
fn numbers_are_right_at_every_border() {
    let mut recorded = Recorded::small();
    let powers = (0..63).map(|bits| 1_i64 << bits);
    let numbers: Vec<i64> = powers
        .flat_map(|power| [power - 1, power, -power, -power - 1])
        .chain([i64::MIN, i64::MAX])
        .collect();
    recorded.attributes = numbers
        .iter()
        .enumerate()
        .map(|(index, number)| (format!("k{index}"), Value::Int(*number)))
        .collect();
    holds(&Payload::of(vec![recorded]));
}

/// Nothing in the exporter may count a span's bytes as fewer than they take.
#[test]
fn no_span_takes_more_than_its_bytes_and_the_overhead() {
    for protocol in [
        Protocol::OtlpHttp,
        Protocol::OtlpGrpc,
        Protocol::OtlpHttpJson,
        Protocol::Zipkin,
    ] {
        let envelope = Envelope::new(protocol, &[], VERSION);
        let mut batch = Batch::open(&envelope, 0);
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
            let before = batch.bytes();
            batch.add(&envelope, &vec![b'x'; length]);
            let added = batch.bytes() - before;
            assert!(
                added <= length + Envelope::OVERHEAD,
                "{protocol:?}: {length} took {added}"
            );
        }
    }
}
