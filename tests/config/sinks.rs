//! `tags.to`.

use crate::{Variables, refusal, refused, start_line, taken};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"tags": {"to": "accessLog"}}"#,
            r#"tags.to: expected a list, got "accessLog""#,
        ),
        (
            r#"{"tags": {"to": ["filterState"]}}"#,
            r#"tags.to[0]: expected one of span, accessLog, nativeSpan, baggage, header:<name>, got "filterState""#,
        ),
        (
            r#"{"tags": {"to": ["header:"]}}"#,
            "tags.to[0]: expected a header name",
        ),
        (
            r#"{"tags": {"to": ["header:traceparent"]}}"#,
            "tags.to[0]: traceparent is not for tags",
        ),
        (
            r#"{"tags": {"to": ["header:X-B3-TraceId"]}}"#,
            "tags.to[0]: x-b3-traceid is not for tags",
        ),
        (
            r#"{"tags": {"to": ["accessLog", "header:X-a", "header:x-A"]}}"#,
            "tags.to[2]: header:x-A is there twice",
        ),
        (
            r#"{"tags": {"to": ["header:a", "header:b", "header:c", "header:d", "header:e", "header:f", "header:g", "header:h", "header:i"]}}"#,
            "tags.to: expected at most 8 sinks, got 9",
        ),
        (
            r#"{"customTags": {"traceparent": {"literal": {"value": "x"}}}, "tags": {"to": ["header:{tag}"]}}"#,
            "customTags.traceparent: the request header traceparent is not for tags; rename the tag",
        ),
        (
            r#"{"customTags": {"x.b3.traceid": {"literal": {"value": "x"}}}, "tags": {"to": ["header:{tag}"]}}"#,
            "the request header x-b3-traceid is not for tags",
        ),
        (
            r#"{"customTags": {"Content-Length": {"literal": {"value": "x"}}}, "tags": {"to": ["header:{tag}"]}}"#,
            "the request header content-length is not for tags",
        ),
        (
            r#"{"customTags": {"a.b": {"literal": {"value": "x"}}, "a-b": {"literal": {"value": "y"}}}, "tags": {"to": ["header:x-{tag}"]}}"#,
            "would overwrite a.b in the request header x-a-b; rename one",
        ),
        (
            r#"{"tags": {"to": ["header:expect"]}}"#,
            "tags.to[0]: expect is not for tags",
        ),
        (
            r#"{"tags": {"to": ["header:host"]}}"#,
            "tags.to[0]: host is not for tags",
        ),
        (
            r#"{"customTags": {"a": {"literal": {"value": "x"}}, "b": {"literal": {"value": "y"}}}, "tags": {"to": ["header:x-tag"]}}"#,
            "tags.to[0]: one header cannot carry several tags; write header:x-tag-{tag} for a header each",
        ),
        (
            r#"{"customTags": {"a/b": {"literal": {"value": "x"}}}, "tags": {"to": ["baggage"]}}"#,
            r#"customTags["a/b"]: the name is no baggage key"#,
        ),
        (
            r#"{"tags": {"to": ["header:sw8"]}}"#,
            "tags.to[0]: sw8 is not for tags",
        ),
        (
            r#"{"tags": {"to": ["header:Sentry-Trace"]}}"#,
            "tags.to[0]: sentry-trace is not for tags",
        ),
        (
            r#"{"tags": {"to": ["header:ot-tracer-{tag}"]}}"#,
            "tags.to[0]: ot-tracer-tag is not for tags",
        ),
        (
            r#"{"customTags": {"request-id": {"literal": {"value": "x"}}}, "tags": {"to": ["header:{tag}"]}}"#,
            "customTags.request-id: the request header request-id is not for tags; rename the tag",
        ),
        (
            r#"{"tags": {"to": ["accesslog"]}}"#,
            "did you mean accessLog?",
        ),
        (
            r#"{"tags": {"to": ["Span"]}}"#,
            r#"tags.to[0]: expected one of span, accessLog, nativeSpan, baggage, header:<name>, got "Span"; did you mean span?"#,
        ),
        (r#"{"tags": {"to": ["spans"]}}"#, "did you mean span?"),
        (
            r#"{"tags": {"to": ["span", "span"]}}"#,
            "tags.to[1]: span is there twice",
        ),
    ]);
}

/// Every name that spans have of their own, from the tables in docs/spans.md.
const OWN: [&str; 49] = [
    "client.address",
    "client.port",
    "component",
    "error",
    "error.type",
    "grpc.status_code",
    "guid:x-request-id",
    "http.method",
    "http.protocol",
    "http.request.method",
    "http.request.method_original",
    "http.request.resend_count",
    "http.response.status_code",
    "http.status_code",
    "http.url",
    "istio.canonical_revision",
    "istio.canonical_service",
    "istio.cluster_id",
    "istio.mesh_id",
    "istio.namespace",
    "network.peer.address",
    "network.peer.port",
    "network.protocol.version",
    "node_id",
    "otel.status_code",
    "peer.address",
    "peer.service",
    "request_size",
    "response_code_details",
    "response_flags",
    "response_size",
    "rpc.grpc.status_code",
    "rpc.method",
    "rpc.response.status_code",
    "rpc.service",
    "rpc.system",
    "rpc.system.name",
    "server.address",
    "server.port",
    "upstream_address",
    "upstream_cluster",
    "upstream_cluster.name",
    "url.full",
    "url.path",
    "url.query",
    "url.scheme",
    "user_agent",
    "user_agent.original",
    "w3c.tracestate",
];

#[test]
fn a_tag_may_not_be_on_a_span_twice() {
    const ENDPOINT: Variables<'_> = &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://tempo:4318")];
    for name in OWN {
        let config = |rest: &str| {
            let tag = format!(r#""{name}": {{"literal": {{"value": "x"}}}}"#);
            format!(
                r#"{{"customTags": {{"stage": {{"literal": {{"value": "x"}}}}, {tag}}}{rest}}}"#
            )
        };
        let path = if name.contains(['.', ':']) {
            format!("customTags[\"{name}\"]")
        } else {
            format!("customTags.{name}")
        };
        let expected = format!(
            "{path}: every span has an attribute of that name already; rename the tag, or take span out of tags.to"
        );
        for (rest, variables) in [
            (r#", "export": {"cluster": "c"}"#, [].as_slice()),
            (
                r#", "export": {"cluster": "c"}, "tags": {"to": ["header:my-{tag}", "span"]}"#,
                &[],
            ),
            ("", ENDPOINT),
        ] {
            assert_eq!(refusal(&config(rest), variables), expected);
        }
        for rest in [
            "",
            r#", "tags": {"to": ["span"]}"#,
            r#", "export": {"cluster": "c"}, "tags": {"to": ["accessLog"]}"#,
        ] {
            taken(&config(rest), &[]);
        }
    }
}

#[test]
fn tags_go_to_spans_and_access_logs_by_default() {
    const TAG: &str = r#""customTags": {"stage": {"literal": {"value": "x"}}}"#;
    for (rest, expected, why) in [
        ("", "tags=stage to=filterState", "without spans"),
        (
            r#", "export": {"cluster": "c"}"#,
            "tags=stage to=span,filterState",
            "with spans",
        ),
        (
            r#", "export": {"cluster": "c"}, "tags": {"to": ["span"]}"#,
            "tags=stage to=span export",
            "only to spans",
        ),
        (
            r#", "tags": {"to": ["span"]}"#,
            "tags=stage to=none export=none",
            "only to spans, of which there are none",
        ),
        (
            r#", "export": {"cluster": "c"}, "tags": {"to": ["baggage", "accessLog", "header:X-Stage"]}"#,
            "tags=stage to=x-stage,filterState,baggage export",
            "not to spans",
        ),
    ] {
        let line = start_line(&format!("{{{TAG}{rest}}}"), &[]);
        assert!(line.contains(expected), "{why}: {line}");
    }
}
