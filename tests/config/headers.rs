//! `export.headers`, and OTEL_EXPORTER_OTLP_HEADERS: what may stand there, and that nobody reads a secret in a message.

use crate::{SECRET, Variables, refusal, refused, refused_with, start_line, taken};

/// An `export` whose `headers` are these.
fn with(headers: &str) -> String {
    format!(r#"{{"export": {{"cluster": "c", "headers": {headers}}}}}"#)
}

fn headers(config: &str, variables: Variables<'_>) -> Vec<(String, String)> {
    let settings = taken(config, variables);
    settings.export.expect("an exporter").headers
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn mistakes_are_named() {
    for (headers, expected) in [
        (r#"[]"#, "export.headers: expected an object, got a list"),
        (
            r#"{"a b": "x"}"#,
            r#"export.headers["a b"]: the name is no header name"#,
        ),
        (
            r#"{"": "x"}"#,
            r#"export.headers[""]: the name is no header name"#,
        ),
        (
            r#"{":path": "x"}"#,
            r#"export.headers[":path"]: the name is no header name"#,
        ),
        (r#"{"é": "x"}"#, r#"the name is no header name"#),
        (r#"{"a\r\nb": "x"}"#, "is no header name"),
        (
            r#"{"x-a": ["x"]}"#,
            "export.headers.x-a: expected a string, got a list",
        ),
        (
            r#"{"x-a": "${env:KEY}"}"#,
            r#"export.headers.x-a: the variable "KEY" is not set in vmConfig.env"#,
        ),
        (
            r#"{"x-a": "a ${env:KEY"}"#,
            "export.headers.x-a: ${env: is not closed by }",
        ),
        (
            r#"{"x-a": {"value": "${env:}"}}"#,
            r#"export.headers.x-a.value: the variable "" is not set in vmConfig.env"#,
        ),
    ] {
        refused(&[(&with(headers), expected)]);
    }
    for name in [
        "b3",
        "B3",
        "Connection",
        "content-encoding",
        "content-length",
        "Content-Type",
        "host",
        "te",
        "traceparent",
        "tracestate",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-b3-sampled",
        "X-B3-TraceId",
    ] {
        let expected = format!("{} is written by the exporter itself", name.to_lowercase());
        refused(&[(&with(&format!(r#"{{"{name}": "x"}}"#)), &expected)]);
    }
}

/// Whoever mistypes a secret does not find it in Envoy's log. `refusal` looks for it in every message.
#[test]
fn no_mistake_shows_a_value() {
    for (value, expected) in [
        (
            format!(r#""{SECRET}\n""#),
            "export.headers.x-a: the value has control characters or more than 4096 bytes",
        ),
        (
            format!(r#""{SECRET}\u007f""#),
            "the value has control characters",
        ),
        (
            format!(r#""{}""#, SECRET.repeat(1000)),
            "the value has control characters or more than 4096 bytes",
        ),
        (
            format!(r#""{SECRET} ${{env:KEY""#),
            "${env: is not closed by }",
        ),
        (
            format!(r#""{SECRET} ${{env:KEY}} {SECRET}""#),
            r#"the variable "KEY" is not set"#,
        ),
        (
            format!(r#"{{"valeu": "{SECRET}"}}"#),
            "export.headers.x-a.valeu: unknown field, did you mean value?",
        ),
    ] {
        refused(&[(&with(&format!(r#"{{"x-a": {value}}}"#)), expected)]);
    }
}

/// The same for numbers, which pass for text in YAML.
#[test]
fn no_mistake_shows_a_number() {
    for header in [
        r#"{"x-a": 271828182845}"#,
        r#"{"x-a": {"value": 271828182845}}"#,
    ] {
        let got = refusal(&with(header), &[]);
        assert!(got.contains("expected a string"), "{got}");
        assert!(!got.contains("271828182845"), "{got}");
    }
}

/// A token is often Base64, which ends with `=`: then it stands where a name should.
#[test]
fn no_mistake_in_the_variable_shows_a_value() {
    for list in [
        SECRET.to_owned(),
        format!("Basic {SECRET}="),
        format!("x-a=1,{SECRET}"),
        format!("x-a={SECRET}%zz"),
        format!("x-a={SECRET}%0a"),
        format!("b3={SECRET}"),
        format!("x y={SECRET}"),
    ] {
        for name in [
            "OTEL_EXPORTER_OTLP_HEADERS",
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        ] {
            let got = refusal(r#"{"export": {"cluster": "c"}}"#, &[(name, &list)]);
            assert!(got.starts_with(&format!("{name}: ")), "{got}");
        }
    }
}

#[test]
fn no_start_up_line_shows_a_value() {
    let config = with(&format!(r#"{{"x-a": "{SECRET}", "x-b": "${{env:KEY}}"}}"#));
    let line = start_line(&config, &[("KEY", SECRET)]);
    assert!(line.contains("export=otlp-http to c"), "{line}");
    assert!(!line.contains(SECRET), "{line}");
}

#[test]
fn headers_are_bounded_in_number_and_size() {
    let many = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!(r#""x-{n}": "v""#)).collect();
        with(&format!("{{{}}}", all.join(",")))
    };
    assert_eq!(headers(&many(16), &[]).len(), 16);
    refused(&[(&many(17), "export.headers: expected at most 16, got 17")]);
    let long = |length: usize| with(&format!(r#"{{"x-a": "{}"}}"#, "v".repeat(length)));
    assert_eq!(headers(&long(4096), &[])[0].1.len(), 4096);
    refused(&[(
        &long(4097),
        "export.headers.x-a: the value has control characters or more than 4096 bytes",
    )]);
    let long = "v".repeat(4097);
    refused_with(&[(
        &with(r#"{"x-a": "${env:KEY}"}"#),
        &[("KEY", &long)],
        "or more than 4096 bytes",
    )]);
}

/// Two of one name would be told apart by nobody.
#[test]
fn no_header_is_given_twice() {
    let got = refusal(&with(r#"{"x-a": "1", "X-A": "2"}"#), &[]);
    assert!(got.contains("x-a"), "{got}");
}

#[test]
fn values_are_text_with_variables_in_it() {
    for (written, variables, expected, why) in [
        (r#"{}"#, [].as_slice(), [].as_slice(), "none"),
        (
            r#"{"X-Scope-OrgID": "a", "authorization": {"value": "Bearer é"}}"#,
            &[],
            &[("x-scope-orgid", "a"), ("authorization", "Bearer é")],
            "text or an object, the names in lower case",
        ),
        (
            r#"{"x-a": "${env:A}", "x-b": "<${env:A}${env:B}>", "x-c": "$A ${A} $${env:A}"}"#,
            &[("A", " 1\n"), ("B", "")],
            &[("x-a", "1"), ("x-b", "<1>"), ("x-c", "$A ${A} $1")],
            "variables, without the line break that files end with",
        ),
        (
            r#"{"x-a": "${env:A}"}"#,
            &[("A", "${env:A}")],
            &[("x-a", "${env:A}")],
            "a variable's text is not looked through again",
        ),
        (r#"{"x-a": ""}"#, &[], &[("x-a", "")], "an empty value"),
    ] {
        assert_eq!(headers(&with(written), variables), pairs(expected), "{why}");
    }
}

#[test]
fn the_variable_fills_what_is_left_out() {
    const BOTH: Variables<'_> = &[
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-all=1"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
            "X-A=Bearer%20x, x-b = 2 ,x-c=a=b",
        ),
    ];
    let bare = r#"{"export": {"cluster": "c"}}"#;
    assert_eq!(
        headers(bare, BOTH),
        pairs(&[("x-a", "Bearer x"), ("x-b", "2"), ("x-c", "a=b")]),
        "the one for traces counts before the one for all"
    );
    assert_eq!(headers(bare, &BOTH[..1]), pairs(&[("x-all", "1")]));
    assert_eq!(
        headers(&with(r#"{"x-a": "mine"}"#), BOTH),
        pairs(&[("x-a", "mine")]),
        "pluginConfig comes first"
    );
}
