//! `service`, OTEL_SERVICE_NAME, and `service.name` in OTEL_RESOURCE_ATTRIBUTES.

use crate::{refused, said};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"service": {"naming": "APP_LABEL_AND_NAMESPACE"}}"#,
            "did you mean appLabelAndNamespace?",
        ),
        (
            r#"{"service": {"name": 7}}"#,
            "service.name: expected a string, got 7; put it in quotes",
        ),
        (
            r#"{"service": {"name": "a\nb"}}"#,
            "service.name: control characters are not allowed",
        ),
    ]);
}

#[test]
fn what_is_taken_says_what_it_means() {
    said(&[
        (
            r#"{"service": {"name": "cart"}}"#,
            &[("OTEL_SERVICE_NAME", "env")],
            "service.name=cart ",
            "pluginConfig before the environment",
        ),
        (
            r#"{"service": {"name": ""}}"#,
            &[("OTEL_SERVICE_NAME", "env")],
            "service.name=env ",
            "an empty name is no name",
        ),
        (
            "{}",
            &[("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=my%20cart")],
            "service.name=my cart ",
            "the resource's name",
        ),
        (
            "{}",
            &[
                ("OTEL_SERVICE_NAME", "x"),
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=y"),
            ],
            "service.name=x ",
            "OTEL_SERVICE_NAME comes first",
        ),
        (
            "{}",
            &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=cart,")],
            "service.name=cart ",
            "a comma at the end",
        ),
    ]);
}
