//! The compose file of examples/envoy, as the library loads it that Docker Compose is made of. Nothing is started, as there is no
//! container engine.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use throughline_manifests::{compose, path};

const FILE: &str = "examples/envoy/compose.yaml";

#[test]
fn compose_takes_it_and_every_file_that_it_mounts_is_there() -> Result<()> {
    let loaded: Value = serde_yaml_ng::from_str(&compose(&path(FILE).canonicalize()?)?)?;
    let services = loaded["services"].as_object().context("no services")?;
    let volumes = services
        .values()
        .filter_map(|service| service["volumes"].as_array());
    let mut mounted = 0;
    for volume in volumes.flatten() {
        let source = volume["source"].as_str().context("no source")?;
        mounted += 1;
        // What `make build` makes is there afterwards.
        let built = source.ends_with("/target/throughline.wasm");
        assert!(built || fs::exists(source)?, "{source} is not there");
    }
    assert_eq!(mounted, 3);
    Ok(())
}

#[test]
fn it_refuses_what_it_does_not_know() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("compose.yaml");
    let text = fs::read_to_string(path(FILE))?.replace("depends_on", "dependsOn");
    fs::write(&file, text)?;
    let complaint = match compose(&file) {
        Ok(loaded) => panic!("it was taken:\n{loaded}"),
        Err(complaint) => complaint.to_string(),
    };
    assert!(complaint.contains("dependsOn"), "{complaint}");
    Ok(())
}
