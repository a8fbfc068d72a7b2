//! Custom tags: from each source to each sink.

mod support;

use support::{FakeHost, Outcome, configure, configure_with, run};

/// The process-wide facts that a host knows.
fn host() -> FakeHost {
    let mut host = FakeHost::default();
    for (path, value) in [
        ("xds.node.metadata.NAME", b"productpage-v1-x".as_slice()),
        ("xds.node.metadata.LABELS.app", b"productpage"),
        ("xds.node.metadata.LABELS.app.kubernetes.io/name", b"page"),
        ("xds.node.metadata.LABELS", b"\x0a\x03app"),
        ("xds.node.id", b"sidecar~10.0.0.1~a.b~b.svc"),
        (
            "xds.cluster_name",
            b"outbound|9080||reviews.default.svc.cluster.local",
        ),
        ("xds.route_name", b""),
        ("source.port", &4711_i64.to_le_bytes()),
        ("request.time", b"short"),
    ] {
        host.properties.insert(path.into(), value.to_vec());
    }
    host
}

fn through(config: &str, request: &[(&str, &[u8])]) -> Outcome {
    let mut host = host();
    let environment = |name: &str| (name == "ENVIRONMENT").then(|| "prod".to_owned());
    let filter = configure_with(&mut host, config, &environment).expect("a good configuration");
    host.set_request(request);
    run(&filter, &mut host)
}

/// `customTags` with one tag `t` from this source, to these sinks.
fn tag(source: &str, sinks: &str) -> String {
    format!(r#"{{"customTags": {{"t": {source}}}, "tags": {{"to": [{sinks}]}}}}"#)
}

#[test]
fn every_source_reaches_the_access_log() {
    let long = "é".repeat(1000);
    for (source, request, expected, why) in [
        (
            r#"{"literal": {"value": "istio-service"}}"#,
            vec![],
            Some("istio-service"),
            "literal",
        ),
        (
            r#"{"environment": {"name": "ENVIRONMENT"}}"#,
            vec![],
            Some("prod"),
            "environment",
        ),
        (
            r#"{"environment": {"name": "NONE", "defaultValue": "dev"}}"#,
            vec![],
            Some("dev"),
            "its default",
        ),
        (
            r#"{"environment": {"name": "NONE"}}"#,
            vec![],
            None,
            "absent without one",
        ),
        (
            r#"{"header": {"name": "X-Tenant"}}"#,
            vec![("x-tenant", b"acme".as_slice())],
            Some("acme"),
            "a header, in any case",
        ),
        (
            r#"{"header": {"name": "x-tenant", "defaultValue": "none"}}"#,
            vec![],
            Some("none"),
            "its default",
        ),
        (
            r#"{"header": {"name": "x-tenant", "default_value": "none"}}"#,
            vec![],
            Some("none"),
            "MeshConfig's spelling",
        ),
        (
            r#"{"header": {"name": "x-tenant"}}"#,
            vec![("x-tenant", b"a"), ("x-tenant", b"b")],
            Some("a"),
            "the first of several",
        ),
        (
            r#"{"header": {"name": "x-tenant"}}"#,
            vec![("x-tenant", b"a\xff")],
            Some("a\u{fffd}"),
            "not UTF-8",
        ),
        (
            r#"{"header": {"name": "x-tenant"}}"#,
            vec![("x-tenant", b"")],
            None,
            "empty is none, as to Envoy",
        ),
        (
            r#"{"header": {"name": "x-tenant", "defaultValue": "none"}}"#,
            vec![("x-tenant", b"")],
            Some("none"),
            "and leaves it to the default",
        ),
        (
            r#"{"attribute": {"path": "xds.route_name"}}"#,
            vec![],
            None,
            "a route without a name",
        ),
        (
            r#"{"attribute": {"path": "xds.route_name", "defaultValue": "dflt"}}"#,
            vec![],
            Some("dflt"),
            "its default",
        ),
        (
            r#"{"literal": {"value": ""}}"#,
            vec![],
            None,
            "an empty text",
        ),
        (
            r#"{"header": {"name": "x-tenant", "defaultValue": ""}}"#,
            vec![],
            None,
            "an empty default",
        ),
        (
            r#"{"header": {"name": "x-tenant"}}"#,
            vec![("x-tenant", long.as_bytes())],
            Some(&long[..256]),
            "cut at a character",
        ),
        (r#"{"header": {"name": ":path"}}"#, vec![], None, "refused"),
        (
            r#"{"node": {"path": "NAME"}}"#,
            vec![],
            Some("productpage-v1-x"),
            "node metadata",
        ),
        (
            r#"{"node": {"path": "LABELS.app"}}"#,
            vec![],
            Some("productpage"),
            "a label",
        ),
        (
            r#"{"node": {"path": "LABELS.app.kubernetes.io/name"}}"#,
            vec![],
            Some("page"),
            "a label with dots",
        ),
        (
            r#"{"node": {"path": "LABELS"}}"#,
            vec![],
            None,
            "a map is no text",
        ),
        (
            r#"{"node": {"path": "NONE", "defaultValue": "x"}}"#,
            vec![],
            Some("x"),
            "its default",
        ),
        (
            r#"{"attribute": {"path": "xds.cluster_name"}}"#,
            vec![],
            Some("outbound|9080||reviews.default.svc.cluster.local"),
            "an attribute",
        ),
        (
            r#"{"attribute": {"path": "source.port"}}"#,
            vec![],
            Some("4711"),
            "an integer by its natural type",
        ),
        (
            r#"{"attribute": {"path": "source.port", "type": "int"}}"#,
            vec![],
            Some("4711"),
            "or the type given",
        ),
        (
            r#"{"attribute": {"path": "request.time", "defaultValue": "?"}}"#,
            vec![],
            Some("?"),
            "bytes of another type",
        ),
        (
            r#"{"attribute": {"path": "connection.mtls"}}"#,
            vec![],
            None,
            "an attribute that this request has not",
        ),
    ] {
        if why == "refused" {
            let error = configure(&mut host(), &tag(source, r#""accessLog""#)).unwrap_err();
            assert!(error.contains("expected a header name"), "{error}");
            continue;
        }
        let outcome = through(&tag(source, r#""accessLog""#), &request);
        let got = outcome.filter_state.get("throughline.tag.t");
        assert_eq!(
            got.map(|value| std::str::from_utf8(value).unwrap()),
            expected,
            "{why}"
        );
    }
}

#[test]
fn what_cannot_change_is_asked_once() {
    for (source, properties, why) in [
        (r#"{"node": {"path": "NAME"}}"#, 0, "node metadata"),
        (
            r#"{"attribute": {"path": "xds.node.id"}}"#,
            0,
            "the node itself",
        ),
        (
            r#"{"environment": {"name": "ENVIRONMENT"}}"#,
            0,
            "the environment",
        ),
        (
            r#"{"attribute": {"path": "xds.cluster_name"}}"#,
            1,
            "the upstream differs by request",
        ),
    ] {
        let calls = through(&tag(source, r#""accessLog""#), &[]).calls;
        // The direction of a sidecar's listener is asked for each time.
        assert_eq!(calls["property"], 1 + properties, "{why}");
        assert_eq!(
            calls["set_filter_state"], 4,
            "{why}: three of the context and one tag"
        );
    }
}

#[test]
fn a_request_header_carries_the_tag_and_nothing_else() {
    const LITERAL: &str = r#"{"literal": {"value": "v"}}"#;
    const HEADER: &str = r#"{"header": {"name": "x-tenant"}}"#;
    for (source, request, expected, why) in [
        (LITERAL, vec![], Some("v"), "added"),
        (
            LITERAL,
            vec![("x-tag", b"forged".as_slice())],
            Some("v"),
            "replaced",
        ),
        (
            LITERAL,
            vec![("x-tag", b"v"), ("x-tag", b"forged")],
            Some("v"),
            "one value leaves",
        ),
        (
            HEADER,
            vec![("x-tag", b"forged")],
            None,
            "removed where the tag has no value",
        ),
        (
            HEADER,
            vec![("x-tenant", b"acme"), ("x-tag", b"forged")],
            Some("acme"),
            "from the request",
        ),
        (
            r#"{"attribute": {"path": "xds.route_name"}}"#,
            vec![("x-tag", b"forged")],
            None,
            "removed where the value is empty",
        ),
    ] {
        let outcome = through(&tag(source, r#""header:X-Tag""#), &request);
        assert_eq!(outcome.one("x-tag"), expected, "{why}");
        assert!(
            !outcome.filter_state.contains_key("throughline.tag.t"),
            "{why}: no other sink"
        );
    }
    // Four trace headers for the new trace, and no write for a tag that is there already.
    assert_eq!(
        through(&tag(LITERAL, r#""header:x-tag""#), &[("x-tag", b"v")]).writes,
        4
    );
}

#[test]
fn several_tags_have_a_header_each() {
    let config = r#"{
        "customTags": {"service.name": {"literal": {"value": "a"}}, "Tenant": {"literal": {"value": "b"}}},
        "tags": {"to": ["header:x-tag-{tag}", "accessLog"]}
    }"#;
    let outcome = through(config, &[]);
    assert_eq!(outcome.one("x-tag-service-name"), Some("a"));
    assert_eq!(outcome.one("x-tag-tenant"), Some("b"));
    assert_eq!(outcome.filter_state["throughline.tag.service_name"], b"a");
    assert_eq!(outcome.filter_state["throughline.tag.Tenant"], b"b");
}

#[test]
fn baggage_is_untouched_unless_a_tag_travels_in_it() {
    const MESSY: &[u8] = b" a=1 ;p=\"x\" ,, b=%20\xff ";
    let request: &[(&str, &[u8])] = &[("baggage", MESSY), ("baggage", b"c=3")];
    let untouched = through(
        &tag(r#"{"literal": {"value": "v"}}"#, r#""accessLog""#),
        request,
    );
    assert_eq!(untouched.all("baggage"), [MESSY, b"c=3"]);
    let config = tag(r#"{"header": {"name": "x-tenant"}}"#, r#""baggage""#);
    assert_eq!(
        through(&config, request).all("baggage"),
        [MESSY, b"c=3"],
        "no value, no member"
    );
    let request: &[(&str, &[u8])] = &[
        ("baggage", b"a=1"),
        ("baggage", b"t=forged"),
        ("x-tenant", b"x y"),
    ];
    assert_eq!(
        through(&config, request).one("baggage"),
        Some("a=1,t=x%20y")
    );
}
