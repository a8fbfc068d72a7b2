//! What a collector's answer means (OTLP specification, "OTLP/HTTP Response" and "OTLP/gRPC Response").

use super::{
    Protocol,
    exporter::SECOND,
    http_date,
    message::{self, Field},
};
use crate::{config::Json, text::shown};

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Accepted,
    /// So many spans were refused for good; "the client MUST NOT retry".
    Partial {
        rejected: usize,
    },
    /// Later, and not before so many nanoseconds.
    Retry {
        after: Option<u64>,
    },
    Rejected,
    /// No collector says this.
    Garbled,
}

/// An answer as it came.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP's status; 0 where none came.
    pub status: u16,
    /// gRPC's, from the headers or the trailers.
    pub grpc_status: Option<u32>,
    pub retry_after: Option<Vec<u8>>,
    pub grpc_message: Option<Vec<u8>>,
    /// `grpc-status-details-bin`.
    pub grpc_details: Option<Vec<u8>>,
    pub body: Vec<u8>,
}

impl Reply {
    /// `now` is in nanoseconds since the epoch.
    pub fn answer(&self, protocol: Protocol, now: u64) -> Answer {
        match (protocol, self.status) {
            (_, 0) => Answer::Retry { after: None },
            (Protocol::OtlpGrpc, _) => self.grpc_answer(),
            (_, 429 | 502 | 503 | 504) => {
                let after = self.retry_after.as_deref();
                Answer::Retry {
                    after: after.and_then(|text| retry_after(text, now)),
                }
            }
            (Protocol::Zipkin, 200..=299) => Answer::Accepted,
            (Protocol::OtlpHttpJson, 200..=299) => success(json_rejected(&self.body)),
            // Some services answer a protobuf request in JSON, mostly `{}`.
            (_, 200..=299) => {
                success(protobuf_rejected(&self.body).or_else(|| json_rejected(&self.body)))
            }
            _ => Answer::Rejected,
        }
    }

    /// For a counter: HTTP's status, `grpc_` and gRPC's, or `none`.
    pub fn code(&self, protocol: Protocol) -> String {
        match (protocol, self.status, self.grpc_status) {
            (_, 0, _) => "none".to_owned(),
            (Protocol::OtlpGrpc, _, Some(status)) => format!("grpc_{}", status.min(99)),
            (_, status, _) => status.min(999).to_string(),
        }
    }

    /// For people.
    pub fn describe(&self) -> String {
        /// Of what the collector says.
        const MOST: usize = 200;
        let (code, text) = match self.grpc_status {
            Some(status) => (
                format!("grpc-status {status}"),
                self.grpc_message.as_deref().unwrap_or_default(),
            ),
            None => (format!("HTTP {}", self.status), self.body.as_slice()),
        };
        let text = shown(text, MOST);
        if text.trim().is_empty() {
            code
        } else {
            format!("{code}, {}", text.trim())
        }
    }

    fn grpc_answer(&self) -> Answer {
        match (self.grpc_status, self.status) {
            (Some(0), 200) => {
                // One message: not compressed, its length, its bytes.
                let message = self.body.strip_prefix(&[0]).and_then(|rest| rest.get(4..));
                success(message.and_then(protobuf_rejected))
            }
            // CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS.
            (Some(1 | 4 | 10 | 11 | 14 | 15), _) => Answer::Retry {
                after: self.retry_info(),
            },
            // RESOURCE_EXHAUSTED: "only if the server signals that the recovery is possible", by RetryInfo.
            (Some(8), _) => match self.retry_info() {
                Some(after) => Answer::Retry { after: Some(after) },
                None => Answer::Rejected,
            },
            (Some(_), _) => Answer::Rejected,
            // gRPC, doc/http-grpc-status-mapping.md: these are UNAVAILABLE.
            (None, 429 | 502 | 503 | 504) => Answer::Retry { after: None },
            (None, 200) => Answer::Garbled,
            (None, _) => Answer::Rejected,
        }
    }

    /// Nanoseconds, of `google.rpc.RetryInfo` among the details of `google.rpc.Status`.
    fn retry_info(&self) -> Option<u64> {
        const NAME: &[u8] = b"/google.rpc.RetryInfo";
        let status = crate::base64::decode(self.grpc_details.as_deref()?)?;
        let infos = message::fields(&status).filter_map(|(number, field)| match (number, field) {
            (3, Field::Bytes(any)) => Some(any),
            _ => None,
        });
        let mut infos =
            infos.filter(|any| message::bytes(any, 1).is_some_and(|name| name.ends_with(NAME)));
        // That it is there says that another try may help; an empty one asks for no delay.
        let info = message::bytes(infos.next()?, 2).unwrap_or_default();
        let delay = message::bytes(info, 1).unwrap_or_default();
        let seconds = message::varint(delay, 1).unwrap_or(0);
        let nanoseconds = message::varint(delay, 2).unwrap_or(0);
        Some(seconds.saturating_mul(SECOND).saturating_add(nanoseconds))
    }
}

/// `rejected` spans, or `None` where the body is none of OTLP's.
fn success(rejected: Option<u64>) -> Answer {
    match rejected {
        Some(0) => Answer::Accepted,
        Some(rejected) => Answer::Partial {
            rejected: usize::try_from(rejected).unwrap_or(usize::MAX),
        },
        None => Answer::Garbled,
    }
}

/// `ExportTraceServiceResponse.partial_success.rejected_spans`.
fn protobuf_rejected(body: &[u8]) -> Option<u64> {
    if !message::is_whole(body) {
        return None;
    }
    let Some(partial) = message::bytes(body, 1) else {
        return Some(0);
    };
    message::is_whole(partial).then(|| message::varint(partial, 1).unwrap_or(0))
}

/// The same in JSON, where 64-bit numbers may be text. Some collectors answer with nothing at all.
fn json_rejected(body: &[u8]) -> Option<u64> {
    if body.trim_ascii().is_empty() {
        return Some(0);
    }
    let document = Json::parse(body).ok()?;
    let Json::Object(_) = document else {
        return None;
    };
    let rejected = document
        .field("partialSuccess")
        .and_then(|partial| partial.field("rejectedSpans"));
    Some(match rejected {
        Some(Json::String(number)) => number.parse().ok()?,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and a negative count is none"
        )]
        Some(Json::Number(number)) => *number as u64,
        _ => 0,
    })
}

/// RFC 9110 §10.2.3: seconds, or a date.
fn retry_after(text: &[u8], now: u64) -> Option<u64> {
    let text = core::str::from_utf8(text).ok()?.trim();
    match text.parse::<u64>() {
        Ok(seconds) => Some(seconds.saturating_mul(SECOND)),
        Err(_) => {
            http_date::seconds(text).map(|then| then.saturating_mul(SECOND).saturating_sub(now))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_mean_what_otlp_says() {
        const NOW: u64 = 1_790_000_000 * SECOND;
        let retry = |after: Option<u64>| Answer::Retry {
            after: after.map(|seconds| seconds * SECOND),
        };
        let partial = |rejected| Answer::Partial { rejected };
        // protocol, status, gRPC status, Retry-After, body, what it means, why
        type Row<'a> = (
            Protocol,
            u16,
            Option<u32>,
            &'a str,
            &'a [u8],
            Answer,
            &'a str,
        );
        use Protocol::{OtlpGrpc as Grpc, OtlpHttp as Http, OtlpHttpJson as Json, Zipkin};
        let rows: &[Row<'_>] = &[
            (
                Http,
                200,
                None,
                "",
                b"",
                Answer::Accepted,
                "an empty message",
            ),
            (
                Http,
                200,
                None,
                "",
                b"\x0a\x00",
                Answer::Accepted,
                "an empty partial_success is a success",
            ),
            (
                Http,
                200,
                None,
                "",
                b"\x0a\x02\x08\x03",
                partial(3),
                "rejected_spans: 3",
            ),
            (
                Http,
                200,
                None,
                "",
                b"\x0a\x04\x12\x02hi",
                Answer::Accepted,
                "a warning without rejections",
            ),
            (
                Http,
                200,
                None,
                "",
                b"<html>",
                Answer::Garbled,
                "no collector",
            ),
            (Http, 202, None, "", b"", Answer::Accepted, "any 2xx"),
            (
                Http,
                200,
                None,
                "",
                b"{\"partialSuccess\":{\"rejectedSpans\":\"2\"}}",
                partial(2),
                "JSON, though protobuf was sent",
            ),
            (Http, 429, None, "7", b"", retry(Some(7)), "Retry-After"),
            (Http, 503, None, "", b"", retry(None), "back-off of our own"),
            (
                Http,
                502,
                None,
                "soon",
                b"",
                retry(None),
                "nonsense is no delay",
            ),
            (
                Http,
                504,
                None,
                "-1",
                b"",
                retry(None),
                "nonsense is no delay",
            ),
            (
                Http,
                503,
                None,
                "Mon, 21 Sep 2026 14:13:30 GMT",
                b"",
                retry(Some(10)),
                "a date",
            ),
            (
                Http,
                503,
                None,
                "Mon, 21 Sep 2020 14:13:30 GMT",
                b"",
                retry(Some(0)),
                "a date that is over",
            ),
            (Http, 400, None, "7", b"", Answer::Rejected, "never on 400"),
            (
                Http,
                401,
                None,
                "",
                b"",
                Answer::Rejected,
                "all else must not be retried",
            ),
            (
                Http,
                500,
                None,
                "",
                b"",
                Answer::Rejected,
                "500 is not in the list",
            ),
            (
                Http,
                301,
                None,
                "",
                b"",
                Answer::Rejected,
                "nothing follows redirects",
            ),
            (Http, 0, None, "", b"", retry(None), "a lost connection"),
            (Json, 200, None, "", b"{}", Answer::Accepted, ""),
            (Json, 200, None, "", b"", Answer::Accepted, "nothing at all"),
            (
                Json,
                200,
                None,
                "",
                b"{\"partialSuccess\":{}}",
                Answer::Accepted,
                "",
            ),
            (
                Json,
                200,
                None,
                "",
                b"{\"partialSuccess\":{\"rejectedSpans\":\"2\"}}",
                partial(2),
                "text",
            ),
            (
                Json,
                200,
                None,
                "",
                b"{\"partialSuccess\":{\"rejectedSpans\":2}}",
                partial(2),
                "a number",
            ),
            (Json, 200, None, "", b"ok", Answer::Garbled, "no JSON"),
            (Json, 200, None, "", b"[]", Answer::Garbled, "no object"),
            (Zipkin, 202, None, "", b"", Answer::Accepted, ""),
            (
                Zipkin,
                200,
                None,
                "",
                b"whatever",
                Answer::Accepted,
                "Zipkin has no body to read",
            ),
            (Zipkin, 400, None, "", b"", Answer::Rejected, ""),
            (Zipkin, 503, None, "2", b"", retry(Some(2)), ""),
            (Grpc, 200, Some(0), "", b"\0\0\0\0\0", Answer::Accepted, ""),
            (
                Grpc,
                200,
                Some(0),
                "",
                b"\0\0\0\0\x04\x0a\x02\x08\x05",
                partial(5),
                "",
            ),
            (
                Grpc,
                200,
                Some(0),
                "",
                b"nonsense",
                Answer::Garbled,
                "no message",
            ),
            (Grpc, 200, Some(14), "", b"", retry(None), "UNAVAILABLE"),
            (
                Grpc,
                200,
                Some(8),
                "",
                b"",
                Answer::Rejected,
                "RESOURCE_EXHAUSTED without RetryInfo",
            ),
            (
                Grpc,
                200,
                Some(3),
                "",
                b"",
                Answer::Rejected,
                "INVALID_ARGUMENT",
            ),
            (Grpc, 200, Some(99), "", b"", Answer::Rejected, "unknown"),
            (Grpc, 200, None, "", b"", Answer::Garbled, "no gRPC server"),
            (Grpc, 503, None, "", b"", retry(None), "a proxy on the way"),
            (Grpc, 404, None, "", b"", Answer::Rejected, ""),
            (Grpc, 0, None, "", b"", retry(None), "a lost connection"),
        ];
        for (protocol, status, grpc_status, after, body, expected, why) in rows {
            let reply = Reply {
                status: *status,
                grpc_status: *grpc_status,
                retry_after: (!after.is_empty()).then(|| after.as_bytes().to_vec()),
                body: body.to_vec(),
                ..Reply::default()
            };
            assert_eq!(
                reply.answer(*protocol, NOW),
                *expected,
                "{protocol:?} {status} {grpc_status:?} {after:?} {body:?}: {why}"
            );
        }
    }

    #[test]
    fn retry_info_says_how_long() {
        for (info, after, why) in [
            (
                b"\x0a\x04\x08\x03\x10\x05".as_slice(),
                3 * SECOND + 5,
                "retry_delay { seconds: 3, nanos: 5 }",
            ),
            (b"\x0a\x00", 0, "an empty retry_delay"),
            (b"", 0, "no retry_delay: that it is there is enough"),
        ] {
            let after = Some(after);
            let answer = exhausted(info).answer(Protocol::OtlpGrpc, 0);
            assert_eq!(answer, Answer::Retry { after }, "{why}");
        }
    }

    /// With google.rpc.Status { code: 8, details: [Any { RetryInfo }] }.
    fn exhausted(info: &[u8]) -> Reply {
        let mut any = b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12".to_vec();
        any.push(info.len() as u8);
        any.extend(info);
        let mut status = b"\x08\x08\x1a".to_vec();
        status.push(any.len() as u8);
        status.append(&mut any);
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let text: Vec<u8> = status
            .chunks(3)
            .flat_map(|three| {
                let bits = three
                    .iter()
                    .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
                    << (8 * (3 - three.len()));
                (0..=three.len())
                    .map(move |place| ALPHABET[(bits >> (18 - 6 * place)) as usize & 63])
            })
            .collect();
        Reply {
            status: 200,
            grpc_status: Some(8),
            grpc_details: Some(text),
            ..Reply::default()
        }
    }
}
