//! `customTags`.

use crate::{refusal, refused, said, taken};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"customTags": []}"#,
            "customTags: expected an object, got a list",
        ),
        (
            r#"{"customTags": {"a": {}}}"#,
            "customTags.a: expected exactly one of literal, environment, header, node, attribute",
        ),
        (
            r#"{"customTags": {"a": {"literal": {"value": "x"}, "node": {"path": "NAME"}}}}"#,
            "customTags.a: expected exactly one of",
        ),
        (
            r#"{"customTags": {"service.name": {"litral": {"value": "x"}}}}"#,
            r#"customTags["service.name"].litral: unknown field, did you mean literal?"#,
        ),
        (
            r#"{"customTags": {"a": {"literal": {}}}}"#,
            "customTags.a.literal.value: is required",
        ),
        (
            r#"{"customTags": {"a": {"literal": {"value": 1}}}}"#,
            "customTags.a.literal.value: expected a string, got 1; put it in quotes",
        ),
        (
            r#"{"customTags": {"a": {"literal": {"value": "x\ny"}}}}"#,
            "customTags.a.literal.value: control characters are not allowed",
        ),
        (
            r#"{"customTags": {"a": {"environment": {"name": ""}}}}"#,
            "customTags.a.environment.name: must not be empty",
        ),
        (
            r#"{"customTags": {"a": {"header": {"name": "x tenant"}}}}"#,
            r#"customTags.a.header.name: expected a header name, got "x tenant""#,
        ),
        (
            r#"{"customTags": {"a": {"header": {"name": ":path"}}}}"#,
            "customTags.a.header.name: expected a header name",
        ),
        (
            r#"{"customTags": {"a": {"node": {"path": "A..B"}}}}"#,
            "customTags.a.node.path: expected a path below the node's metadata",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "xds"}}}}"#,
            "customTags.a.attribute.path: xds is not one value; name a field below it",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "request"}}}}"#,
            "request is not one value",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "xds.node"}}}}"#,
            "xds.node is not one value",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": ""}}}}"#,
            "customTags.a.attribute.path: expected an attribute",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "response.code"}}}}"#,
            "response.code is known only after the request was sent",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "source.port", "type": "string"}}}}"#,
            r#"customTags.a.attribute.type: expected int, got "string""#,
        ),
        (
            r#"{"customTags": {"a b": {"literal": {"value": "x"}}}}"#,
            r#"" " is not allowed in a tag's name"#,
        ),
        (
            r#"{"customTags": {"": {"literal": {"value": "x"}}}}"#,
            "a tag's name has 1 to 128 characters",
        ),
        (
            r#"{"customTags": {"a.b": {"literal": {"value": "x"}}, "a_b": {"literal": {"value": "y"}}}}"#,
            "would overwrite a.b in the filter state throughline.tag.a_b; rename one",
        ),
        (
            r#"{"customTags": {}, "custom_tags": {}}"#,
            "custom_tags: the same as customTags, which is given too; keep one",
        ),
        (
            r#"{"customTags": {"a": {"header": {"name": "x", "defaultValue": "1", "default_value": "2"}}}}"#,
            "the same as defaultValue",
        ),
    ]);
}

#[test]
fn both_spellings_are_taken() {
    said(&[(
        r#"{"custom_tags": {"service.name": {"literal": {"value": "istio-service"}}}}"#,
        &[],
        "tags=service.name to=filterState",
        "MeshConfig's spelling",
    )]);
}

#[test]
fn tags_are_bounded_in_number_and_size() {
    let tags = |count: usize| {
        let tags: Vec<String> = (0..count)
            .map(|n| format!(r#""t{n}": {{"literal": {{"value": "x"}}}}"#))
            .collect();
        format!(r#"{{"customTags": {{{}}}}}"#, tags.join(","))
    };
    taken(&tags(32), &[]);
    assert!(refusal(&tags(33), &[]).contains("customTags: expected at most 32 tags, got 33"));
    let long = |length| {
        format!(
            r#"{{"customTags": {{"a": {{"literal": {{"value": "{}"}}}}}}}}"#,
            "x".repeat(length)
        )
    };
    taken(&long(256), &[]);
    assert!(
        refusal(&long(257), &[])
            .contains("customTags.a.literal.value: expected at most 256 bytes, got 257")
    );
}
