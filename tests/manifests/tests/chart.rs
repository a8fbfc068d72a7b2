//! What Helm says of the chart's values, good and bad.

use anyhow::Result;
use std::fs;
use throughline_manifests::{helm_lint, helm_template, names, objects, path};

/// Values, and what the complaint must name.
const BAD: [(&str, &str); 25] = [
    ("imagee: {}", "imagee"),
    (
        "image: {url: docker://registry.example/throughline}",
        "image/url",
    ),
    (
        "image: {sha256: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'}",
        "image/sha256",
    ),
    ("image: {sha256: 0123456789AB}", "image/sha256"),
    ("image: {pullPolicy: Never}", "image/pullPolicy"),
    ("kind: EnvoyFilter", "kind"),
    ("waypoints: maybe", "waypoints"),
    (
        "{waypoints: true, rootNamespace: mesh}",
        "rootNamespace is mesh",
    ),
    ("config: samplng", "config"),
    // What `--set config.sampling.arg=0.05` makes of it: text.
    ("config: {sampling: {arg: '0.05'}}", "config/sampling/arg"),
    ("config: {sampling: {arg: 10}}", "config/sampling/arg"),
    ("env: [{name: ENVIRONMENT}]", "env/0"),
    (
        "env: [{name: ENVIRONMENT, value: production, valueFrom: HOST}]",
        "env/0",
    ),
    (
        "targetRefs: [{kind: Deployment, name: reviews}]",
        "targetRefs/0/kind",
    ),
    ("egress: ['https://api.example.com']", "egress/0"),
    (
        "collectorOutside: {host: otlp.example.com}",
        "collectorOutside",
    ),
    (
        "collectorOutside: {host: otlp.example.com, port: 70000}",
        "collectorOutside",
    ),
    (
        "{selector: {app: reviews}, targetRefs: [{kind: Gateway, name: waypoint}]}",
        "selector and targetRefs",
    ),
    (
        "telemetry: {nativeTracer: tempo}",
        "telemetry.nativeTracer and config.export",
    ),
    (
        "{sidecarsAndGateways: false, waypoints: true, selector: {app: reviews}}",
        "selector and targetRefs are for sidecarsAndGateways",
    ),
    (
        "{sidecarsAndGateways: false, waypoints: true, targetRefs: [{kind: Gateway, name: waypoint}]}",
        "selector and targetRefs are for sidecarsAndGateways",
    ),
    (
        "networkPolicies: {namespaces: [bookinfo]}",
        "networkPolicies.registry",
    ),
    (
        "networkPolicies: {registry: registry.example}",
        "networkPolicies/registry",
    ),
    (
        "networkPolicies: {collectorLabels: {app: null}}",
        "networkPolicies/collectorLabels",
    ),
    (
        "{sidecarsAndGateways: false}",
        "sidecarsAndGateways and waypoints",
    ),
];

#[test]
fn bad_values_are_refused_with_a_message_that_names_them() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let values = directory.path().join("values.yaml");
    for (text, named) in BAD {
        fs::write(&values, text)?;
        let complaint = match helm_template("istio-system", &values) {
            Ok(rendered) => panic!("{text} was taken:\n{rendered}"),
            Err(complaint) => complaint.to_string(),
        };
        assert!(complaint.contains(named), "{text}: {complaint}");
    }
    Ok(())
}

#[test]
fn hosts_that_differ_in_dots_and_hyphens_alone_have_names_of_their_own() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let values = directory.path().join("values.yaml");
    fs::write(&values, "egress: [a-b.example, a.b.example, a.b-example]")?;
    // Two of one name are an error.
    let objects = objects(&helm_template("istio-system", &values)?)?;
    let entries = objects.values().filter(|it| it.kind() == "ServiceEntry");
    assert_eq!(entries.count(), 3);
    Ok(())
}

#[test]
fn helm_lint_has_nothing_to_say() -> Result<()> {
    for name in names("charts/throughline/ci")? {
        let said = helm_lint(&path(&format!("charts/throughline/ci/{name}")))?;
        assert!(said.contains("0 chart(s) failed"), "{name}: {said}");
        assert!(!said.contains("[WARNING]"), "{name}: {said}");
    }
    Ok(())
}

#[test]
fn without_export_nothing_is_exported() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let values = directory.path().join("values.yaml");
    fs::write(&values, "config: {export: null}")?;
    assert!(!helm_template("istio-system", &values)?.contains("export"));
    Ok(())
}
