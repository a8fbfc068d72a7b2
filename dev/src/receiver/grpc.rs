//! Export calls over gRPC: one message each way, and a status in the trailers.

use super::reply::{Answer, Refusal, Reply, partial_success, plain};
use crate::http2::grpc_message;
use anyhow::{Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use prost::Message;
use std::convert::Infallible;
use std::time::Duration;

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const GRPC_STATUS: &str = "grpc-status";
const INVALID_ARGUMENT: u32 = 3;
const UNIMPLEMENTED: u32 = 12;

/// Accepts export calls only; what is another gets its answer.
pub fn expect_export(head: &http::request::Parts) -> std::result::Result<(), Refusal> {
    let is = |name, wanted: &[&str]| {
        let value = head
            .headers
            .get(name)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        wanted.iter().any(|wanted| wanted.as_bytes() == value)
    };
    let refuse = |status, why| Err(Refusal::Http(status, why));
    if head.method != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "gRPC takes only POST");
    }
    if !is(
        header::CONTENT_TYPE,
        &["application/grpc", "application/grpc+proto"],
    ) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this is not gRPC");
    }
    if !is(header::TE, &["trailers"]) {
        return refuse(StatusCode::BAD_REQUEST, "gRPC needs te: trailers");
    }
    if head.uri.path() != EXPORT {
        return Err(Refusal::Grpc(
            UNIMPLEMENTED,
            "there is only TraceService/Export",
        ));
    }
    Ok(())
}

/// The one message of a body.
pub fn unframe(mut body: Bytes) -> Result<Bytes> {
    if body.len() < 5 {
        bail!("a gRPC body of {} bytes", body.len());
    }
    let (compressed, length) = (body.get_u8(), body.get_u32());
    if compressed != 0 {
        bail!("a compressed gRPC message, without grpc-encoding");
    }
    if body.len() != length as usize {
        bail!("a gRPC message of {length} bytes in {} bytes", body.len());
    }
    Ok(body)
}

/// The answer to a call.
pub fn answer(reply: Reply) -> Answer {
    match reply {
        Reply::Accepted => message(&[]),
        Reply::Partial {
            rejected,
            message: why,
        } => message(&partial_success(rejected, why)),
        Reply::Garbage => message(b"\xff\xff\xff nonsense"),
        Reply::GrpcStatus {
            code,
            message,
            retry_info,
        } => status(code, &message, retry_info),
        Reply::Undecodable(why) => status(INVALID_ARGUMENT, &why, None),
        Reply::Status {
            code,
            retry_after,
            body,
        } => plain(code, retry_after, body),
    }
}

/// A message, then success.
fn message(message: &[u8]) -> Answer {
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    let body =
        Full::from(grpc_message(message)).with_trailers(std::future::ready(Some(Ok(trailers))));
    grpc(body.boxed())
}

/// A status alone, as “trailers only”.
pub fn status(code: u32, message: &str, retry_info: Option<Duration>) -> Answer {
    let mut answer = grpc(Full::default().boxed());
    let headers = answer.headers_mut();
    headers.insert(GRPC_STATUS, HeaderValue::from(code));
    let text = percent_encode(message);
    let details = retry_info.map(|delay| STANDARD_NO_PAD.encode(details(code, message, delay)));
    for (name, value) in [
        ("grpc-message", Some(text)),
        ("grpc-status-details-bin", details),
    ] {
        if let Some(value) = value
            .filter(|value| !value.is_empty())
            .and_then(|value| value.parse().ok())
        {
            headers.insert(name, value);
        }
    }
    answer
}

fn grpc(body: BoxBody<Bytes, Infallible>) -> Answer {
    let mut answer = Response::new(body);
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    answer
}

/// As gRPC's “PROTOCOL-HTTP2” wants it: what is not printable ASCII, and the percent sign.
fn percent_encode(text: &str) -> String {
    let encode = |byte| match byte {
        b' '..=b'~' if byte != b'%' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// `google.rpc.Status`.
#[derive(Message)]
struct RpcStatus {
    #[prost(uint32, tag = "1")]
    code: u32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<ProtoDuration>,
}

/// `google.protobuf.Duration`.
#[derive(Message)]
struct ProtoDuration {
    #[prost(uint64, tag = "1")]
    seconds: u64,
    #[prost(uint32, tag = "2")]
    nanos: u32,
}

fn details(code: u32, message: &str, delay: Duration) -> Vec<u8> {
    let delay = ProtoDuration {
        seconds: delay.as_secs(),
        nanos: delay.subsec_nanos(),
    };
    let retry = RetryInfo {
        retry_delay: Some(delay),
    };
    let any = Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: retry.encode_to_vec(),
    };
    let status = RpcStatus {
        code,
        message: message.to_owned(),
        details: vec![any],
    };
    status.encode_to_vec()
}
