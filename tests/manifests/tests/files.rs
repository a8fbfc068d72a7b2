//! What can be said of the files themselves.

use anyhow::{Context, Result};
use serde_json::Value;
use throughline_manifests::{names, objects, text};

fn yaml(file: &str) -> Result<Value> {
    serde_yaml_ng::from_str(&text(file)?).with_context(|| file.to_owned())
}

#[test]
fn the_mesh_config_is_the_same_in_each_of_its_three_forms() -> Result<()> {
    let config = yaml("wasmplugin/meshconfig.yaml")?;
    assert_eq!(
        yaml("wasmplugin/istio-operator.yaml")?["spec"]["meshConfig"],
        config
    );
    assert_eq!(yaml("wasmplugin/istiod-values.yaml")?["meshConfig"], config);
    Ok(())
}

#[test]
fn the_access_log_is_the_same_by_mesh_config_and_by_telemetry() -> Result<()> {
    let config = yaml("wasmplugin/meshconfig.yaml")?;
    let format = config["accessLogFormat"]
        .as_str()
        .context("accessLogFormat")?;
    let format: Value = serde_json::from_str(format)?;
    let provider = &config["extensionProviders"][0];
    assert_eq!(
        provider["envoyFileAccessLog"]["logFormat"]["labels"],
        format
    );
    let telemetry = yaml("wasmplugin/options/telemetry/telemetry.yaml")?;
    let named = &telemetry["spec"]["accessLogging"][0]["providers"][0]["name"];
    assert_eq!(*named, provider["name"]);
    Ok(())
}

#[test]
fn providers_are_on_the_ports_that_the_filter_exports_to() -> Result<()> {
    let config = yaml("wasmplugin/meshconfig.yaml")?;
    let providers = config["extensionProviders"]
        .as_array()
        .context("no providers")?;
    let port = |provider: &Value| {
        let collector = provider
            .get("opentelemetry")
            .or_else(|| provider.get("zipkin"))?;
        collector["port"].as_u64()
    };
    let mut ports: Vec<_> = providers.iter().filter_map(port).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports, [4317, 4318, 9411]);
    Ok(())
}

#[test]
fn every_label_of_the_metrics_is_among_the_stat_tags() -> Result<()> {
    let config = yaml("wasmplugin/meshconfig.yaml")?;
    let tags = config["defaultConfig"]["extraStatTags"]
        .as_array()
        .context("extraStatTags")?;
    let documented = text("docs/operations.md")?;
    let rows = documented
        .lines()
        .filter(|line| line.starts_with("| `throughline_"));
    let mut labels = 0;
    for row in rows {
        for braces in row
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
        {
            for label in braces
                .split(',')
                .filter_map(|label| label.split('=').next())
            {
                labels += 1;
                assert!(tags.iter().any(|tag| tag == label), "{label} in {row}");
            }
        }
    }
    assert!(labels > 0, "no labels in docs/operations.md");
    Ok(())
}

#[test]
fn what_must_be_refused_says_by_whom() -> Result<()> {
    let files = names("tests/manifests/refused")?;
    let files = files.iter().filter(|name| name.ends_with(".yaml"));
    let mut count = 0;
    for name in files {
        count += 1;
        let text = text(&format!("tests/manifests/refused/{name}"))?;
        let first = text.lines().next().unwrap_or_default();
        let by = first.strip_prefix("# refused by: ");
        assert!(
            matches!(by, Some("CRD" | "webhook" | "CRD, webhook")),
            "{name}: {first}"
        );
        assert!(
            text.lines()
                .nth(1)
                .is_some_and(|line| line.starts_with("# ")),
            "{name}: why?"
        );
        assert_eq!(
            objects(&text).with_context(|| name.clone())?.len(),
            1,
            "{name}"
        );
    }
    assert!(count > 0);
    Ok(())
}
