//! Export calls over HTTP, OTLP's and Zipkin's: which they are, and how they are answered.

use super::reply::{Answer, Refusal, Reply, partial_success, plain};
use super::span::Protocol;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::json;

/// The protocol of an export call. A path may have a prefix, as behind gateways.
pub fn protocol(head: &http::request::Parts) -> Result<Protocol, Refusal> {
    let refuse = |status, why| Err(Refusal::Http(status, why));
    let path = head.uri.path();
    let (otlp, zipkin) = (
        path.ends_with("/v1/traces"),
        path.ends_with("/api/v2/spans"),
    );
    if !otlp && !zipkin {
        return refuse(StatusCode::NOT_FOUND, "nothing is at this path");
    }
    if head.method != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "this takes only POST");
    }
    if head.headers.contains_key(header::CONTENT_ENCODING) {
        return refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "compressed bodies are not taken",
        );
    }
    match content_type(&head.headers) {
        Some("application/x-protobuf") if otlp => Ok(Protocol::OtlpHttp),
        Some("application/json") if otlp => Ok(Protocol::OtlpHttpJson),
        Some("application/json") => Ok(Protocol::Zipkin),
        _ => refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not the content-type of this path",
        ),
    }
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// The answer to a call.
pub fn answer(protocol: Protocol, reply: Reply) -> Answer {
    match (reply, protocol) {
        (Reply::Accepted | Reply::Partial { .. }, Protocol::Zipkin) => {
            plain(StatusCode::ACCEPTED, None, String::new())
        }
        (Reply::Accepted, Protocol::OtlpHttpJson) => success(protocol, "{}"),
        (Reply::Accepted, _) => success(protocol, Bytes::new()),
        (Reply::Partial { rejected, message }, Protocol::OtlpHttpJson) => {
            // Not by the generated classes, which write a number where the mapping of int64 wants text.
            let words = json!({"rejectedSpans": rejected.to_string(), "errorMessage": message});
            success(protocol, json!({"partialSuccess": words}).to_string())
        }
        (Reply::Partial { rejected, message }, _) => {
            success(protocol, partial_success(rejected, message))
        }
        (Reply::Garbage, _) => success(protocol, &b"\xff\xff\xff nonsense"[..]),
        (
            Reply::Status {
                code,
                retry_after,
                body,
            },
            _,
        ) => plain(code, retry_after, body),
        (Reply::GrpcStatus { message, .. }, _) => {
            plain(StatusCode::INTERNAL_SERVER_ERROR, None, message)
        }
        (Reply::Undecodable(why), _) => plain(StatusCode::BAD_REQUEST, None, why),
    }
}

fn success(protocol: Protocol, body: impl Into<Bytes>) -> Answer {
    let media = match protocol {
        Protocol::OtlpHttp | Protocol::OtlpGrpc => "application/x-protobuf",
        Protocol::OtlpHttpJson | Protocol::Zipkin => "application/json",
    };
    let mut answer = Response::new(Full::new(body.into()).boxed());
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    answer
}
