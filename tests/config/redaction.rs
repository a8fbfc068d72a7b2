//! `redaction`.

use std::borrow::Cow;

use crate::{refused, taken};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"redaction": ["*"]}"#,
            "redaction: expected an object with blockedKeyPatterns, blockedValues, got a list",
        ),
        (
            r#"{"redaction": {"blocked_values": ["*"]}}"#,
            "redaction.blocked_values: unknown field, did you mean blockedValues?",
        ),
        (
            r#"{"redaction": {"blockedKeyPattern": ["*"]}}"#,
            "redaction.blockedKeyPattern: unknown field, did you mean blockedKeyPatterns?",
        ),
        (
            r#"{"redaction": {"blockedValues": "*@*"}}"#,
            r#"redaction.blockedValues: expected a list, got "*@*"; write ["*@*"]"#,
        ),
        (
            r#"{"redaction": {"blockedValues": []}}"#,
            "redaction.blockedValues: expected 1 to 64 patterns, got 0",
        ),
        (
            r#"{"redaction": {"blockedKeyPatterns": ["*token*", 7]}}"#,
            "redaction.blockedKeyPatterns[1]: expected a string, got 7; put it in quotes",
        ),
        (
            r#"{"redaction": {"blockedKeyPatterns": ["a\nb"]}}"#,
            "redaction.blockedKeyPatterns[0]: control characters are not allowed",
        ),
    ]);
}

#[test]
fn what_is_taken_means() {
    let redaction = taken(
        r#"{"redaction": {"blockedKeyPatterns": ["*token*"], "blockedValues": ["4111*", "*@*"]}}"#,
        &[],
    )
    .redaction;
    let long = format!("{}@x", "a".repeat(4000));
    for (key, value, expected) in [
        ("x.token.id", "plain", "****"),
        ("card", "4111 1111", "****"),
        ("card", "5111 4111", "5111 4111"),
        ("user", "jo@example.com", "****"),
        ("url.path", &long, "****"),
        ("TOKEN", "", ""),
    ] {
        let got = redaction.of(key, Cow::Borrowed(value));
        assert_eq!(got, expected, "{key}: {value}");
    }
    let nothing = taken(r#"{"redaction": {}}"#, &[]).redaction;
    assert_eq!(nothing.of("token", Cow::Borrowed("")), "");
    assert_eq!(nothing, taken("{}", &[]).redaction);
}
