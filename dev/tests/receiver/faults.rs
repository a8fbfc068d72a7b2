//! Payloads that should not be as they are.

use crate::payloads::{
    self, PARENT, PROTOCOLS, SPAN, TRACE, grpc, json_span, json_with, send, zipkin_span,
};
use anyhow::Result;
use serde_json::{Value, json};
use throughline_dev::http::{Request, client};
use throughline_dev::http2;
use throughline_dev::receiver::{Outcome, Protocol, Receiver};

/// The faults of one payload, which must have been taken.
fn faults(protocol: Protocol, body: &Value) -> Result<String> {
    let receiver = Receiver::start()?;
    let answer = send(&receiver, protocol, body.to_string().as_bytes())?;
    assert!(matches!(answer.status, 200 | 202), "{body}: {answer:?}");
    Ok(receiver.invalid().join("\n"))
}

#[test]
fn faults_of_otlp_are_named() -> Result<()> {
    for (field, value, fault) in [
        ("traceId", json!("80f198ee56343ba8"), "trace id"),
        (
            "traceId",
            json!("00000000000000000000000000000000"),
            "trace id",
        ),
        ("spanId", json!("e457"), "span id"),
        ("spanId", json!("0000000000000000"), "span id"),
        ("parentSpanId", json!("0000000000000000"), "parent id"),
        ("parentSpanId", json!(SPAN), "its own parent"),
        ("name", json!(""), "no name"),
        ("kind", json!(0), "no kind"),
        ("kind", json!(9), "no span kind 9"),
        (
            "startTimeUnixNano",
            json!("1790000000012346001"),
            "1 ns before",
        ),
        (
            "startTimeUnixNano",
            json!(1_790_000_000_000_000_000_u64),
            "not text",
        ),
        ("endTimeUnixNano", json!("1790000000000001"), "a time of"),
        ("flags", json!(0x400), "flags 0x400"),
        (
            "status",
            json!({"code": 1, "message": "why"}),
            "without an error",
        ),
        ("status", json!({"code": 7}), "no status code 7"),
        ("links", json!([{"traceId": TRACE, "spanId": ""}]), "a link"),
        (
            "attributes",
            json!([{"key": "a", "value": {"intValue": 1}}]),
            "\"intValue\" is not text",
        ),
        ("attributes", json!([{"key": "a", "value": {}}]), "no value"),
        (
            "attributes",
            json!([{"key": "", "value": {"boolValue": true}}]),
            "without a key",
        ),
        (
            "attributes",
            json!([{"key": "a", "value": {"str": "b"}}]),
            "no \"str\"",
        ),
        (
            "attributes",
            json!([{"key": "a", "value": {"boolValue": true}}, {"key": "a", "value": {"boolValue": true}}]),
            "\"a\" twice",
        ),
        ("tags", json!({}), "no \"tags\""),
    ] {
        let mut body = json_with(&[SPAN]);
        let span = &mut body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        span[field] = value.clone();
        let faults = faults(Protocol::OtlpHttpJson, &body)?;
        assert!(faults.contains(fault), "{field}: {value}: {faults:?}");
    }
    let nobody = json!({"resourceSpans": [{"scopeSpans": [{"spans": [json_span(SPAN)]}]}]});
    let faults = faults(Protocol::OtlpHttpJson, &nobody)?;
    assert!(faults.contains("no service.name"), "{faults:?}");
    Ok(())
}

#[test]
fn faults_of_zipkin_are_named() -> Result<()> {
    for (field, value, fault) in [
        ("traceId", json!("80f198ee56343ba864fe"), "20 digits"),
        ("id", json!("e457"), "span id"),
        ("parentId", json!("XYZ"), "parent id"),
        ("name", json!("GET"), "not lower-case"),
        ("duration", json!(0), "no duration"),
        ("timestamp", json!(1_790_000_000), "a time of"),
        (
            "localEndpoint",
            json!({"serviceName": "Reviews"}),
            "lower case",
        ),
        ("localEndpoint", json!({}), "neither name nor address"),
        (
            "remoteEndpoint",
            json!({"ipv4": "127.0.0.1", "port": 0}),
            "port 0",
        ),
    ] {
        let mut span = zipkin_span(SPAN);
        span[field] = value.clone();
        let faults = faults(Protocol::Zipkin, &json!([span]))?;
        assert!(faults.contains(fault), "{field}: {value}: {faults:?}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_decoded_is_refused() -> Result<()> {
    let mut kind = json_with(&[SPAN]);
    kind["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["kind"] = json!("SPAN_KIND_SERVER");
    let mut tag = zipkin_span(SPAN);
    tag["tags"]["http.status_code"] = json!(200);
    let mut unknown = zipkin_span(SPAN);
    unknown["parentSpanId"] = json!(PARENT);
    for (protocol, body) in [
        (Protocol::OtlpHttp, b"\x0a\xff".to_vec()),
        (Protocol::OtlpGrpc, b"\x0a\xff".to_vec()),
        (Protocol::OtlpHttpJson, b"{".to_vec()),
        (Protocol::OtlpHttpJson, kind.to_string().into_bytes()),
        (Protocol::Zipkin, b"{}".to_vec()),
        (Protocol::Zipkin, json!([tag]).to_string().into_bytes()),
        (Protocol::Zipkin, json!([unknown]).to_string().into_bytes()),
    ] {
        let receiver = Receiver::start()?;
        let answer = send(&receiver, protocol, &body)?;
        if protocol == Protocol::OtlpGrpc {
            assert_eq!(
                answer.headers.get("grpc-status"),
                Some(&b"3"[..]),
                "{answer:?}"
            );
        } else {
            assert_eq!(answer.status, 400, "{}", body.escape_ascii());
        }
        assert!(
            receiver.invalid()[0].contains("cannot be decoded"),
            "{:?}",
            receiver.invalid()
        );
        assert_eq!(
            (receiver.requests()[0].outcome, receiver.count()),
            (Outcome::Undecodable, 0)
        );
    }
    Ok(())
}

#[test]
fn what_is_no_export_call_is_refused() -> Result<()> {
    let receiver = Receiver::start()?;
    let post = |path| Request::post(path, payloads::body(Protocol::Zipkin, &[SPAN]));
    let json = |path| post(path).header("content-type", "application/json");
    for (request, status) in [
        (Request::get("/v1/traces"), 405),
        (json("/v1/metrics"), 404),
        (json("/api/v1/spans"), 404),
        (post("/v1/traces"), 415),
        (
            post("/api/v2/spans").header("content-type", "application/x-protobuf"),
            415,
        ),
        (
            json("/api/v2/spans").header("content-encoding", "gzip"),
            415,
        ),
    ] {
        assert_eq!(
            client::send(receiver.http(), &request)?.status,
            status,
            "{request:?}"
        );
    }
    let mut call = grpc(&payloads::protobuf(&[SPAN]));
    call.target = "/opentelemetry.proto.collector.logs.v1.LogsService/Export".to_owned();
    let answer = http2::send(receiver.grpc(), &call)?;
    assert_eq!(answer.headers.get("grpc-status"), Some(&b"12"[..]));

    let mut call = grpc(&payloads::protobuf(&[SPAN]));
    call.headers = call.headers.filtered(|name| name != "te");
    assert_eq!(http2::send(receiver.grpc(), &call)?.status, 400);
    assert_eq!(receiver.invalid().len(), 8, "{:#?}", receiver.invalid());
    Ok(())
}

#[test]
fn grpc_frames_must_fit() -> Result<()> {
    let message = payloads::protobuf(&[SPAN]);
    let mut compressed = http2::grpc_message(&message);
    compressed[0] = 1;
    let long = [http2::grpc_message(&message), b"more".to_vec()].concat();
    for body in [compressed, long, vec![0, 0]] {
        let receiver = Receiver::start()?;
        let mut call = grpc(&message);
        call.body = body;
        let answer = http2::send(receiver.grpc(), &call)?;
        assert_eq!(
            answer.headers.get("grpc-status"),
            Some(&b"3"[..]),
            "{answer:?}"
        );
        assert_eq!(receiver.tally().accepted, 0);
    }
    Ok(())
}

#[test]
fn http1_is_no_grpc() -> Result<()> {
    let receiver = Receiver::start()?;
    assert!(client::send(receiver.grpc(), &grpc(&payloads::protobuf(&[SPAN]))).is_err());
    for protocol in PROTOCOLS {
        send(&receiver, protocol, &payloads::body(protocol, &[SPAN]))?;
    }
    assert_eq!(receiver.count(), 4);
    Ok(())
}
