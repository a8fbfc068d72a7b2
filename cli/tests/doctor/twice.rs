//! Two plugins on one listener: what is said of each goes by whom it is for. A plugin that other namespaces may have, too, is
//! never the one to delete.

use anyhow::{Context, Result, ensure};
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
