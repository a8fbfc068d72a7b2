//! `propagation`, and OTEL_PROPAGATORS.

use crate::{refused, refused_with, said};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"propagation": []}"#,
            "propagation: expected an object with extract, inject, staleHeaders, got a list",
        ),
        (
            r#"{"propagation": {"extract": "b3"}}"#,
            r#"propagation.extract: expected a list, got "b3"; write ["b3"]"#,
        ),
        (
            r#"{"propagation": {"extract": []}}"#,
            "propagation.extract: expected at least one of tracecontext, b3, b3multi",
        ),
        (
            r#"{"propagation": {"inject": ["b3", "w3c"]}}"#,
            r#"propagation.inject[1]: expected one of tracecontext, b3, b3multi, got "w3c""#,
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
            r#"{"propagation": {"inject": ["jaeger"]}}"#,
            r#"propagation.inject[0]: expected one of tracecontext, b3, b3multi, got "jaeger""#,
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
            r#"{"propagation": {"extracts": ["b3"]}}"#,
            "propagation.extracts: unknown field, did you mean extract?",
        ),
    ]);
    refused_with(&[
        (
            "{}",
            &[("OTEL_PROPAGATORS", "jaeger")],
            "OTEL_PROPAGATORS: expected one of tracecontext, b3, b3multi, got \"jaeger\"",
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
