//! Every YAML file of the repository is read by its own tool in some test, and every piece of YAML in the documentation by the
//! filter.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use throughline::{config, policy::service::UnknownNode};
use throughline_dev::documentation::{Page, example};
use throughline_manifests::{files, path, text};

/// Who reads a file.
enum Reader {
    /// A real API server with Istio's schemas and webhook, or Istio's own validation: objects, and what renders them.
    Kubernetes(&'static str),
    /// The tool that it is written for, in this test.
    Tool(&'static str),
    /// Nobody: the tool is not to be had. The words in which examples/observability/README.md says so.
    Nobody(&'static str),
}
use Reader::{Kubernetes, Nobody, Tool};

const VALIDATION: &str = "dev/istio/checks/validation_test.go";
const API_SERVER: &str = "dev/tests/istio/scenarios/manifests.rs";

/// How the paths begin, with who reads what is there; the first that fits.
const READERS: &[(&str, Reader)] = &[
    // The same in three forms, of which istioctl and istiod read one.
    (
        "wasmplugin/istio-operator.yaml",
        Tool("dev/tests/istio/stage.rs"),
    ),
    (
        "wasmplugin/istiod-values.yaml",
        Tool("tests/manifests/tests/files.rs"),
    ),
    (
        "wasmplugin/meshconfig.yaml",
        Tool("tests/manifests/tests/files.rs"),
    ),
    ("wasmplugin/", Kubernetes(VALIDATION)),
    ("tests/manifests/refused/", Kubernetes(VALIDATION)),
    // Rendered, and compared with the kustomizations.
    (
        "charts/throughline/templates/",
        Kubernetes("tests/manifests/tests/rendered.rs"),
    ),
    ("cli/tests/commands/", Tool("cli/tests/commands/explain.rs")),
    ("cli/tests/envoy/", Tool("cli/tests/envoy/table.rs")),
    (
        "charts/throughline/",
        Tool("tests/manifests/tests/chart.rs"),
    ),
    (
        "dev/istio/checks/mesh.yaml",
        Kubernetes("dev/istio/checks/placement_test.go"),
    ),
    (
        "dev/tests/istio/routes.yaml",
        Kubernetes("dev/tests/istio/stage.rs"),
    ),
    (
        "dev/tests/istio/waypoint.yaml",
        Kubernetes("dev/tests/istio/scenarios/waypoint.rs"),
    ),
    (
        "examples/demo-istio/manifests/",
        Kubernetes("examples/demo-istio/tests/scenarios/main.rs"),
    ),
    ("examples/envoy-gateway/", Kubernetes(API_SERVER)),
    (
        "examples/envoy/compose.yaml",
        Tool("tests/manifests/tests/compose.rs"),
    ),
    ("examples/envoy/", Tool("tests/examples.rs")),
    (
        "examples/observability/collector/",
        Tool("dev/tests/backends/observability/mod.rs"),
    ),
    (
        "examples/observability/fluent-bit/",
        Nobody("not in Fluent Bit itself"),
    ),
    (
        "examples/observability/grafana/",
        Nobody("not in Grafana itself"),
    ),
    (
        "examples/observability/kiali/",
        Nobody("as neither Kiali nor the schema of its kind"),
    ),
    ("examples/observability/kubernetes/", Kubernetes(API_SERVER)),
    (
        "examples/observability/kustomization.yaml",
        Kubernetes(API_SERVER),
    ),
    (
        "examples/observability/prometheus/",
        Tool("tests/manifests/tests/prometheus.rs"),
    ),
    (
        "examples/observability/tempo/",
        Tool("dev/tests/backends/tempo.rs"),
    ),
];

#[test]
fn every_file_has_a_reader() -> Result<()> {
    let excuses = text("examples/observability/README.md")?;
    let mut unused: Vec<_> = READERS.iter().map(|(begin, _)| *begin).collect();
    for file in files(&[".yaml", ".yml"])? {
        let Some((begin, reader)) = READERS.iter().find(|(begin, _)| file.starts_with(begin))
        else {
            panic!(
                "{file}: no test reads it. Let its own tool read it in one, and name that test in {}",
                file!()
            );
        };
        unused.retain(|other| other != begin);
        match reader {
            Kubernetes(test) | Tool(test) => assert!(path(test).is_file(), "{test} is not there"),
            Nobody(why) => assert!(excuses.contains(why), "{file}: {why}?"),
        }
        let objects = !file.contains("/templates/")
            && is_objects(&text(&file)?).with_context(|| file.clone())?;
        assert!(
            !objects || !matches!(reader, Tool(_)),
            "{file}: objects that no API server sees"
        );
    }
    assert!(unused.is_empty(), "no file begins with {unused:?}");
    Ok(())
}

/// Whether it holds objects that a cluster could have.
fn is_objects(text: &str) -> Result<bool> {
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let document = Value::deserialize(document)?;
        let of = document["apiVersion"].as_str().unwrap_or_default();
        // Read by Helm, kustomize and istioctl alone, or by Grafana, whose versions are numbers.
        let tools = ["v2", "kustomize.config.k8s.io/", "install.istio.io/"];
        if of.is_empty()
            || tools.iter().any(|tool| of.starts_with(tool))
            || !document["kind"].is_string()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The blocks that are configuration: alone, or of a worked example.
const PIECES: [&str; 3] = ["yaml", "json", example::CONFIG];

#[test]
fn the_filter_takes_every_piece_of_configuration_in_the_pages() -> Result<()> {
    let mut taken = 0;
    for path in files(&[".md"])? {
        let blocks = Page::read(&path)?.blocks().into_iter();
        for block in blocks.filter(|block| PIECES.contains(&block.info.as_str())) {
            let place = format!("{path}:{}", block.line);
            let value: Value =
                serde_yaml_ng::from_str(&block.text).with_context(|| place.clone())?;
            assert!(
                value
                    .get("kind")
                    .is_none_or(|_| value.get("apiVersion").is_none()),
                "{place}: an object. Give it a file in wasmplugin/ or examples/, where an API server sees it, and link to that"
            );
            // Where the image goes in a manifest.
            if value.get("sha256").is_some() && value.get("url").is_some() {
                continue;
            }
            // MeshConfig's, for the environment of proxies: a map of texts. dev/tests/istio plays what it is for.
            if let Some(metadata) = value.pointer("/defaultConfig/proxyMetadata") {
                let metadata = metadata.as_object().with_context(|| place.clone())?;
                assert!(metadata.values().all(Value::is_string), "{place}");
                continue;
            }
            let config = value.get("pluginConfig").unwrap_or(&value).to_string();
            let variable = |name: &str| (name == "API_KEY").then(|| "secret".to_owned());
            config::load(config.as_bytes(), &variable, &mut UnknownNode)
                .map_err(|error| anyhow::anyhow!("{place}: {error}"))?;
            taken += 1;
        }
    }
    assert!(taken > 2, "only {taken} pieces of configuration");
    Ok(())
}
