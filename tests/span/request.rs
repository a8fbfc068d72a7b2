//! The request, in the names of each convention.

use throughline::{
    propagation::Headers,
    span::{Kind, RequestView, Semconv, SpanSettings},
};

use crate::{BOTH, LEGACY, STABLE, Written};

pub fn headers(request: &[(&str, &str)]) -> Headers {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let pairs: Vec<_> = request.iter().map(owned).collect();
    Headers::from_serialized(Headers::serialize(&pairs))
}

fn described(request: &[(&str, &str)], kind: Kind, semconv: Semconv) -> Vec<String> {
    let headers = headers(request);
    let settings = SpanSettings {
        semconv,
        ..SpanSettings::default()
    };
    Written::by(|to| RequestView::of(&headers).describe(kind, settings, to))
}

fn name(request: &[(&str, &str)]) -> String {
    RequestView::of(&headers(request)).name().into_owned()
}

const GET: [(&str, &str); 6] = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "reviews.bookinfo:9080"),
    (":path", "/reviews/0"),
    ("user-agent", "curl/8.0"),
    ("x-request-id", "463ac35c"),
];

const GRPC: [(&str, &str); 5] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "ratings"),
    (":path", "/bookinfo.Ratings/Get"),
    ("content-type", "application/grpc+proto"),
];

#[test]
fn a_server_span_has_the_parts_and_a_client_span_the_whole() {
    let common = [
        "server.address=reviews.bookinfo",
        "server.port=#9080",
        "user_agent.original=curl/8.0",
    ];
    let mut server = vec![
        "http.request.method=GET",
        "url.path=/reviews/0",
        "url.scheme=https",
    ];
    server.extend(common);
    server.push("guid:x-request-id=463ac35c");
    assert_eq!(described(&GET, Kind::Server, STABLE), server);
    let mut client = vec![
        "http.request.method=GET",
        "url.full=https://reviews.bookinfo:9080/reviews/0",
    ];
    client.extend(common);
    client.push("guid:x-request-id=463ac35c");
    assert_eq!(described(&GET, Kind::Client, STABLE), client);
    let legacy = [
        "http.method=GET",
        "http.url=https://reviews.bookinfo:9080/reviews/0",
        "user_agent=curl/8.0",
        "guid:x-request-id=463ac35c",
    ];
    for kind in [Kind::Server, Kind::Client] {
        assert_eq!(described(&GET, kind, LEGACY), legacy, "{kind:?}");
        let mut both = described(&GET, kind, BOTH);
        let mut each = [
            described(&GET, kind, STABLE),
            legacy.map(str::to_owned).to_vec(),
        ]
        .concat();
        both.sort();
        each.sort();
        each.dedup();
        assert_eq!(both, each, "{kind:?}");
    }
}

/// Semantic conventions, rpc-spans.md: what `rpc.method` holds changed, and the stable meaning counts where both are
/// wanted.
#[test]
fn a_grpc_call_has_its_method_too() {
    let rpc = |semconv| {
        let all = described(&GRPC, Kind::Client, semconv).into_iter();
        all.filter(|line| line.starts_with("rpc."))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        rpc(STABLE),
        "rpc.system.name=grpc rpc.method=bookinfo.Ratings/Get"
    );
    assert_eq!(
        rpc(LEGACY),
        "rpc.method=Get rpc.system=grpc rpc.service=bookinfo.Ratings"
    );
    assert_eq!(
        rpc(BOTH),
        "rpc.system.name=grpc rpc.method=bookinfo.Ratings/Get rpc.system=grpc rpc.service=bookinfo.Ratings"
    );
}

#[test]
fn a_span_is_named_by_its_method_and_never_by_its_path() {
    for (request, expected, why) in [
        (GET.as_slice(), "GET", "HTTP"),
        (
            &[(":method", "CONNECT"), (":authority", "a:1")],
            "CONNECT",
            "no path at all",
        ),
        (
            &[(":method", "PROPFIND"), (":path", "/")],
            "HTTP",
            "a method that HTTP does not define",
        ),
        (
            &[(":method", "get"), (":path", "/")],
            "HTTP",
            "methods have their case",
        ),
        (&[(":method", ""), (":path", "/")], "HTTP", "none"),
        (&[], "HTTP", "nothing at all"),
        (&GRPC, "bookinfo.Ratings/Get", "gRPC"),
        (
            &[
                (":method", "POST"),
                (":path", "/a"),
                ("content-type", "application/grpc"),
            ],
            "POST",
            "no gRPC path",
        ),
        (
            &[
                (":method", "POST"),
                (":path", "/a.B/C?d"),
                ("content-type", "application/grpc"),
            ],
            "POST",
            "nor this",
        ),
        (
            &[
                (":method", "POST"),
                (":path", "/a.B/C"),
                ("content-type", "application/grpc-web+proto"),
            ],
            "POST",
            "gRPC-Web is HTTP",
        ),
        (
            &[
                (":method", "POST"),
                (":path", "/a.B/C"),
                ("content-type", "application/grpcx"),
            ],
            "POST",
            "another type",
        ),
        (
            &[
                (":method", "POST"),
                (":path", "/a.B/C"),
                ("content-type", "application/grpc; charset=utf-8"),
            ],
            "a.B/C",
            "parameters",
        ),
        (
            &[(":method", "POST"), (":path", "/a.B/C")],
            "POST",
            "a path alone",
        ),
    ] {
        assert_eq!(name(request), expected, "{why}");
    }
    let long = format!("/{}/C", "s".repeat(1000));
    let long = name(&[(":path", &long), ("content-type", "application/grpc")]);
    assert_eq!(long.len(), 256);
}

#[test]
fn an_unknown_method_is_other() {
    let got = described(
        &[(":method", "PROPFIND"), (":path", "/")],
        Kind::Server,
        BOTH,
    );
    assert_eq!(
        got[..2],
        [
            "http.request.method=_OTHER",
            "http.request.method_original=PROPFIND"
        ]
    );
    assert!(got.contains(&"http.method=PROPFIND".to_owned()), "{got:?}");
    for method in [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ] {
        let got = described(&[(":method", method)], Kind::Server, STABLE);
        assert_eq!(got[0], format!("http.request.method={method}"));
        assert!(
            !got[1..]
                .iter()
                .any(|it| it.starts_with("http.request.method")),
            "{got:?}"
        );
    }
}

#[test]
fn the_port_is_the_schemes_where_none_is_given() {
    for (scheme, authority, expected) in [
        ("http", "a", "server.address=a server.port=#80"),
        ("https", "a", "server.address=a server.port=#443"),
        ("https", "a:80", "server.address=a server.port=#80"),
        ("http", "[::1]:8080", "server.address=::1 server.port=#8080"),
        ("http", "[::1]", "server.address=::1 server.port=#80"),
        ("ws", "a", "server.address=a"),
        ("", "a", "server.address=a"),
        ("http", "", "server.port=#80"),
        ("", "", ""),
    ] {
        let request = [
            (":method", "GET"),
            (":scheme", scheme),
            (":authority", authority),
            (":path", "/"),
        ];
        let all = described(&request, Kind::Client, STABLE).into_iter();
        let got: Vec<String> = all.filter(|line| line.starts_with("server.")).collect();
        assert_eq!(got.join(" "), expected, "{scheme}://{authority}");
    }
}

/// No value from outside is longer, and none is cut inside a character.
#[test]
fn values_from_outside_are_bounded() {
    let long = "é".repeat(300);
    for field in [
        ":method",
        ":scheme",
        ":authority",
        "user-agent",
        "x-request-id",
    ] {
        let mut request = GET.to_vec();
        let place = request.iter().position(|(name, _)| *name == field);
        request[place.expect("a field")].1 = &long;
        for line in described(&request, Kind::Server, BOTH) {
            let (key, value) = line.split_once('=').expect("a pair");
            let most = if key == "http.url" { 600 } else { 256 };
            assert!(
                value.len() <= most && !value.contains('\u{fffd}'),
                "{field}: {line}"
            );
        }
    }
}
