//! `resource`, and OTEL_RESOURCE_ATTRIBUTES.

use throughline::policy::{resource::ResourceAttribute, tags::Source};

use crate::{SECRET, Variables, refusal, refused, refused_with, taken};

fn fixed(name: &str, value: &str) -> ResourceAttribute {
    ResourceAttribute {
        name: name.to_owned(),
        source: Source::Fixed(Some(value.to_owned())),
        default: None,
    }
}

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"resource": []}"#,
            "resource: expected an object, got a list",
        ),
        (
            r#"{"resource": {"team": "a"}}"#,
            r#"resource.team: expected an object with literal, environment, node, got "a""#,
        ),
        (
            r#"{"resource": {"team": {}}}"#,
            "resource.team: expected exactly one of literal, environment, node",
        ),
        (
            r#"{"resource": {"team": {"literal": {"value": "a"}, "node": {"path": "NAME"}}}}"#,
            "resource.team: expected exactly one of literal, environment, node",
        ),
        (
            r#"{"resource": {"team": {"header": {"name": "x-team"}}}}"#,
            "resource.team.header: unknown field; known here: literal, environment, node",
        ),
        (
            r#"{"resource": {"team": {"attribute": {"path": "request.host"}}}}"#,
            "resource.team.attribute: unknown field",
        ),
        (
            r#"{"resource": {"team": {"litteral": {"value": "a"}}}}"#,
            "resource.team.litteral: unknown field, did you mean literal?",
        ),
        (
            r#"{"resource": {"team": {"literal": {"value": 1}}}}"#,
            "resource.team.literal.value: expected a string, got 1; put it in quotes",
        ),
        (
            r#"{"resource": {"team": {"literal": {}}}}"#,
            "resource.team.literal.value: is required",
        ),
        (
            r#"{"resource": {"team": {"node": {"path": "A..B"}}}}"#,
            "resource.team.node.path: expected a path below the node's metadata, as LABELS.app",
        ),
        (
            r#"{"resource": {"team": {"environment": {"name": ""}}}}"#,
            "resource.team.environment.name: must not be empty",
        ),
        (
            r#"{"resource": {"service.name": {"literal": {"value": "a"}}}}"#,
            r#"resource["service.name"]: is the service's name; write it as service.name: service: {name: …}"#,
        ),
        (
            r#"{"resource": {"": {"literal": {"value": "a"}}}}"#,
            r#"resource[""]: an attribute's name has 1 to 128 characters"#,
        ),
        (
            r#"{"resource": {"a\nb": {"literal": {"value": "a"}}}}"#,
            "an attribute's name has 1 to 128 characters",
        ),
    ]);
    let long = format!(
        r#"{{"resource": {{"{}": {{"literal": {{"value": "a"}}}}}}}}"#,
        "n".repeat(129)
    );
    refused(&[(&long, "an attribute's name has 1 to 128 characters")]);
}

#[test]
fn attributes_are_bounded_in_number() {
    let config = |count: usize| {
        let all: Vec<String> = (0..count)
            .map(|n| format!(r#""a{n}": {{"literal": {{"value": "x"}}}}"#))
            .collect();
        format!(r#"{{"resource": {{{}}}}}"#, all.join(","))
    };
    assert_eq!(taken(&config(32), &[]).resource.len(), 32);
    refused(&[(
        &config(33),
        "resource: expected at most 32 attributes, got 33",
    )]);
}

#[test]
fn each_source_is_taken() {
    let config = r#"{"resource": {
        "a": {"literal": {"value": ""}},
        "b": {"environment": {"name": "B"}},
        "c": {"environment": {"name": "C", "defaultValue": "none"}},
        "d": {"node": {"path": "LABELS.app", "default_value": "x"}}
    }}"#;
    let expected = [
        fixed("a", ""),
        fixed("b", "from b"),
        ResourceAttribute {
            name: "c".to_owned(),
            source: Source::Fixed(None),
            default: Some("none".to_owned()),
        },
        ResourceAttribute {
            name: "d".to_owned(),
            source: Source::Node(vec!["LABELS".to_owned(), "app".to_owned()]),
            default: Some("x".to_owned()),
        },
    ];
    assert_eq!(taken(config, &[("B", "from b")]).resource, expected);
}

#[test]
fn the_variable_adds_what_is_not_configured() {
    let names =
        |config: &str, value: &str| taken(config, &[("OTEL_RESOURCE_ATTRIBUTES", value)]).resource;
    assert_eq!(
        names("{}", " a = 1 ,b=x%20y%C3%A9,c=,"),
        [fixed("a", "1"), fixed("b", "x yé"), fixed("c", "")]
    );
    assert_eq!(names("{}", "service.name=cart"), [], "has rules of its own");
    assert_eq!(
        names(
            r#"{"resource": {"a": {"literal": {"value": "mine"}}}}"#,
            "a=1,b=2"
        ),
        [fixed("a", "mine"), fixed("b", "2")],
        "pluginConfig comes first"
    );
    assert_eq!(names("{}", "a=k=v"), [fixed("a", "k=v")]);
}

#[test]
fn no_name_is_given_twice_or_empty() {
    const TWICE: Variables<'_> = &[("OTEL_RESOURCE_ATTRIBUTES", "a=1,b=2,a=3")];
    let settings = taken("{}", TWICE);
    assert_eq!(
        settings.resource,
        [fixed("b", "2"), fixed("a", "3")],
        "the last one counts"
    );
    // OpenTelemetry, common/README.md, "Attribute": a key is a non-empty string.
    for list in ["=x", " = x", "a=1,=x"] {
        let got = refusal("{}", &[("OTEL_RESOURCE_ATTRIBUTES", list)]);
        assert!(got.starts_with("OTEL_RESOURCE_ATTRIBUTES: "), "{got}");
    }
}

#[test]
fn mistakes_in_the_variable_are_named_without_their_value() {
    let secret = |text: &str| text.replace('_', SECRET);
    for (list, expected) in [
        ("a=1,_", "OTEL_RESOURCE_ATTRIBUTES: entry 1 is no key=value"),
        (
            "a=_%zz",
            r#"OTEL_RESOURCE_ATTRIBUTES: the value of "a" is not percent-encoded UTF-8"#,
        ),
        ("a=_%", "is not percent-encoded UTF-8"),
        ("a=_%f", "is not percent-encoded UTF-8"),
        ("a=_%ff", "is not percent-encoded UTF-8"),
    ] {
        refused_with(&[(
            "{}",
            &[("OTEL_RESOURCE_ATTRIBUTES", &secret(list))],
            expected,
        )]);
    }
}
