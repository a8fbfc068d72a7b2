//! When a span is an error, and what `error.type` says ("Status" in docs/spans.md).

use throughline::span::{GrpcStatus, Kind, Outcome, ResponseFlags};

/// The error of a server span, and of a client span.
fn errors(code: u64, flags: u64, grpc_status: Option<u64>) -> [Option<String>; 2] {
    let outcome = Outcome {
        code,
        flags: ResponseFlags(flags),
        grpc_status: grpc_status.map(GrpcStatus::of),
        ..Outcome::default()
    };
    [outcome.error(Kind::Server), outcome.error(Kind::Client)]
}

/// A status code, Envoy's flags, gRPC's status, and the errors of both kinds of span.
type Row<'a> = (u64, u64, Option<u64>, Option<&'a str>, Option<&'a str>);

fn check(rows: &[Row<'_>]) {
    for (code, flags, grpc, server, client) in rows {
        let expected = [server, client].map(|error| error.map(str::to_owned));
        assert_eq!(
            errors(*code, *flags, *grpc),
            expected,
            "{code} {flags:#x} {grpc:?}"
        );
    }
}

#[test]
fn a_servers_error_is_5xx_and_a_clients_is_4xx_too() {
    check(&[
        (100, 0, None, None, None),
        (101, 0, None, None, None),
        (200, 0, None, None, None),
        (302, 0, None, None, None),
        (399, 0, None, None, None),
        (400, 0, None, None, Some("400")),
        (403, 0, None, None, Some("403")),
        (404, 0, None, None, Some("404")),
        (429, 0, None, None, Some("429")),
        (499, 0, None, None, Some("499")),
        (500, 0, None, Some("500"), Some("500")),
        (503, 0, None, Some("503"), Some("503")),
        (599, 0, None, Some("599"), Some("599")),
        (0, 0, None, Some("_OTHER"), Some("_OTHER")),
    ]);
}

/// Envoy's flags by bit (envoy/stream_info/stream_info.h), and whether a response whose status was good was cut off for
/// that reason.
const FLAGS: [(&str, Option<&str>); 30] = [
    ("LH", None),
    ("UH", None),
    // The whole response did not come in time: its beginning, and its status, may have left already.
    ("UT", Some("UpstreamRequestTimeout")),
    ("LR", Some("LocalReset")),
    ("UR", Some("UpstreamRemoteReset")),
    ("UF", None),
    ("UC", Some("UpstreamConnectionTermination")),
    ("UO", None),
    ("NR", None),
    ("DI", None),
    ("FI", None),
    ("RL", None),
    ("UAEX", None),
    ("RLSE", None),
    // A client that leaves a stream of which it has read enough is no error.
    ("DC", None),
    ("URX", None),
    ("SI", Some("StreamIdleTimeout")),
    ("IH", None),
    ("DPE", Some("DownstreamProtocolError")),
    ("UMSDR", Some("UpstreamMaxStreamDurationReached")),
    ("RFCF", None),
    ("NFCF", None),
    ("DT", None),
    ("UPE", Some("UpstreamProtocolError")),
    ("NC", None),
    ("OM", Some("OverloadManagerTerminated")),
    ("DF", None),
    ("DO", None),
    ("DR", None),
    ("UDO", None),
];

#[test]
fn a_response_that_was_cut_off_is_an_error_whatever_its_status() {
    for (bit, (name, cut)) in FLAGS.iter().enumerate() {
        let flags = 1 << bit;
        assert_eq!(ResponseFlags(flags).short(), *name);
        check(&[
            (200, flags, None, *cut, *cut),
            (404, flags, None, *cut, Some("404")),
            (503, flags, None, Some("503"), Some("503")),
        ]);
    }
}

#[test]
fn where_no_response_was_sent_the_flag_says_why() {
    check(&[
        (
            0,
            1 << 14,
            None,
            Some("DownstreamConnectionTermination"),
            Some("DownstreamConnectionTermination"),
        ),
        (
            0,
            1 << 28,
            None,
            Some("DownstreamRemoteReset"),
            Some("DownstreamRemoteReset"),
        ),
        (
            0,
            1 << 6 | 1 << 15,
            None,
            Some("UpstreamConnectionTermination"),
            Some("UpstreamConnectionTermination"),
        ),
        (0, 1 << 8, None, Some("NoRouteFound"), Some("NoRouteFound")),
        (0, 1 << 63, None, Some("_OTHER"), Some("_OTHER")),
        (200, 1 << 63, None, None, None),
    ]);
}

/// Semantic conventions, rpc/grpc.md, "gRPC Status": what counts as a server's error, and that all but OK is a client's.
const CODES: [(&str, bool); 17] = [
    ("OK", false),
    ("CANCELLED", false),
    ("UNKNOWN", true),
    ("INVALID_ARGUMENT", false),
    ("DEADLINE_EXCEEDED", true),
    ("NOT_FOUND", false),
    ("ALREADY_EXISTS", false),
    ("PERMISSION_DENIED", false),
    ("RESOURCE_EXHAUSTED", false),
    ("FAILED_PRECONDITION", false),
    ("ABORTED", false),
    ("OUT_OF_RANGE", false),
    ("UNIMPLEMENTED", true),
    ("INTERNAL", true),
    ("UNAVAILABLE", true),
    ("DATA_LOSS", true),
    ("UNAUTHENTICATED", false),
];

#[test]
fn grpcs_status_counts_beside_https() {
    for (code, (name, is_servers)) in (0..).zip(CODES) {
        let client = (code != 0).then_some(name);
        check(&[
            (200, 0, Some(code), is_servers.then_some(name), client),
            (503, 0, Some(code), Some("503"), Some("503")),
            // A cut off trailer: gRPC's own word is more than the reason.
            (
                200,
                1 << 14,
                Some(14),
                Some("UNAVAILABLE"),
                Some("UNAVAILABLE"),
            ),
        ]);
    }
    check(&[
        (200, 0, Some(17), Some("UNKNOWN"), Some("UNKNOWN")),
        (200, 0, Some(u64::MAX), Some("UNKNOWN"), Some("UNKNOWN")),
        (
            200,
            1 << 6,
            Some(0),
            Some("UpstreamConnectionTermination"),
            Some("UpstreamConnectionTermination"),
        ),
        (0, 0, Some(0), Some("_OTHER"), Some("_OTHER")),
    ]);
}
