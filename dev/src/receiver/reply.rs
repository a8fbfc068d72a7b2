//! What a call is told, before it becomes bytes.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use std::convert::Infallible;
use std::time::Duration;

/// An HTTP response.
pub type Answer = Response<BoxBody<Bytes, Infallible>>;

/// What a call is told.
#[derive(Debug)]
pub enum Reply {
    Accepted,
    Partial {
        rejected: usize,
        message: String,
    },
    Status {
        code: StatusCode,
        retry_after: Option<HeaderValue>,
        body: String,
    },
    GrpcStatus {
        code: u32,
        message: String,
        retry_info: Option<Duration>,
    },
    Garbage,
    /// Why.
    Undecodable(String),
}

/// Why a request is no export call, and what it is told.
#[derive(Debug)]
pub enum Refusal {
    Http(StatusCode, &'static str),
    Grpc(u32, &'static str),
}

/// A response of HTTP alone.
pub fn plain(status: StatusCode, retry_after: Option<HeaderValue>, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body).boxed());
    *answer.status_mut() = status;
    if let Some(value) = retry_after {
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}

/// OTLP's words for a partial success.
pub fn partial_success(rejected: usize, message: String) -> Vec<u8> {
    let success = ExportTracePartialSuccess {
        rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
        error_message: message,
    };
    let answer = ExportTraceServiceResponse {
        partial_success: Some(success),
    };
    answer.encode_to_vec()
}
