//! The resource that all spans of a proxy belong to.

use throughline::{
    config,
    policy::{resource::resolve, service::UnknownNode},
};

use crate::node::{Metadata, REVIEWS};

/// The resource by this configuration, as `key=value`.
fn resource(
    config: &str,
    variables: &[(&str, &str)],
    metadata: &'static [(&'static str, &'static str)],
) -> Vec<String> {
    let get = |name: &str| {
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    };
    let settings =
        config::load(config.as_bytes(), &get, &mut UnknownNode).expect("a good configuration");
    let pairs = resolve(
        &settings.service,
        &settings.resource,
        &mut Metadata(metadata),
    );
    pairs
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

#[test]
fn the_node_says_most_of_it() {
    let expected = [
        "service.name=reviews.bookinfo",
        "service.namespace=bookinfo",
        "service.version=1.20.3",
        "k8s.namespace.name=bookinfo",
        "k8s.pod.name=reviews-v1-6d8f-x2x",
        "k8s.cluster.name=Kubernetes",
    ];
    assert_eq!(resource("{}", &[], REVIEWS), expected);
    assert_eq!(resource("{}", &[], &[]), ["service.name=unknown_service"]);
    assert_eq!(
        resource(
            "{}",
            &[],
            &[("LABELS|version", "v1"), ("node.cluster", "edge")]
        ),
        ["service.name=edge", "service.version=v1"]
    );
}

#[test]
fn the_service_is_named_as_it_is_configured() {
    for (config, variables, expected) in [
        (r#"{"service": {"name": "mine"}}"#, [].as_slice(), "mine"),
        (
            r#"{"service": {"naming": "canonicalNameOnly"}}"#,
            &[],
            "reviews-canonical",
        ),
        ("{}", &[("OTEL_SERVICE_NAME", "theirs")], "theirs"),
        (
            "{}",
            &[("OTEL_RESOURCE_ATTRIBUTES", "service.name=theirs")],
            "theirs",
        ),
    ] {
        let got = resource(config, variables, REVIEWS);
        assert_eq!(got[0], format!("service.name={expected}"));
        let names = got.iter().filter(|line| line.starts_with("service.name="));
        assert_eq!(names.count(), 1, "{got:?}");
    }
}

#[test]
fn what_users_write_comes_before_what_the_node_says() {
    let config = r#"{"resource": {
        "service.version": {"literal": {"value": "42"}},
        "owner": {"node": {"path": "LABELS.team.example/owner"}},
        "k8s.pod.name": {"node": {"path": "NOWHERE"}},
        "stage": {"environment": {"name": "STAGE", "defaultValue": "dev"}},
        "zone": {"node": {"path": "ZONE", "defaultValue": "z1"}}
    }}"#;
    let variables = [(
        "OTEL_RESOURCE_ATTRIBUTES",
        "service.namespace=shop,owner=nobody",
    )];
    let expected = [
        "service.name=reviews.bookinfo",
        "service.version=42",
        "owner=books",
        "stage=dev",
        "zone=z1",
        "service.namespace=shop",
        "k8s.namespace.name=bookinfo",
        "k8s.pod.name=reviews-v1-6d8f-x2x",
        "k8s.cluster.name=Kubernetes",
    ];
    assert_eq!(resource(config, &variables, REVIEWS), expected);
}
