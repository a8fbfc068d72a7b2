//! What a key is, and that equal values are equal hashes and no others.

use throughline::{
    join::{
        class,
        key::{Key, Secret},
    },
    propagation::Headers,
};

use crate::shared::Shared;

fn headers(list: &[(&str, &str)]) -> Headers {
    Headers::from_serialized(Headers::serialize(list))
}

fn secret() -> Secret {
    Secret::agree(&mut Shared::default()).unwrap()
}

#[test]
fn all_workers_agree_on_a_secret_and_each_process_has_its_own() {
    let mut shared = Shared::default();
    let first = Secret::agree(&mut shared).unwrap();
    assert_eq!(Secret::agree(&mut shared), Ok(first));
    let mut other = Shared::default();
    let _ = throughline::engine::Randomness::fill(&mut other, &mut [0; 1]);
    assert_ne!(Secret::agree(&mut other), Ok(first));
    assert!(!format!("{first:?}").contains('1'), "it is not shown");
}

#[test]
fn a_keys_value_is_where_it_is_said_to_be() {
    let secret = secret();
    for (key, list, expected, reason) in [
        (
            "x-request-id",
            &[("x-request-id", "a")][..],
            Some("a"),
            "a header",
        ),
        (
            "X-Request-Id",
            &[("x-request-id", "a")],
            Some("a"),
            "in any case",
        ),
        ("x-request-id", &[("x-request", "a")], None, "not there"),
        ("x-request-id", &[("x-request-id", "")], None, "empty"),
        (
            "x-request-id",
            &[("x-request-id", "a"), ("x-request-id", "a")],
            None,
            "twice",
        ),
        ("cookie:sid", &[("cookie", "sid=a")], Some("a"), "a cookie"),
        (
            "cookie:sid",
            &[("cookie", "x=1; sid=a;y=2")],
            Some("a"),
            "among others",
        ),
        (
            "cookie:sid",
            &[("cookie", "x=1"), ("cookie", "sid=a")],
            Some("a"),
            "in its own header, as HTTP/2 may split them",
        ),
        (
            "cookie:sid",
            &[("cookie", "xsid=a; SID=b")],
            None,
            "other cookies",
        ),
        (
            "cookie:sid",
            &[("cookie", "sid=a; sid=b")],
            None,
            "two of them",
        ),
        ("cookie:sid", &[("cookie", "sid")], None, "no value"),
    ] {
        let key = Key::parse(key).unwrap();
        let expected = expected.map(|value: &str| secret.hash(key.name(), value.as_bytes()));
        assert_eq!(key.hash(&secret, &headers(list)), expected, "{reason}");
    }
    for bad in ["", "cookie:", "a b", "cookie:a;b", "ä", "a\n"] {
        assert_eq!(Key::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn values_are_told_apart_by_their_keys_too() {
    let secret = secret();
    let hash = |name, value: &str| secret.hash(name, value.as_bytes());
    assert_ne!(hash("a", "b"), hash("a", "c"));
    assert_ne!(hash("a", "b"), hash("b", "b"));
    assert_ne!(hash("ab", "c"), hash("a", "bc"));
    // Envoy writes why it traces into character 14 of a UUID.
    let [zero, nine, other] = [
        "d4b2a7a4-5f0e-4b6c-9d0e-1f2a3b4c5d6e",
        "d4b2a7a4-5f0e-9b6c-9d0e-1f2a3b4c5d6e",
        "d4b2a7a4-5f0e-4b6c-9d0e-1f2a3b4c5d6f",
    ];
    assert_eq!(hash("x-request-id", zero), hash("x-request-id", nine));
    assert_ne!(hash("x-request-id", zero), hash("x-request-id", other));
    assert_ne!(hash("authorization", zero), hash("authorization", nine));
    let short = "0123456789abcdefghi";
    assert_ne!(
        hash("x-request-id", short),
        hash("x-request-id", "0123456789abcdXfghi"),
        "no UUID"
    );
}

#[test]
fn routes_are_methods_and_paths_without_what_varies() {
    for (one, other, is_same) in [
        ("/orders/17", "/orders/18?x=1", true),
        ("/orders/17", "/order/17", false),
        ("/orders", "/orders/", true),
        ("/orders/17/items", "/orders/17", false),
        (
            "/u/d4b2a7a4-5f0e-4b6c-9d0e-1f2a3b4c5d6e",
            "/u/d4b2a7a45f0e4b6c",
            true,
        ),
        ("/v1/users", "/v2/users", false),
        ("/products/red-shoes", "/products/blue-hats", false),
    ] {
        let route = |path: &str| class::route(b"GET", path.as_bytes());
        assert_eq!(route(one) == route(other), is_same, "{one} {other}");
    }
    assert_ne!(class::route(b"GET", b"/"), class::route(b"POST", b"/"));
    for (one, other, is_same) in [
        (("reviews:80", "/a/1"), ("Reviews", "/a/2"), true),
        (("reviews:9080", "/a"), ("reviews", "/a"), false),
        (("reviews", "/a"), ("reviews", "/b"), false),
        (("reviews", "/17"), ("reviews", "/18"), true),
    ] {
        let callee = |(host, path): (&str, &str)| class::callee(host.as_bytes(), path.as_bytes());
        assert_eq!(callee(one) == callee(other), is_same, "{one:?} {other:?}");
    }
}
