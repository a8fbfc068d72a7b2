//! `enabled` and `overrides`: who is touched at all, and what differs for some of a mesh's proxies.

use crate::{refused, refused_with, support::FakeHost, taken};
use throughline::{
    config::{self, Settings},
    policy::service::Node,
};

/// A pod of Bookinfo.
struct Pod {
    namespace: &'static str,
    app: &'static str,
}

impl Node for Pod {
    fn metadata(&mut self, path: &[&str]) -> Option<String> {
        match path {
            ["NAMESPACE"] => Some(self.namespace.to_owned()),
            ["LABELS", "app"] => Some(self.app.to_owned()),
            ["LABELS", "throughline.example/trace"] => Some("yes".to_owned()),
            _ => None,
        }
    }

    fn cluster(&mut self) -> Option<String> {
        None
    }
}

const REVIEWS: Pod = Pod {
    namespace: "bookinfo",
    app: "reviews",
};
const RATINGS: Pod = Pod {
    namespace: "bookinfo",
    app: "ratings",
};
const CART: Pod = Pod {
    namespace: "shop",
    app: "cart",
};

fn on(mut pod: Pod, config: &str) -> Settings {
    config::load(config.as_bytes(), &|_: &str| None, &mut pod)
        .unwrap_or_else(|problem| panic!("{config}: {problem}"))
}

/// What a user would compare: is it on, its sampler, its tags, where spans go.
fn shown(settings: &Settings) -> String {
    let tags: Vec<&str> = settings.tags.iter().map(|tag| tag.name.as_str()).collect();
    let export = settings.export.as_ref();
    let export = export.map_or("none".to_owned(), |export| export.destination.cluster());
    format!(
        "{} {:?} {tags:?} {export}",
        settings.enabled, settings.sampler
    )
}

#[test]
fn each_proxy_has_what_it_would_have_with_a_configuration_of_its_own() {
    const MESH: &str = r#"{
        "sampling": {"sampler": "parentbased_traceidratio", "arg": 0.1},
        "customTags": {"a": {"literal": {"value": "1"}}, "b": {"literal": {"value": "2"}}},
        "export": {"cluster": "tempo"},
        "overrides": [
            {"match": {"namespaces": ["bookinfo"]}, "config": {"sampling": {"arg": 0.5}}},
            {"match": {"namespaces": ["bookinfo", "x"], "labels": {"app": "ratings"}}, "config": {"enabled": false}},
            {"match": {"labels": {"app": "cart"}}, "config": {"customTags": {"a": null}, "export": null}}
        ]}"#;
    for (pod, own, why) in [
        (
            REVIEWS,
            r#"{"sampling": {"sampler": "parentbased_traceidratio", "arg": 0.5},
                "customTags": {"a": {"literal": {"value": "1"}}, "b": {"literal": {"value": "2"}}},
                "export": {"cluster": "tempo"}}"#,
            "by its namespace",
        ),
        (
            RATINGS,
            r#"{"enabled": false, "sampling": {"sampler": "parentbased_traceidratio", "arg": 0.5},
                "customTags": {"a": {"literal": {"value": "1"}}, "b": {"literal": {"value": "2"}}},
                "export": {"cluster": "tempo"}}"#,
            "two overrides, one after the other",
        ),
        (
            CART,
            r#"{"sampling": {"sampler": "parentbased_traceidratio", "arg": 0.1},
                "customTags": {"b": {"literal": {"value": "2"}}}}"#,
            "null takes a field away",
        ),
    ] {
        assert_eq!(shown(&on(pod, MESH)), shown(&taken(own, &[])), "{why}");
    }
}

#[test]
fn a_mesh_opts_in() {
    const OPT_IN: &str = r#"{"enabled": false, "overrides": [
        {"match": {"namespaces": ["bookinfo"]}, "config": {"enabled": true}},
        {"match": {"labels": {"throughline.example/trace": "no"}}, "config": {"enabled": true}}]}"#;
    assert!(on(REVIEWS, OPT_IN).enabled);
    assert!(!on(CART, OPT_IN).enabled);
    assert!(!taken(OPT_IN, &[]).enabled, "a proxy without metadata");
}

#[test]
fn a_list_is_replaced_and_the_last_override_counts() {
    let config = r#"{"propagation": {"inject": ["b3"]}, "overrides": [
        {"match": {"namespaces": ["shop"]}, "config": {"propagation": {"inject": ["tracecontext", "b3multi"]}}},
        {"match": {"namespaces": ["shop"]}, "config": {"propagation": {"inject": ["tracecontext"]}}}]}"#;
    let expected = taken(r#"{"propagation": {"inject": ["tracecontext"]}}"#, &[]);
    assert_eq!(
        on(CART, config).propagation.inject,
        expected.propagation.inject
    );
}

/// Whoever is on call should not have to find the one proxy that it is for.
#[test]
fn a_mistake_is_found_on_every_proxy() {
    refused(&[
        (
            r#"{"overrides": {}}"#,
            "overrides: expected a list, got an object",
        ),
        (
            r#"{"overrides": [{"match": {"namespaces": ["a"]}}]}"#,
            "overrides[0].config: is required",
        ),
        (
            r#"{"overrides": [{"config": {}}]}"#,
            "overrides[0].match: is required",
        ),
        (
            r#"{"overrides": [{"match": {}, "config": {}}]}"#,
            "overrides[0].match: needs namespaces or labels",
        ),
        (
            r#"{"overrides": [{"match": {"labels": {}}, "config": {}}]}"#,
            "overrides[0].match.labels: expected at least one; what is for all belongs outside",
        ),
        (
            r#"{"overrides": [{"match": {"namespaces": [], "labels": {"app": "b"}}, "config": {}}]}"#,
            "overrides[0].match.namespaces: expected at least one; what is for all belongs outside",
        ),
        (
            r#"{"overrides": [{"match": {"namespace": ["a"]}, "config": {}}]}"#,
            "overrides[0].match.namespace: unknown field, did you mean namespaces?",
        ),
        (
            r#"{"overrides": [{"match": {"namespaces": "a"}, "config": {}}]}"#,
            r#"overrides[0].match.namespaces: expected a list, got "a"; write ["a"]"#,
        ),
        (
            r#"{"overrides": [{"match": {"labels": {"app": 1}}, "config": {}}]}"#,
            "overrides[0].match.labels.app: expected a string, got 1; put it in quotes",
        ),
        (
            r#"{"overrides": [{"match": {"labels": {"app": "b"}}, "config": []}]}"#,
            "overrides[0].config: expected an object, got a list",
        ),
        (
            r#"{"overrides": [{"match": {"labels": {"app": "b"}}, "config": {}},
                              {"match": {"labels": {"app": "b"}}, "config": {"sampling": {"arg": 10}}}]}"#,
            "overrides[1].config: sampling.arg: ",
        ),
        (
            r#"{"overrides": [{"match": {"labels": {"app": "b"}}, "config": {"overrides": []}}]}"#,
            "overrides[0].config: overrides: ",
        ),
        (
            r#"{"samplng": {}, "overrides": [{"match": {"labels": {"app": "b"}}, "config": {}}]}"#,
            "samplng: unknown field, did you mean sampling?",
        ),
        (
            r#"{"enabled": "no"}"#,
            r#"enabled: expected true or false, got "no""#,
        ),
    ]);
    let many = vec![r#"{"match": {"namespaces": ["a"]}, "config": {}}"#; 65].join(",");
    let many = format!(r#"{{"overrides": [{many}]}}"#);
    refused(&[(&many, "overrides: expected at most 64, got 65")]);
}

#[test]
fn the_sdks_switch_turns_it_off() {
    const NAME: &str = "OTEL_SDK_DISABLED";
    for (value, enabled) in [
        ("true", false),
        ("TRUE", false),
        ("false", true),
        ("", true),
    ] {
        assert_eq!(taken("{}", &[(NAME, value)]).enabled, enabled, "{value:?}");
    }
    let configured = taken(r#"{"enabled": true}"#, &[(NAME, "true")]);
    assert!(configured.enabled, "pluginConfig comes first");
    refused_with(&[(
        "{}",
        &[(NAME, "1")],
        r#"OTEL_SDK_DISABLED: expected one of true, false, got "1""#,
    )]);
}

#[test]
fn what_is_off_says_so_and_touches_nothing() {
    let mut host = FakeHost::default();
    let filter = crate::support::configure(&mut host, r#"{"enabled": false}"#);
    assert!(filter.is_err(), "no filter");
    let (_, line) = host.log.pop().expect("a line");
    assert!(line.contains("disabled (enabled: false"), "{line}");
    assert_eq!(host.metrics()["throughline.config_rejected"], 0);
}
