//! A real API server with Istio's schemas and webhook, and Envoy Gateway's, takes each of our kustomizations and what stands
//! outside of them, and none of the broken examples.

use crate::manifests::root;
use crate::stage::Stage;
use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use throughline_dev::image::Digest;
use throughline_dev::image::pin::{Pin, pinned};
use throughline_dev::istio::Kubectl;

const DRY_RUN: &str = "apply --dry-run=server --validate=strict --filename -";

pub fn play(stage: &Stage) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    let older = !stage.cluster.line().has_traffic_extensions();
    let mut accepted = 0;
    for folder in kustomizations(&stage.manifests.path(""))? {
        let rendered = kubectl.run(&format!("kustomize {}", folder.display()))?;
        let verdict = kubectl.feed(DRY_RUN, &rendered);
        // A kind and a field of Istio 1.30.
        let newer = ["kind: TrafficExtension", "disableContextPropagation:"];
        if older && newer.iter().any(|text| rendered.contains(text)) {
            ensure!(
                verdict.is_err(),
                "{}: what this line does not know",
                folder.display()
            );
            continue;
        }
        verdict.with_context(|| format!("{}:\n{rendered}", folder.display()))?;
        accepted += 1;
    }
    ensure!(accepted > 5, "only {accepted} kustomizations");
    backends(kubectl)?;
    envoy_gateway(stage)?;

    let mut complaints = Vec::new();
    for file in yaml_files(&root().join("tests/manifests/refused"))? {
        let text = fs::read_to_string(&file)?;
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match kubectl.feed(DRY_RUN, &text) {
            Ok(_) => complaints.push(format!("{name} was accepted")),
            Err(error) => {
                // What the schemas refuse never comes to the webhook.
                let by_webhook = format!("{error:#}").contains("admission webhook");
                let only_webhook = text.starts_with("# refused by: webhook\n");
                if by_webhook != only_webhook {
                    complaints.push(format!("{name}: {error:#}"));
                }
            }
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// The backends for a test cluster.
fn backends(kubectl: &Kubectl) -> Result<()> {
    let folder = root().join("examples/observability");
    let rendered = kubectl.run(&format!("kustomize {}", folder.display()))?;
    kubectl.feed(DRY_RUN, &rendered)?;
    // A mistake is seen.
    let broken = rendered.replacen("replicas:", "replicaz:", 1);
    ensure!(
        broken != rendered && kubectl.feed(DRY_RUN, &broken).is_err(),
        "a field that nobody knows"
    );
    Ok(())
}

/// What the chart of Envoy Gateway would have brought, and a policy of its kind: as it is after `make pin`, and broken.
fn envoy_gateway(stage: &Stage) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    let schema = tools::manifests("envoy-gateway")?;
    kubectl.run(&format!(
        "apply --server-side --filename {}",
        schema.display()
    ))?;
    kubectl.run("wait --for condition=Established crd/envoyextensionpolicies.gateway.envoyproxy.io --timeout 60s")?;
    let file = root().join("examples/envoy-gateway/extension-policy.yaml");
    let shipped = fs::read_to_string(file)?;
    let digest = Digest::of(b"manifest");
    let pin = Pin::new("registry.example/throughline", Some("1.2.3"), &digest);
    let (pinned, places) = pinned(&shipped, &pin)?;
    ensure!(places == 1, "{places} places for an image");
    kubectl.feed(DRY_RUN, &pinned)?;
    for (right, wrong) in [
        ("failOpen:", "failsOpen:"),
        ("kind: Gateway\n", "kind: Deployment\n"),
        ("type: Image", "type: HTTP"),
    ] {
        let broken = pinned.replace(right, wrong);
        ensure!(
            broken != pinned && kubectl.feed(DRY_RUN, &broken).is_err(),
            "{wrong} was accepted"
        );
    }
    Ok(())
}

/// Every folder with a kustomization that can be rendered; components cannot by themselves.
fn kustomizations(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if let Ok(text) = fs::read_to_string(folder.join("kustomization.yaml"))
        && text.contains("\nkind: Kustomization\n")
    {
        found.push(folder.to_owned());
    }
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(kustomizations(&entry.path())?);
        }
    }
    Ok(found)
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths: Vec<_> = entries.map(|e| Ok(e?.path())).collect::<Result<_>>()?;
    let files: Vec<_> = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    ensure!(!files.is_empty(), "no broken examples");
    Ok(files)
}
