//! One span by hand in each protocol, its bytes written from the specifications and by none of the receiver's classes.

use anyhow::Result;
use serde_json::{Value, json};
use throughline_dev::http::{Client, Request, Response};
use throughline_dev::http2;
use throughline_dev::receiver::{Protocol, Receiver};

pub const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
pub const SPAN: &str = "e457b5a2e4d86bd1";
pub const PARENT: &str = "05e3ac9a4f6e3b90";
pub const LINKED: (&str, &str) = ("463ac35c9f6413ad48485a3953bb6124", "0020000000000001");
pub const START: u64 = 1_790_000_000_000_001_000;
pub const END: u64 = 1_790_000_000_012_346_000;

pub const PROTOCOLS: [Protocol; 4] = [
    Protocol::OtlpHttp,
    Protocol::OtlpHttpJson,
    Protocol::OtlpGrpc,
    Protocol::Zipkin,
];

/// The body of an export call with spans of these ids.
pub fn body(protocol: Protocol, ids: &[&str]) -> Vec<u8> {
    match protocol {
        Protocol::OtlpHttp | Protocol::OtlpGrpc => protobuf(ids),
        Protocol::OtlpHttpJson => json_with(ids).to_string().into_bytes(),
        Protocol::Zipkin => zipkin_with(ids).to_string().into_bytes(),
    }
}

/// Sends a body as an exporter does.
pub fn send(receiver: &Receiver, protocol: Protocol, body: &[u8]) -> Result<Response> {
    let request = match protocol {
        Protocol::OtlpGrpc => return http2::send(receiver.grpc(), &grpc(body)),
        Protocol::OtlpHttp => {
            Request::post("/v1/traces", body).header("content-type", "application/x-protobuf")
        }
        Protocol::OtlpHttpJson => {
            Request::post("/v1/traces", body).header("content-type", "application/json")
        }
        Protocol::Zipkin => {
            Request::post("/api/v2/spans", body).header("content-type", "application/json")
        }
    };
    Client::connect(receiver.http())?.send(&request.header("b3", "0").header("x-tenant", "one"))
}

pub fn grpc(message: &[u8]) -> Request {
    http2::grpc_call(
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        message,
    )
    .header("b3", "0")
    .header("x-tenant", "one")
}

pub fn json_with(ids: &[&str]) -> Value {
    let spans: Vec<_> = ids.iter().map(|id| json_span(id)).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "reviews.bookinfo"}},
        ]},
        "scopeSpans": [{"scope": {"name": "throughline", "version": "0.1.0"}, "spans": spans}],
    }]})
}

pub fn json_span(id: &str) -> Value {
    json!({
        "traceId": TRACE, "spanId": id, "parentSpanId": PARENT, "traceState": "a=b", "flags": 0x101,
        "name": "GET", "kind": 2,
        "startTimeUnixNano": START.to_string(), "endTimeUnixNano": END.to_string(),
        "attributes": [
            {"key": "http.request.method", "value": {"stringValue": "GET"}},
            {"key": "http.response.status_code", "value": {"intValue": "503"}},
            {"key": "guarded", "value": {"boolValue": true}},
            {"key": "ratio", "value": {"doubleValue": 0.5}},
            {"key": "ports", "value": {"arrayValue": {"values": [{"intValue": "9080"}]}}},
        ],
        "links": [{"traceId": LINKED.0, "spanId": LINKED.1}],
        "status": {"code": 2, "message": "503"},
    })
}

pub fn zipkin_with(ids: &[&str]) -> Value {
    ids.iter().map(|id| zipkin_span(id)).collect()
}

pub fn zipkin_span(id: &str) -> Value {
    json!({
        "traceId": TRACE, "id": id, "parentId": PARENT, "name": "get", "kind": "SERVER",
        "timestamp": START / 1000, "duration": (END - START) / 1000,
        "localEndpoint": {"serviceName": "reviews.bookinfo", "ipv4": "127.0.0.1", "port": 9080},
        "remoteEndpoint": {"serviceName": "productpage.bookinfo"},
        "tags": {"http.request.method": "GET", "http.response.status_code": "503", "error": "503"},
    })
}

/// The same as [`json_with`], field by field of opentelemetry-proto's trace.proto.
pub fn protobuf(ids: &[&str]) -> Vec<u8> {
    let spans: Vec<u8> = ids
        .iter()
        .flat_map(|id| bytes(2, &protobuf_span(id)))
        .collect();
    let scope = [bytes(1, b"throughline"), bytes(2, b"0.1.0")].concat();
    let resource = key_value(1, "service.name", &bytes(1, b"reviews.bookinfo"));
    let scope_spans = [bytes(1, &scope), spans].concat();
    bytes(1, &[bytes(1, &resource), bytes(2, &scope_spans)].concat())
}

pub fn protobuf_span(id: &str) -> Vec<u8> {
    [
        bytes(1, &unhex(TRACE)),
        bytes(2, &unhex(id)),
        bytes(3, b"a=b"),
        bytes(4, &unhex(PARENT)),
        bytes(5, b"GET"),
        number(6, 2),
        fixed64(7, START),
        fixed64(8, END),
        key_value(9, "http.request.method", &bytes(1, b"GET")),
        key_value(9, "http.response.status_code", &number(3, 503)),
        key_value(9, "guarded", &number(2, 1)),
        key_value(9, "ratio", &fixed64(4, 0.5_f64.to_bits())),
        key_value(9, "ports", &bytes(5, &bytes(1, &number(3, 9080)))),
        bytes(
            13,
            &[bytes(1, &unhex(LINKED.0)), bytes(2, &unhex(LINKED.1))].concat(),
        ),
        bytes(15, &[bytes(2, b"503"), number(3, 2)].concat()),
        fixed32(16, 0x101),
    ]
    .concat()
}

fn key_value(field: u64, key: &str, value: &[u8]) -> Vec<u8> {
    bytes(field, &[bytes(1, key.as_bytes()), bytes(2, value)].concat())
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn fixed32(field: u64, value: u32) -> Vec<u8> {
    [varint(field << 3 | 5), value.to_le_bytes().to_vec()].concat()
}

fn fixed64(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [
        varint(field << 3 | 2),
        varint(value.len() as u64),
        value.to_vec(),
    ]
    .concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn unhex(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}
