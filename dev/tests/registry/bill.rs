//! The bill of materials: valid, the same every time, and of exactly what is linked.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use throughline_dev::image::documents;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn document() -> Result<Value> {
    Ok(serde_json::from_slice(&documents::sbom(
        root(),
        1_790_000_000,
    )?)?)
}

/// `name version` of what Cargo compiles and links into the module, macros and build scripts left out.
fn linked() -> Result<BTreeSet<String>> {
    let tree = Command::new("cargo")
        .args([
            "tree",
            "--locked",
            "--package",
            "throughline",
            "--target",
            "wasm32-wasip1",
        ])
        .args([
            "--edges",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(root())
        .output()?;
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    String::from_utf8(tree.stdout)?
        .lines()
        .map(|line| {
            let mut words = line.split(' ');
            let (name, version) = (
                words.next(),
                words.next().and_then(|version| version.strip_prefix('v')),
            );
            Ok(format!(
                "{} {}",
                name.context("no name")?,
                version.context("no version")?
            ))
        })
        .collect()
}

fn name_and_version(component: &Value) -> String {
    let text = |key: &str| component[key].as_str().unwrap_or("?").to_owned();
    format!("{} {}", text("name"), text("version"))
}

#[test]
fn it_lists_exactly_what_is_linked() -> Result<()> {
    let document = document()?;
    let mut wanted = linked()?;
    let module = concat!("throughline ", env!("CARGO_PKG_VERSION"));
    assert!(wanted.remove(module), "cargo tree has no {module}");
    assert!(
        wanted
            .iter()
            .any(|crate_| crate_.starts_with("serde_json ")),
        "{wanted:?}"
    );
    let toolchain = std::fs::read_to_string(root().join("rust-toolchain.toml"))?;
    let (_, channel) = toolchain.split_once("channel = \"").context("no channel")?;
    wanted.insert(format!(
        "rust-std {}",
        channel.split_once('"').context("no channel")?.0
    ));

    assert_eq!(name_and_version(&document["metadata"]["component"]), module);
    let components = document["components"].as_array().context("no components")?;
    assert_eq!(
        components
            .iter()
            .map(name_and_version)
            .collect::<BTreeSet<_>>(),
        wanted
    );
    assert_eq!(components.len(), wanted.len());
    for component in components {
        assert!(
            component["licenses"][0]["expression"].is_string(),
            "{component}"
        );
    }

    // And each is reached from the module.
    let dependencies = document["dependencies"]
        .as_array()
        .context("no dependencies")?;
    let mut reached = BTreeSet::new();
    let mut left = vec![document["metadata"]["component"]["bom-ref"].clone()];
    while let Some(reference) = left.pop() {
        let node = dependencies
            .iter()
            .find(|node| node["ref"] == reference)
            .context("a reference to nothing")?;
        if reached.insert(reference.to_string()) {
            left.extend(node["dependsOn"].as_array().into_iter().flatten().cloned());
        }
    }
    assert_eq!(reached.len(), components.len() + 1);
    Ok(())
}

#[test]
fn it_is_what_cyclonedx_says_a_document_is() -> Result<()> {
    let schema = |name: &str| -> Result<Value> {
        let path = root().join("dev/tests/registry/schema").join(name);
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    };
    let registry = jsonschema::Registry::new()
        .add(
            "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json",
            schema("spdx.SNAPSHOT.schema.json")?,
        )?
        .add(
            "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json",
            schema("jsf-0.82.SNAPSHOT.schema.json")?,
        )?
        .prepare()?;
    let bom = schema("bom-1.5.SNAPSHOT.schema.json")?;
    let validator = jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&bom)?;
    let mut document = document()?;
    let errors: Vec<_> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(document["specVersion"], "1.5");
    assert_eq!(
        document["metadata"]["timestamp"],
        "2026-09-21T14:13:20.000000000Z"
    );

    document["components"][0]["type"] = "no such type".into();
    assert!(!validator.is_valid(&document), "the schema refuses nothing");
    Ok(())
}

#[test]
fn it_is_the_same_every_time_and_tells_no_path() -> Result<()> {
    let one = documents::sbom(root(), 1_790_000_000)?;
    assert_eq!(one, documents::sbom(root(), 1_790_000_000)?);
    let text = String::from_utf8(one)?;
    assert!(!text.contains("file:"), "{text}");
    Ok(())
}

#[test]
fn each_that_it_lists_comes_with_its_licence() -> Result<()> {
    let sbom = documents::sbom(root(), 1_790_000_000)?;
    let notices = documents::notices(root(), &sbom)?;
    assert_eq!(notices, documents::notices(root(), &sbom)?);
    let notices = String::from_utf8(notices)?;
    for component in document()?["components"]
        .as_array()
        .context("no components")?
    {
        let title = format!("\n{} (", name_and_version(component));
        assert!(notices.contains(&title), "{title}");
    }
    for text in [
        "Copyright (c) 2015 Andrew Gallant",
        "Copyright notices for The Rust Standard Library",
    ] {
        assert!(notices.contains(text), "{text}");
    }
    // One that has none is an error, and not left out.
    let mut unknown = document()?;
    unknown["components"][0]["version"] = "0.0.0".into();
    assert!(documents::notices(root(), unknown.to_string().as_bytes()).is_err());
    assert!(documents::notices(root(), b"no bill").is_err());
    Ok(())
}
