//! OTEL_EXPORTER_OTLP_ENDPOINT and _PROTOCOL (OpenTelemetry, protocol/exporter.md): they turn export on by themselves.

use throughline::export::{Destination, ExportSettings, Protocol};

use crate::{SECRET, Variables, refusal, refused_with, taken};

const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";

const GRPC: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

fn export(config: &str, variables: Variables<'_>) -> ExportSettings {
    taken(config, variables)
        .export
        .unwrap_or_else(|| panic!("nothing is exported: {config} {variables:?}"))
}

#[test]
fn an_endpoint_turns_export_on() {
    for (variables, cluster, path, why) in [
        (
            [(ALL, "http://tempo.monitoring.svc:4318")].as_slice(),
            "outbound|4318||tempo.monitoring.svc.cluster.local",
            "/v1/traces",
            "the base of a URL",
        ),
        (
            &[(ALL, "http://tempo:4318/")],
            "outbound|4318||tempo",
            "/v1/traces",
            "with a slash",
        ),
        (
            &[(ALL, "http://tempo:4318/base")],
            "outbound|4318||tempo",
            "/base/v1/traces",
            "with a path",
        ),
        (
            &[(ALL, "http://tempo")],
            "outbound|4318||tempo",
            "/v1/traces",
            "the protocol's port",
        ),
        (
            &[(TRACES, "http://tempo:4318/v1/traces")],
            "outbound|4318||tempo",
            "/v1/traces",
            "the whole URL",
        ),
        (
            &[(TRACES, "http://tempo:4318")],
            "outbound|4318||tempo",
            "/",
            "as it is",
        ),
        (
            &[(TRACES, "http://a:1"), (ALL, "http://b:2")],
            "outbound|1||a",
            "/",
            "the one for traces counts before the one for all",
        ),
        (
            &[(ALL, "http://tempo:4317"), (PROTOCOL, "grpc")],
            "outbound|4317||tempo",
            GRPC,
            "gRPC has its own path",
        ),
        (
            &[(ALL, "tempo:4317"), (PROTOCOL, "grpc")],
            "outbound|4317||tempo",
            GRPC,
            "and needs no scheme",
        ),
        (
            &[(ALL, " tempo "), (PROTOCOL, "grpc")],
            "outbound|4317||tempo",
            GRPC,
            "nor a port",
        ),
    ] {
        let got = export("{}", variables);
        assert_eq!(
            (got.destination.cluster().as_str(), got.path.as_str()),
            (cluster, path),
            "{variables:?}: {why}"
        );
    }
    for variables in [
        [(ALL, "")].as_slice(),
        &[(TRACES, "  ")],
        &[(PROTOCOL, "grpc")],
    ] {
        assert_eq!(taken("{}", variables).export, None, "{variables:?}");
    }
}

#[test]
fn what_is_configured_counts_before_the_endpoint() {
    let endpoint = [(ALL, "http://tempo:4318/base")];
    let got = export(r#"{"export": {"cluster": "c"}}"#, &endpoint);
    assert_eq!(
        (got.destination, got.path.as_str()),
        (Destination::Cluster("c".to_owned()), "/v1/traces"),
        "another destination has another path"
    );
    let got = export(r#"{"export": {"path": "/mine"}}"#, &endpoint);
    assert_eq!(
        (got.destination.cluster().as_str(), got.path.as_str()),
        ("outbound|4318||tempo", "/mine")
    );
    let got = export(
        r#"{"export": {"protocol": "zipkin"}}"#,
        &[(ALL, "http://zipkin:9411")],
    );
    assert_eq!(
        (got.destination.cluster().as_str(), got.path.as_str()),
        ("outbound|9411||zipkin", "/api/v2/spans")
    );
}

#[test]
fn the_protocol_has_opentelemetrys_words() {
    for (word, protocol) in [
        ("grpc", Protocol::OtlpGrpc),
        ("http/protobuf", Protocol::OtlpHttp),
        ("http/json", Protocol::OtlpHttpJson),
        ("", Protocol::OtlpHttp),
    ] {
        let got = |name| export("{}", &[(ALL, "http://tempo:1"), (name, word)]).protocol;
        assert_eq!(
            (got(PROTOCOL), got(TRACES_PROTOCOL)),
            (protocol, protocol),
            "{word:?}"
        );
    }
    let both = [
        (ALL, "http://tempo:1"),
        (PROTOCOL, "grpc"),
        (TRACES_PROTOCOL, "http/json"),
    ];
    assert_eq!(export("{}", &both).protocol, Protocol::OtlpHttpJson);
    let configured = r#"{"export": {"protocol": "otlp-http"}}"#;
    assert_eq!(export(configured, &both).protocol, Protocol::OtlpHttp);
    for name in [PROTOCOL, TRACES_PROTOCOL] {
        let expected =
            format!(r#"{name}: expected one of http/protobuf, grpc, http/json, got "otlp-grpc""#);
        refused_with(&[(
            "{}",
            &[(ALL, "http://tempo:1"), (name, "otlp-grpc")],
            &expected,
        )]);
    }
}

#[test]
fn what_is_no_endpoint_is_refused() {
    for name in [ALL, TRACES] {
        for value in [
            "http://",
            "http:///v1/traces",
            "ftp://tempo:4318",
            "unix:///tmp/otlp.sock",
            "http://tempo:0",
            "http://tempo:65536",
            "http://tempo:",
            "http://tempo:http",
            "http://te mpo:4318",
            "http://tempo|x:4318",
            "http://[::1]:4318",
            ":4318",
            "/v1/traces",
        ] {
            let expected = format!("{name}: expected http://host:port");
            refused_with(&[("{}", &[(name, value)], &expected)]);
        }
        let long = format!("http://{}:1", "h".repeat(300));
        refused_with(&[("{}", &[(name, &long)], ": expected http://host:port")]);
    }
}

/// The filter speaks no TLS: taken for http, what was meant to be secret would leave in clear.
#[test]
fn https_is_refused_with_the_way_round() {
    for name in [ALL, TRACES] {
        let expected = format!("{name}: https is for Envoy's cluster to speak; write http://");
        refused_with(&[("{}", &[(name, "https://tempo:4318")], &expected)]);
    }
}

/// What would break a request's `:path`.
#[test]
fn what_is_no_path_is_refused() {
    for value in [
        "http://tempo:4318/a b",
        "http://tempo:4318/a\r\nb",
        "http://tempo:4318/é",
    ] {
        for name in [ALL, TRACES] {
            let got = refusal("{}", &[(name, value)]);
            assert!(got.starts_with(&format!("{name}: ")), "{got}");
        }
    }
}

/// `refusal` looks for it in the message.
#[test]
fn no_password_is_shown() {
    for value in [
        format!("http://user:{SECRET}@tempo:4318"),
        format!("http://{SECRET}@tempo:4318/v1/traces"),
        format!("user:{SECRET}@tempo"),
    ] {
        for name in [ALL, TRACES] {
            let got = refusal("{}", &[(name, &value)]);
            assert!(got.starts_with(&format!("{name}: ")), "{got}");
        }
    }
}
