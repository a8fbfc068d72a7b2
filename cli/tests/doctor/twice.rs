//! Two plugins on one listener: what is said of each goes by whom it is for. A plugin that other namespaces may have, too, is
//! never the one to delete.

use crate::program::doctor;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::fs;
use tempfile::TempDir;
use throughline_cli::doctor::{Code, diagnose};
use throughline_cli::source::Text;

/// A real sidecar's of the namespace bookinfo, with two plugins.
const DUMP: &str = include_str!("../dumps/two-instances/config_dump.json");

/// What is to be done where Istio made them of those resources.
fn said(first: &str, second: &str, dump: &str) -> Result<String> {
    let named = |name: &str| format!("\"name\":\"extensions.istio.io/{name}\"");
    let dump = dump
        .replace("\"name\":\"throughline-of-bookinfo\"", &named(second))
        .replace("\"name\":\"throughline\"", &named(first));
    let text = Text {
        name: "dump".to_owned(),
        bytes: dump.into_bytes(),
    };
    let report = diagnose(&[text], None).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let mut findings = report.findings.into_iter();
    let finding = findings.find(|finding| finding.code == Code::SecondInstance);
    Ok(finding.context("not found")?.fix)
}

fn deleted(fix: &str) -> Vec<&str> {
    let lines = fix.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix("kubectl delete "))
        .collect()
}

const OWN: &str = "wasmplugin/bookinfo.tracing";
const ROOT: &str = "trafficextension/istio-system.throughline~istio-translated-wasmplugin";

#[test]
fn the_namespaces_plugin_goes_and_the_meshs_stays_whichever_stands_aside() -> Result<()> {
    for (first, second) in [(OWN, ROOT), (ROOT, OWN)] {
        let fix = said(first, second, DUMP)?;
        ensure!(
            deleted(&fix) == ["wasmplugin tracing -n bookinfo"]
                && fix.contains(
                    "wasmplugin throughline -n istio-system   # may be for the whole mesh"
                ),
            "{fix}"
        );
    }
    Ok(())
}

#[test]
fn a_root_namespace_of_another_name_is_known_by_not_being_the_pods() -> Result<()> {
    let fix = said(OWN, "wasmplugin/mesh-config.throughline", DUMP)?;
    ensure!(deleted(&fix) == ["wasmplugin tracing -n bookinfo"], "{fix}");
    Ok(())
}

#[test]
fn of_two_in_the_pods_namespace_the_first_stays() -> Result<()> {
    let fix = said(OWN, "trafficextension/bookinfo.other", DUMP)?;
    ensure!(
        deleted(&fix) == ["trafficextension other -n bookinfo"],
        "{fix}"
    );
    Ok(())
}

#[test]
fn nothing_is_to_be_deleted_that_may_be_for_others() -> Result<()> {
    // Both are of the root namespace; the pod itself is in it; and nobody says where the pod is.
    let in_root = DUMP.replace(
        "\"NAMESPACE\":\"bookinfo\"",
        "\"NAMESPACE\":\"istio-system\"",
    );
    let nowhere = DUMP.replace("\"NAMESPACE\":\"bookinfo\",", "");
    for (first, dump) in [
        ("wasmplugin/istio-system.other", DUMP),
        ("wasmplugin/istio-system.other", &in_root),
        (OWN, &nowhere),
    ] {
        let fix = said(first, ROOT, dump)?;
        ensure!(
            deleted(&fix).is_empty() && fix.matches("whole mesh").count() == 2,
            "{fix}"
        );
    }
    Ok(())
}

/// Filters that stand in the listeners themselves, as an Envoy that Istio does not run has them: each may have its own
/// configuration, and they have one name.
#[test]
fn of_many_listeners_each_matter_is_said_once_and_where() -> Result<()> {
    let config = |arg: f64| format!("{{\"sampling\": {{\"arg\": {arg}}}}}");
    let listener = |index: u32| {
        let value = config(if index == 8 { 0.5 } else { 1.0 });
        // Two virtual machines are never one instance.
        let wasm = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": format!("throughline-{index}"), "root_id": "throughline",
                "vm_config": {"vm_id": format!("v{index}"), "runtime": "envoy.wasm.runtime.v8"},
                "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": value},
            },
        });
        json!({"listener": {
            "name": format!("l{index}"),
            "filter_chains": [{"filters": [{
                "name": "http",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "in",
                    "http_filters": [{"name": "throughline", "typed_config": wasm}],
                },
            }]}],
        }})
    };
    let dump = json!({"configs": [
        {
            "@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
            "bootstrap": {"node": {"id": "edge"}},
        },
        {
            "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
            "static_listeners": (0..9).map(listener).collect::<Vec<_>>(),
        },
    ]});
    let stats = "throughline_rejected_headers{format=\"b3\",reason=\"length\"} 3\n";
    let directory = TempDir::new()?;
    let (dump_file, stats_file) = (
        directory.path().join("dump"),
        directory.path().join("stats"),
    );
    fs::write(&dump_file, dump.to_string())?;
    fs::write(&stats_file, stats)?;
    let text = doctor(&[dump_file, stats_file])?.out;
    let count = |what: &str| text.matches(what).count();
    ensure!(
        count("WARNING: If throughline breaks, it stops traffic") == 1
            && count("note: The filter records no spans") == 1
            && count("(On l0, l1, l2, l3 and 5 more.)") == 2
            && count("  config    throughline on l0, l1, l2, l3 and 4 more: ") == 1
            && count("  config    throughline on l8: ") == 1
            && count("  export    throughline on l8: none") == 1
            && count("istioctl") == 0
            && count("/logging?wasm=debug") == 1,
        "{text}"
    );
    Ok(())
}
