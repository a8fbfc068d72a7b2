//! `export`: by which protocol spans leave, and where to.

use throughline::{
    config::Settings,
    export::{Destination, ExportSettings, Limits, Protocol},
};

use crate::{refused, said, taken};

/// What `export` says.
fn export(section: &str) -> ExportSettings {
    let Settings { export, .. } = taken(&format!(r#"{{"export": {section}}}"#), &[]);
    export.unwrap_or_else(|| panic!("nothing is exported: {section}"))
}

fn service(host: &str, port: u16) -> Destination {
    Destination::Service {
        host: host.to_owned(),
        port,
    }
}

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"export": {}}"#,
            "export: needs a destination: service (such as tempo.monitoring.svc.cluster.local) with port, or cluster (a cluster of Envoy's)",
        ),
        (
            r#"{"export": {"protocol": "zipkin"}}"#,
            "export: needs a destination",
        ),
        (
            r#"{"export": true}"#,
            "export: expected an object with protocol, service, cluster, port, path, headers, timeout, batch, maxInFlight, got true",
        ),
        (
            r#"{"export": {"protcol": "zipkin"}}"#,
            "export.protcol: unknown field, did you mean protocol?",
        ),
        (
            r#"{"export": {"max_in_flight": 1}}"#,
            "export.max_in_flight: unknown field, did you mean maxInFlight?",
        ),
        (
            r#"{"export": {"endpoint": "x"}}"#,
            "export.endpoint: unknown field; known here: protocol, service, cluster, port",
        ),
        (
            r#"{"export": {"cluster": "c", "protocol": "grpc"}}"#,
            r#"export.protocol: expected one of otlp-http, otlp-grpc, otlp-http-json, zipkin, got "grpc""#,
        ),
        (
            r#"{"export": {"cluster": "c", "protocol": "otlp_grpc"}}"#,
            r#"got "otlp_grpc"; did you mean otlp-grpc?"#,
        ),
        (
            r#"{"export": {"cluster": "c", "protocol": "Zipkin"}}"#,
            "did you mean zipkin?",
        ),
        (
            r#"{"export": {"cluster": "c", "protocol": 4317}}"#,
            "export.protocol: expected a string, got 4317; put it in quotes",
        ),
        (
            r#"{"export": {"cluster": "c", "service": "s"}}"#,
            "export.cluster: service is given too; keep one of them",
        ),
        (
            r#"{"export": {"cluster": "c", "port": 4317}}"#,
            "export.port: goes with service; a cluster of Envoy's has its port already",
        ),
        (
            r#"{"export": {"port": 4317}}"#,
            "export.port: needs service beside it",
        ),
        (
            r#"{"export": {"cluster": ""}}"#,
            "export.cluster: expected a name of 1 to 256 bytes, got another text",
        ),
        (
            r#"{"export": {"cluster": "a\u0000b"}}"#,
            "export.cluster: expected a name",
        ),
        (
            r#"{"export": {"cluster": 1}}"#,
            "export.cluster: expected a string, got 1; put it in quotes",
        ),
        (
            r#"{"export": {"service": ""}}"#,
            "export.service: expected a name of 1 to 256 bytes",
        ),
        (
            r#"{"export": {"service": "http://tempo:4317"}}"#,
            "export.service: expected a name, not a URL: leave off http:// or https://",
        ),
        (
            r#"{"export": {"service": "tempo:4317"}}"#,
            "the port has a field of its own",
        ),
        (
            r#"{"export": {"service": "outbound|4317||tempo"}}"#,
            "export.service: expected a host",
        ),
        (
            r#"{"export": {"service": "tempo monitoring"}}"#,
            "export.service: expected a host",
        ),
        (
            r#"{"export": {"service": "s", "port": 0}}"#,
            "export.port: expected an integer from 1 to 65535, got 0",
        ),
        (
            r#"{"export": {"service": "s", "port": 65536}}"#,
            "export.port: expected an integer from 1 to 65535, got 65536",
        ),
        (
            r#"{"export": {"service": "s", "port": 4317.5}}"#,
            "export.port: expected an integer from 1 to 65535, got 4317.5",
        ),
        (
            r#"{"export": {"service": "s", "port": "4317"}}"#,
            r#"export.port: expected an integer from 1 to 65535, got "4317""#,
        ),
        (
            r#"{"export": {"service": "s", "port": -1}}"#,
            "export.port: expected an integer from 1 to 65535, got -1",
        ),
        (
            r#"{"export": {"cluster": "c", "path": "v1/traces"}}"#,
            "export.path: expected a path such as /v1/traces, which begins with /",
        ),
        (
            r#"{"export": {"cluster": "c", "path": ""}}"#,
            "export.path: expected a path",
        ),
        (
            r#"{"export": {"cluster": "c", "path": "/a b"}}"#,
            "export.path: expected a path such as /v1/traces, which begins with / and has no spaces, got another text",
        ),
        (
            r#"{"export": {"cluster": "c", "path": "/a\r\nb: c"}}"#,
            "export.path: expected a path",
        ),
        (
            r#"{"export": {"cluster": "c", "protocol": "otlp-grpc", "path": "/v1/traces"}}"#,
            "export.path: otlp-grpc has no path",
        ),
    ]);
    let long = format!(r#"{{"export": {{"cluster": "{}"}}}}"#, "c".repeat(257));
    refused(&[(&long, "export.cluster: expected a name of 1 to 256 bytes")]);
}

#[test]
fn a_cluster_alone_is_enough() {
    let expected = ExportSettings {
        protocol: Protocol::OtlpHttp,
        destination: Destination::Cluster("c".to_owned()),
        path: "/v1/traces".to_owned(),
        headers: Vec::new(),
        timeout: 10_000,
        limits: Limits {
            max_queue_size: 2048,
            max_queue_bytes: 4 * 1024 * 1024,
            max_export_batch_size: 512,
            schedule_delay: 2_000_000_000,
            max_in_flight: 4,
        },
    };
    assert_eq!(export(r#"{"cluster": "c"}"#), expected);
}

#[test]
fn each_protocol_has_its_port_and_path() {
    const GRPC: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    for (name, protocol, port, path, content_type) in [
        (
            "otlp-http",
            Protocol::OtlpHttp,
            4318,
            "/v1/traces",
            "application/x-protobuf",
        ),
        (
            "otlp-grpc",
            Protocol::OtlpGrpc,
            4317,
            GRPC,
            "application/grpc",
        ),
        (
            "otlp-http-json",
            Protocol::OtlpHttpJson,
            4318,
            "/v1/traces",
            "application/json",
        ),
        (
            "zipkin",
            Protocol::Zipkin,
            9411,
            "/api/v2/spans",
            "application/json",
        ),
    ] {
        let got = export(&format!(r#"{{"protocol": "{name}", "service": "tempo"}}"#));
        assert_eq!(got.protocol, protocol);
        assert_eq!(got.destination, service("tempo", port), "{name}");
        assert_eq!(got.path, path, "{name}");
        assert_eq!(protocol.content_type(), content_type);
    }
    let own =
        export(r#"{"protocol": "zipkin", "service": "tempo", "port": 80.0, "path": "/z/?a"}"#);
    assert_eq!(own.destination, service("tempo", 80), "1.0 is 1");
    assert_eq!(own.path, "/z/?a");
}

#[test]
fn a_service_is_the_cluster_that_istio_makes_of_it() {
    for (host, cluster, authority) in [
        (
            "tempo.monitoring.svc.cluster.local",
            "outbound|4318||tempo.monitoring.svc.cluster.local",
            "tempo.monitoring.svc.cluster.local:4318",
        ),
        (
            "Tempo.monitoring.svc",
            "outbound|4318||tempo.monitoring.svc.cluster.local",
            "tempo.monitoring.svc.cluster.local:4318",
        ),
        (
            "otel.example.com",
            "outbound|4318||otel.example.com",
            "otel.example.com:4318",
        ),
    ] {
        let got = export(&format!(r#"{{"service": "{host}"}}"#)).destination;
        assert_eq!(
            (got.cluster(), got.authority()),
            (cluster.into(), authority.into())
        );
    }
    let got = export(r#"{"cluster": "outbound|4317||a_b-c.d/é"}"#).destination;
    assert_eq!(
        got.cluster(),
        "outbound|4317||a_b-c.d/é",
        "as Envoy names it"
    );
    assert_eq!(
        got.authority(),
        "outbound_4317__a_b-c.d__",
        "what a host may be called"
    );
}

#[test]
fn the_start_up_line_says_where_spans_go() {
    said(&[
        (
            r#"{"export": {"service": "tempo.monitoring.svc", "protocol": "otlp-grpc"}}"#,
            &[],
            " export=otlp-grpc to outbound|4317||tempo.monitoring.svc.cluster.local",
            "the cluster that is asked for",
        ),
        (
            r#"{"export": {"cluster": "zipkin", "protocol": "zipkin"}}"#,
            &[],
            " export=zipkin to zipkin",
            "a cluster of Envoy's",
        ),
    ]);
}

/// `refused` fails where one is shown.
#[test]
fn no_password_is_shown() {
    for (config, expected) in [
        (
            r#"{"export": {"cluster": "https://user:_@tempo:4318"}}"#,
            "export.cluster: expected a name, not a URL",
        ),
        (
            r#"{"export": {"service": "https://_@tempo:4318"}}"#,
            "export.service: expected a name, not a URL",
        ),
        (
            r#"{"export": {"service": "user:_@tempo"}}"#,
            "export.service: expected a host such as tempo",
        ),
        (
            r#"{"export": {"cluster": "c", "path": "https://user:_@tempo/v1/traces"}}"#,
            "export.path: expected a path such as /v1/traces",
        ),
        (
            r#"{"export": {"cluster": "c", "headers": "authorization=Bearer _"}}"#,
            "export.headers: expected an object",
        ),
        (
            r#"{"export": "authorization: Bearer _"}"#,
            "export: expected an object",
        ),
    ] {
        refused(&[(&config.replace('_', crate::SECRET), expected)]);
    }
}
