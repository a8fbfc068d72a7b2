//! What a span does not tell: query strings unless they are wanted, and never a password.

use throughline::span::{Kind, RequestView, SpanSettings};

use crate::{BOTH, Written, request::headers};

fn described(request: &[(&str, &str)], settings: SpanSettings) -> Vec<String> {
    let headers = headers(request);
    let all = |kind| Written::by(|to| RequestView::of(&headers).describe(kind, settings, to));
    [all(Kind::Server), all(Kind::Client)].concat()
}

fn settings(redact_query: bool, max_path: usize) -> SpanSettings {
    SpanSettings {
        semconv: BOTH,
        max_path,
        redact_query,
        ..SpanSettings::default()
    }
}

#[test]
fn queries_and_passwords_stay_here() {
    for (authority, path) in [
        ("shop", "/buy?token=s3cret"),
        ("shop", "/buy?a=b&password=s3cret#top"),
        ("shop", "/buy#s3cret"),
        ("shop", "/buy#top?s3cret"),
        ("shop", "/buy??s3cret"),
        ("user:s3cret@shop", "/buy"),
        ("s3cret@shop:80", "/buy"),
        ("a@s3cret@shop", "/buy"),
        ("user:s3cret@[::1]:80", "/buy"),
    ] {
        let request = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", authority),
            (":path", path),
            ("authorization", "Bearer s3cret"),
            ("cookie", "id=s3cret"),
            ("referer", "http://a/?s3cret"),
        ];
        let got = described(&request, settings(true, 256)).join("\n");
        assert!(!got.contains("s3cret"), "{authority} {path}:\n{got}");
        assert!(got.contains("/buy"), "the path stays:\n{got}");
    }
}

#[test]
fn a_query_is_shown_where_it_is_wanted() {
    let request = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "shop"),
        (":path", "/buy?a=b"),
    ];
    let got = described(&request, settings(false, 256));
    for expected in [
        "url.path=/buy",
        "url.query=a=b",
        "url.full=http://shop/buy?a=b",
        "http.url=http://shop/buy?a=b",
    ] {
        assert!(
            got.contains(&expected.to_owned()),
            "{expected} is not in {got:?}"
        );
    }
    let got = described(&[(":path", "/buy?")], settings(false, 256)).join(" ");
    assert!(!got.contains("url.query"), "an empty query is none: {got}");
}

/// Istio's `maxPathTagLength`.
#[test]
fn a_long_path_is_cut() {
    for (path, most, shown) in [
        ("/123456789", 10, "/123456789"),
        ("/123456789", 9, "/12345678"),
        ("/12345678é", 10, "/12345678"),
        ("/é?é=é", 5, "/é?"),
        ("/\u{fffd}", 2, "/"),
        ("/", 1, "/"),
    ] {
        let request = [(":scheme", "http"), (":authority", "a"), (":path", path)];
        let got = described(&request, settings(false, most));
        let expected = format!("http.url=http://a{shown}");
        assert!(
            got.contains(&expected),
            "{path} {most}: {expected} is not in {got:?}"
        );
    }
}
