//! `propagation`, and OTEL_PROPAGATORS.

use crate::{refused, refused_with, said};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"propagation": []}"#,
            "propagation: expected an object with extract, inject, staleHeaders, randomFlag, baggage, got a list",
        ),
        (
            r#"{"propagation": {"extract": "b3"}}"#,
            r#"propagation.extract: expected a list, got "b3"; write ["b3"]"#,
        ),
        (
            r#"{"propagation": {"extract": []}}"#,
            "propagation.extract: expected at least one of tracecontext, b3, b3multi, jaeger, xray, datadog, gcp",
        ),
        (
            r#"{"propagation": {"inject": ["b3", "w3c"]}}"#,
            r#"propagation.inject[1]: expected one of tracecontext, b3, b3multi, jaeger, xray, datadog, gcp, got "w3c""#,
        ),
        (
            r#"{"propagation": {"inject": ["b3-multi"]}}"#,
            "did you mean b3multi?",
        ),
        (
            r#"{"propagation": {"inject": ["TraceContext"]}}"#,
            "did you mean tracecontext?",
        ),
        (
            r#"{"propagation": {"inject": ["ottrace"]}}"#,
            r#"propagation.inject[0]: expected one of tracecontext, b3, b3multi, jaeger, xray, datadog, gcp, got "ottrace""#,
        ),
        (
            r#"{"propagation": {"extract": ["b3", "b3"]}}"#,
            "propagation.extract[1]: b3 is there twice",
        ),
        (
            r#"{"propagation": {"extract": [1]}}"#,
            "propagation.extract[0]: expected a string, got 1; put it in quotes",
        ),
        (
            r#"{"propagation": {"staleHeaders": "keep"}}"#,
            r#"propagation.staleHeaders: expected one of rewrite, remove, got "keep""#,
        ),
        (
            r#"{"propagation": {"extract": ["grpc-trace-bin"]}}"#,
            r#"propagation.extract[0]: expected one of tracecontext, b3, b3multi, jaeger, xray, datadog, gcp, got "grpc-trace-bin""#,
        ),
        (
            r#"{"propagation": {"randomFlag": true}}"#,
            "propagation.randomFlag: expected a string, got true",
        ),
        (
            r#"{"propagation": {"randomFlag": "keep"}}"#,
            r#"propagation.randomFlag: expected one of preserve, set, drop, got "keep""#,
        ),
        (
            r#"{"propagation": {"baggage": "remove"}}"#,
            r#"propagation.baggage: expected one of preserve, drop, got "remove""#,
        ),
        (
            r#"{"propagation": {"extracts": ["b3"]}}"#,
            "propagation.extracts: unknown field, did you mean extract?",
        ),
    ]);
    refused_with(&[
        (
            "{}",
            &[("OTEL_PROPAGATORS", "ottrace")],
            "OTEL_PROPAGATORS: expected one of tracecontext, b3, b3multi, jaeger, xray, datadog, gcp, got \"ottrace\"",
        ),
        (
            "{}",
            &[("OTEL_PROPAGATORS", "none")],
            "OTEL_PROPAGATORS: expected one of",
        ),
    ]);
}

#[test]
fn what_is_taken_says_what_it_means() {
    said(&[
        (
            r#"{"propagation": {"extract": ["b3", "tracecontext"], "inject": ["b3"], "staleHeaders": "remove"}}"#,
            &[],
            "extract=b3,b3multi,tracecontext inject=b3 staleHeaders=remove",
            "b3 reads both spellings",
        ),
        (
            "{}",
            &[("OTEL_PROPAGATORS", "b3, baggage,b3")],
            "extract=b3,b3multi inject=b3 ",
            "each once",
        ),
        (
            r#"{"propagation": {"inject": ["b3multi"]}}"#,
            &[("OTEL_PROPAGATORS", "tracecontext")],
            "extract=tracecontext inject=b3multi ",
            "the environment fills what is left out",
        ),
        (
            r#"{"propagation": {"extract": ["gcp", "datadog"], "inject": ["xray"]}}"#,
            &[],
            "extract=gcp,grpc-trace-bin,datadog inject=xray ",
            "gcp reads the binary form, too",
        ),
        (
            "{}",
            &[("OTEL_PROPAGATORS", "xray,jaeger")],
            "extract=xray,jaeger inject=xray,jaeger ",
            "OpenTelemetry's names",
        ),
        (
            "{}",
            &[("OTEL_PROPAGATORS", "")],
            "extract=tracecontext,b3,b3multi inject=tracecontext,b3multi staleHeaders=rewrite",
            "empty is unset",
        ),
        (
            r#"{"propagation": {"extract": ["b3"], "inject": ["b3"]}}"#,
            &[("OTEL_PROPAGATORS", "jaeger")],
            "extract=b3,b3multi inject=b3 ",
            "a variable that nobody reads",
        ),
    ]);
}
