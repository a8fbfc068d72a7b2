//! Every overlay as kustomize renders it: the same objects as the chart's, and a configuration that the filter takes.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use throughline::{config, policy::service::UnknownNode};
use throughline_cli::check::{Report, check};
use throughline_cli::proxy::Proxy;
use throughline_cli::source::Text;
use throughline_manifests::{Object, helm_template, kustomize, names, objects, path, text};

/// Each overlay and the base, with the namespace that its plugins are in.
fn overlays() -> Result<Vec<(String, &'static str)>> {
    let mut all = names("wasmplugin/overlays")?;
    all.push("base".to_owned());
    let namespace = |name: &str| match name {
        "namespace" | "waypoint" => "bookinfo",
        _ => "istio-system",
    };
    Ok(all
        .into_iter()
        .map(|name| (name.clone(), namespace(&name)))
        .collect())
}

fn rendered(overlay: &str) -> Result<String> {
    kustomize(&match overlay {
        "base" => "wasmplugin/base".to_owned(),
        overlay => format!("wasmplugin/overlays/{overlay}"),
    })
}

fn plugins(overlay: &str) -> Result<Vec<Object>> {
    let objects = objects(&rendered(overlay)?)?.into_values();
    Ok(objects.filter(|object| object.wasm().is_some()).collect())
}

#[test]
fn kustomize_and_helm_render_the_same_objects() -> Result<()> {
    let overlays = overlays()?;
    for (overlay, namespace) in &overlays {
        let values = path(&format!("charts/throughline/ci/{overlay}.yaml"));
        let by_helm = objects(&helm_template(namespace, &values)?)?;
        let by_kustomize = objects(&rendered(overlay)?)?;
        let names = |objects: &BTreeMap<_, _>| objects.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&by_kustomize), names(&by_helm), "{overlay}");
        for (name, object) in by_kustomize {
            assert_eq!(object, by_helm[&name], "{overlay}: {name:?}");
        }
    }
    // No values without an overlay.
    let overlays: BTreeSet<_> = overlays
        .into_iter()
        .map(|(name, _)| name + ".yaml")
        .collect();
    assert_eq!(
        overlays,
        names("charts/throughline/ci")?.into_iter().collect()
    );
    Ok(())
}

#[test]
fn every_plugin_lets_traffic_pass_and_the_filter_takes_its_configuration() -> Result<()> {
    for (overlay, _) in overlays()? {
        for plugin in plugins(&overlay)? {
            let wasm = plugin.wasm().context("no plugin")?;
            assert_eq!(wasm["failStrategy"], "FAIL_OPEN", "{overlay}");
            assert_eq!(wasm["pluginName"], "throughline", "{overlay}");
            assert_eq!(plugin.0["spec"]["phase"], "AUTHN", "{overlay}");
            let config = wasm["pluginConfig"].to_string();
            config::load(config.as_bytes(), &|_: &str| None, &mut UnknownNode)
                .map_err(|error| anyhow::anyhow!("{overlay}: {error}"))?;
        }
    }
    Ok(())
}

/// As it comes from kustomize, with whatever else there is in it, and with an image.
#[test]
fn the_command_line_finds_nothing_wrong_with_any() -> Result<()> {
    for (overlay, _) in overlays()? {
        let text = Text {
            name: overlay.clone(),
            bytes: rendered(&overlay)?
                .replace("replace-this-with-oci://", "oci://")
                .replace("replace-this-with-the-manifest-digest", &"0a".repeat(32))
                .into_bytes(),
        };
        let mut report = Report::default();
        check(&text, &Proxy::default(), &mut report)?;
        ensure!(
            report.checked.len() == plugins(&overlay)?.len()
                && report.errors == 0
                && report.warnings == 0,
            "{}",
            report.text()
        );
    }
    Ok(())
}

#[test]
fn no_overlay_has_an_image_yet_and_none_has_both_kinds() -> Result<()> {
    for (overlay, _) in overlays()? {
        let plugins = plugins(&overlay)?;
        ensure!(!plugins.is_empty(), "{overlay} has no plugin");
        let kinds: BTreeSet<_> = plugins.iter().map(Object::kind).collect();
        assert_eq!(kinds.len(), 1, "{overlay}: {kinds:?}");
        for plugin in &plugins {
            for field in ["url", "sha256"] {
                let value = plugin.wasm().and_then(|wasm| wasm[field].as_str());
                let value = value.with_context(|| format!("{overlay}: no {field}"))?;
                assert!(
                    value.starts_with("replace-this-with-"),
                    "{overlay}: {value}"
                );
            }
        }
    }
    Ok(())
}

/// The ratio of traces that start, for each plugin.
fn ratios(overlay: &str) -> Result<Vec<Value>> {
    let plugins = plugins(overlay)?;
    let ratio = |plugin: &Object| {
        plugin
            .wasm()
            .map(|wasm| wasm["pluginConfig"]["sampling"]["arg"].clone())
    };
    Ok(plugins.iter().filter_map(ratio).collect())
}

#[test]
fn each_stage_has_its_ratio() -> Result<()> {
    for (overlay, ratio) in [
        ("dev", 1.0),
        ("staging", 0.5),
        ("prod", 0.05),
        ("base", 0.1),
    ] {
        let found = ratios(overlay)?;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].as_f64(), Some(ratio), "{overlay}");
    }
    assert_eq!(ratios("traffic-extension")?, [json!(0.05), json!(0.05)]);
    Ok(())
}

#[test]
fn the_plugin_for_waypoints_differs_in_its_target_alone() -> Result<()> {
    for overlay in ["ambient", "everything", "traffic-extension"] {
        let [everywhere, waypoints] = plugins(overlay)?.try_into().ok().context("two plugins")?;
        let mut target = waypoints.0["spec"].clone();
        let refs = target
            .as_object_mut()
            .and_then(|spec| spec.remove("targetRefs"));
        assert_eq!(refs.context("no targetRefs")?[0]["kind"], "GatewayClass");
        assert_eq!(target, everywhere.0["spec"], "{overlay}");
    }
    Ok(())
}

#[test]
fn every_component_and_option_is_rendered_by_an_overlay() -> Result<()> {
    let mut used = String::new();
    for name in names("wasmplugin/overlays")? {
        used += &text(&format!("wasmplugin/overlays/{name}/kustomization.yaml"))?;
    }
    for folder in ["components", "options"] {
        for name in names(&format!("wasmplugin/{folder}"))? {
            let reference = format!("../../{folder}/{name}");
            let whole = |line: &str| {
                let mut words =
                    line.split(|c: char| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '.' | '/'));
                words.any(|word| word == reference)
            };
            assert!(used.lines().any(whole), "{folder}/{name} is in no overlay");
        }
    }
    Ok(())
}
