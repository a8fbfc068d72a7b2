//! The document as a whole.

use crate::{refusal, refused, said};

/// What the start-up line says of the defaults.
const DEFAULTS: &str = "sampler=parentbased_always_on extract=tracecontext,b3,b3multi inject=tracecontext,b3multi staleHeaders=rewrite log=warn tags=none export=none";

#[test]
fn what_is_no_configuration_is_refused() {
    refused(&[
        (
            r#"{"samplng": {}}"#,
            "samplng: unknown field, did you mean sampling?",
        ),
        (
            r#"{"exports": {}}"#,
            "exports: unknown field, did you mean export?",
        ),
        (
            r#"{"span": {}}"#,
            "span: unknown field, did you mean spans?",
        ),
        (
            r#"{"resources": {}}"#,
            "resources: unknown field, did you mean resource?",
        ),
        (
            r#"{"xyz": 1}"#,
            "xyz: unknown field; known here: enabled, overrides, propagation, trust, sampling, service, customTags, custom_tags, tags, resource, spans, redaction, export, nativeTracer, response, log",
        ),
        (
            "[]",
            "expected an object with enabled, overrides, propagation, trust, sampling",
        ),
        (
            "{",
            "the configuration is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "{} {}",
            "the configuration is not JSON: trailing characters at line 1 column 4",
        ),
        (
            r#"{"log": {}, "log": {}}"#,
            "the configuration is not JSON: the field log is given twice at line 1 column 17",
        ),
        ("\u{a}\u{1}{", "write it as a google.protobuf.StringValue"),
        (
            r#"{"log": {"level": "warning"}}"#,
            r#"log.level: expected one of off, error, warn, info, debug, trace, got "warning""#,
        ),
        (
            r#"{"log": "debug"}"#,
            r#"log: expected an object with level, got "debug""#,
        ),
    ]);
}

#[test]
fn what_no_release_has_brought_yet_is_refused() {
    refused(&[
        (r#"{"join": {}}"#, "join: unknown field; known here"),
        (
            r#"{"export": {"cluster": "c", "compression": "gzip"}}"#,
            "export.compression: unknown field",
        ),
    ]);
}

#[test]
fn nothing_means_the_defaults() {
    said(&[
        ("{}", &[], DEFAULTS, "the defaults"),
        ("", &[], DEFAULTS, "no configuration at all"),
        ("null", &[], DEFAULTS, "null means absent"),
        (
            r#"{"propagation": null, "log": {"level": null}, "resource": null, "spans": null, "export": null}"#,
            &[],
            DEFAULTS,
            "also inside",
        ),
        (
            "\n {}\n",
            &[],
            DEFAULTS,
            "a text may begin with a line break, as a Struct's bytes do",
        ),
    ]);
}

#[test]
fn a_text_that_is_no_configuration_takes_no_time() {
    let long = format!(r#"{{"log": "{}"}}"#, "x".repeat(64 * 1024));
    assert!(
        refusal(&long, &[]).contains("the configuration has 65547 bytes; at most 65536 are taken")
    );
    let many: Vec<String> = (0..257).map(|n| format!(r#""f{n}": 1"#)).collect();
    let many = format!("{{{}}}", many.join(","));
    assert!(refusal(&many, &[]).contains("an object has too many fields"));
}
