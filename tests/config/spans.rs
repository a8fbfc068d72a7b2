//! `spans`, and OTEL_SEMCONV_STABILITY_OPT_IN.

use throughline::span::{Semconv, SpanSettings, WhenMirroring};

use crate::{Variables, refused, taken};

const BOTH: Semconv = Semconv {
    stable: true,
    legacy: true,
};
const STABLE: Semconv = Semconv {
    stable: true,
    legacy: false,
};
const LEGACY: Semconv = Semconv {
    stable: false,
    legacy: true,
};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"spans": []}"#,
            "spans: expected an object with semconv, maxPathTagLength, redactQuery, whenMirroring, got a list",
        ),
        (
            r#"{"spans": {"semConv": "stable"}}"#,
            "spans.semConv: unknown field, did you mean semconv?",
        ),
        (
            r#"{"spans": {"redact_query": false}}"#,
            "spans.redact_query: unknown field, did you mean redactQuery?",
        ),
        (
            r#"{"spans": {"semconv": "stble"}}"#,
            r#"spans.semconv: expected one of both, stable, legacy, got "stble"; did you mean stable?"#,
        ),
        (
            r#"{"spans": {"semconv": "http/dup"}}"#,
            r#"spans.semconv: expected one of both, stable, legacy, got "http/dup""#,
        ),
        (
            r#"{"spans": {"maxPathTagLength": 0}}"#,
            "spans.maxPathTagLength: expected an integer from 1 to 4096, got 0",
        ),
        (
            r#"{"spans": {"maxPathTagLength": 4097}}"#,
            "spans.maxPathTagLength: expected an integer from 1 to 4096, got 4097",
        ),
        (
            r#"{"spans": {"maxPathTagLength": 1.5}}"#,
            "spans.maxPathTagLength: expected an integer from 1 to 4096, got 1.5",
        ),
        (
            r#"{"spans": {"maxPathTagLength": "256"}}"#,
            r#"spans.maxPathTagLength: expected an integer from 1 to 4096, got "256""#,
        ),
        (
            r#"{"spans": {"redactQuery": "false"}}"#,
            r#"spans.redactQuery: expected true or false, got "false""#,
        ),
        (
            r#"{"spans": {"redactQuery": 0}}"#,
            "spans.redactQuery: expected true or false, got 0",
        ),
        (
            r#"{"spans": {"whenMirroring": "exprt"}}"#,
            r#"spans.whenMirroring: expected one of drop, export, got "exprt"; did you mean export?"#,
        ),
        (
            r#"{"spans": {"whenMirroring": true}}"#,
            "spans.whenMirroring: expected a string, got true; put it in quotes",
        ),
    ]);
}

#[test]
fn what_is_taken_means() {
    for (section, expected) in [
        ("{}", SpanSettings::default()),
        (
            r#"{"semconv": "both", "maxPathTagLength": 256.0, "redactQuery": true, "whenMirroring": "drop"}"#,
            SpanSettings::default(),
        ),
        (
            r#"{"semconv": "legacy", "maxPathTagLength": 1, "redactQuery": false}"#,
            SpanSettings {
                semconv: LEGACY,
                max_path: 1,
                redact_query: false,
                when_mirroring: WhenMirroring::Drop,
            },
        ),
        (
            r#"{"semconv": "stable", "maxPathTagLength": 4096, "whenMirroring": "export"}"#,
            SpanSettings {
                semconv: STABLE,
                max_path: 4096,
                redact_query: true,
                when_mirroring: WhenMirroring::Export,
            },
        ),
    ] {
        assert_eq!(
            taken(&format!(r#"{{"spans": {section}}}"#), &[]).spans,
            expected,
            "{section}"
        );
    }
    let defaults = SpanSettings {
        semconv: BOTH,
        max_path: 256,
        redact_query: true,
        when_mirroring: WhenMirroring::Drop,
    };
    assert_eq!(
        SpanSettings::default(),
        defaults,
        "Istio's length, and no secrets"
    );
}

#[test]
fn the_variable_chooses_what_is_left_out() {
    for (config, value, expected, why) in [
        ("{}", "http", STABLE, "stable names alone"),
        ("{}", "http/dup", BOTH, "both"),
        ("{}", "http,http/dup", BOTH, "dup counts before the other"),
        ("{}", "database/dup, http ,messaging", STABLE, "a list"),
        ("{}", "database", BOTH, "words for others"),
        ("{}", "HTTP", BOTH, "words for others"),
        ("{}", "", BOTH, "empty is unset"),
        (
            r#"{"spans": {"redactQuery": true}}"#,
            "http",
            STABLE,
            "beside other fields",
        ),
        (
            r#"{"spans": {"semconv": "legacy"}}"#,
            "http",
            LEGACY,
            "pluginConfig comes first",
        ),
    ] {
        let variables: Variables<'_> = &[("OTEL_SEMCONV_STABILITY_OPT_IN", value)];
        assert_eq!(
            taken(config, variables).spans.semconv,
            expected,
            "{value:?}: {why}"
        );
    }
}
