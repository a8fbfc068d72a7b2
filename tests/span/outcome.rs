//! How a request ended, in the names of each convention.

use throughline::span::{GrpcStatus, Kind, Outcome, Remote, ResponseFlags, Semconv, Upstream};

use crate::{BOTH, LEGACY, STABLE, Written};

fn described(outcome: &Outcome, kind: Kind, semconv: Semconv) -> Vec<String> {
    Written::by(|to| outcome.describe(kind, semconv, to))
}

/// Everything that there can be.
fn everything() -> Outcome {
    Outcome {
        code: 503,
        flags: ResponseFlags(1 << 5 | 1 << 15),
        details: Some("upstream_reset".to_owned()),
        grpc_status: Some(GrpcStatus::of(14)),
        protocol: Some("HTTP/1.1".to_owned()),
        source: Some("10.0.0.2:4711".to_owned()),
        request_size: Some(12),
        response_size: Some(345),
        upstream: Upstream {
            cluster: Some("outbound|9080||reviews.bookinfo.svc.cluster.local".to_owned()),
            address: Some("[fd00::3]:9080".to_owned()),
            attempts: 3,
            service: Some("reviews.bookinfo".to_owned()),
        },
    }
}

const CLUSTER: [&str; 2] = [
    "upstream_cluster=outbound|9080||reviews.bookinfo.svc.cluster.local",
    "upstream_cluster.name=outbound|9080||reviews.bookinfo.svc.cluster.local",
];

#[test]
fn a_server_span_tells_of_the_caller() {
    let stable = described(&everything(), Kind::Server, STABLE);
    let expected = [
        "http.response.status_code=#503",
        "response_flags=UF,URX",
        "response_code_details=upstream_reset",
        "rpc.response.status_code=UNAVAILABLE",
        "request_size=#12",
        "response_size=#345",
        "network.protocol.version=1.1",
        "client.address=10.0.0.2",
        "client.port=#4711",
        CLUSTER[0],
        CLUSTER[1],
        "error.type=503",
    ];
    assert_eq!(stable, expected);
    let legacy = described(&everything(), Kind::Server, LEGACY);
    let expected = [
        "http.status_code=#503",
        "response_flags=UF,URX",
        "response_code_details=upstream_reset",
        "rpc.grpc.status_code=#14",
        "grpc.status_code=14",
        "request_size=#12",
        "response_size=#345",
        "http.protocol=HTTP/1.1",
        "peer.address=10.0.0.2",
        CLUSTER[0],
        CLUSTER[1],
    ];
    assert_eq!(legacy, expected);
}

#[test]
fn a_client_span_tells_of_the_callee() {
    let stable = described(&everything(), Kind::Client, STABLE);
    let expected = [
        "http.response.status_code=#503",
        "response_flags=UF,URX",
        "response_code_details=upstream_reset",
        "rpc.response.status_code=UNAVAILABLE",
        "request_size=#12",
        "response_size=#345",
        "network.peer.address=fd00::3",
        "network.peer.port=#9080",
        "http.request.resend_count=#2",
        CLUSTER[0],
        CLUSTER[1],
        "error.type=503",
    ];
    assert_eq!(stable, expected);
    let legacy = described(&everything(), Kind::Client, LEGACY);
    let expected = [
        "http.status_code=#503",
        "response_flags=UF,URX",
        "response_code_details=upstream_reset",
        "rpc.grpc.status_code=#14",
        "grpc.status_code=14",
        "request_size=#12",
        "response_size=#345",
        "upstream_address=[fd00::3]:9080",
        "peer.address=fd00::3",
        "peer.service=reviews.bookinfo",
        CLUSTER[0],
        CLUSTER[1],
    ];
    assert_eq!(legacy, expected);
}

#[test]
fn both_are_the_two_together() {
    for kind in [Kind::Server, Kind::Client] {
        let mut both = described(&everything(), kind, BOTH);
        let mut each = described(&everything(), kind, STABLE);
        each.extend(described(&everything(), kind, LEGACY));
        both.sort();
        each.sort();
        each.dedup();
        assert_eq!(both, each, "{kind:?}");
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    for kind in [Kind::Server, Kind::Client] {
        let got = described(&Outcome::default(), kind, BOTH);
        assert_eq!(got, ["response_flags=-", "error.type=_OTHER"], "{kind:?}");
    }
}

#[test]
fn only_what_was_sent_again_counts() {
    for (attempts, expected) in [
        (0, None),
        (1, None),
        (2, Some("#1")),
        (u64::MAX, Some("#9223372036854775807")),
    ] {
        let outcome = Outcome {
            upstream: Upstream {
                attempts,
                ..Upstream::default()
            },
            ..Outcome::default()
        };
        let got = described(&outcome, Kind::Client, STABLE);
        let got = got
            .iter()
            .find_map(|line| line.strip_prefix("http.request.resend_count="));
        assert_eq!(got, expected, "{attempts}");
    }
}

#[test]
fn protocols_are_versions_by_convention() {
    for (protocol, version) in [
        ("HTTP/1.0", "1.0"),
        ("HTTP/2", "2"),
        ("HTTP/3", "3"),
        ("odd", "odd"),
    ] {
        let outcome = Outcome {
            protocol: Some(protocol.to_owned()),
            ..Outcome::default()
        };
        let got = described(&outcome, Kind::Server, BOTH).join(" ");
        assert!(
            got.contains(&format!(
                "network.protocol.version={version} http.protocol={protocol}"
            )),
            "{got}"
        );
    }
}

#[test]
fn an_address_without_a_port_has_none() {
    for (source, expected) in [
        ("10.0.0.2", "client.address=10.0.0.2 peer.address=10.0.0.2"),
        (
            "/tmp/app.sock",
            "client.address=/tmp/app.sock peer.address=/tmp/app.sock",
        ),
        ("[::1]:0", "client.address=::1 peer.address=::1"),
    ] {
        let outcome = Outcome {
            source: Some(source.to_owned()),
            ..Outcome::default()
        };
        let got = described(&outcome, Kind::Server, BOTH).join(" ");
        assert!(got.contains(expected), "{got}");
    }
}

#[test]
fn the_other_side_is_the_caller_or_the_callee() {
    let outcome = everything();
    let caller = Remote {
        service: None,
        endpoint: Some("10.0.0.2:4711"),
    };
    let callee = Remote {
        service: Some("reviews.bookinfo"),
        endpoint: Some("[fd00::3]:9080"),
    };
    assert_eq!(outcome.remote(Kind::Server), caller);
    assert_eq!(outcome.remote(Kind::Client), callee);
}
