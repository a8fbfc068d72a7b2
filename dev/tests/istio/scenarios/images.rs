//! Images that cannot be had: with FAIL_OPEN the mesh works as without the plugin, and with the right image it is there.

use crate::stage::{MODULE, Stage, image, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::process::Command;
use throughline_dev::built;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

pub fn missing(stage: &Stage) -> Result<()> {
    let url = "oci://registry.test:5000/nothing-here:1";
    falls_open(stage, "image-missing", &json!({"url": url, "sha256": null}))
}

pub fn wrong_digest(stage: &Stage) -> Result<()> {
    let output = Command::new("sha256sum").arg(built::module()?).output()?;
    let digest = String::from_utf8(output.stdout)?;
    let digest = digest.split(' ').next().context("sha256sum")?;
    falls_open(stage, "wrong-digest", &json!({"sha256": digest}))
}

fn falls_open(stage: &Stage, name: &str, spec: &Value) -> Result<()> {
    stage.install()?;
    let kubectl = stage.cluster.kubectl();
    kubectl.patch(PLUGIN, &json!({"spec": spec}))?;
    wait_for_texts(stage, &["wasm-default-allow"])?;
    ensure!(
        stage.request("/productpage")?.is_empty(),
        "a trace without the module"
    );
    stage.keep(name)?;
    kubectl.patch(PLUGIN, &json!({"spec": image(&stage.digest)}))?;
    wait_for_texts(stage, &[MODULE])?;
    // The stand-in takes no listener with it: every connection has the module again.
    stage.traced()?;
    Ok(())
}
