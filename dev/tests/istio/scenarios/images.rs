//! Images that cannot be had: with FAIL_OPEN the mesh works as without the plugin, and with the right image it is there.

use crate::doctor::finds;
use crate::page::quotes;
use crate::stage::{MODULE, Stage, image, plugin, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::process::Command;
use throughline_cli::doctor::Code;
use throughline_dev::built;
use throughline_dev::poll;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

/// What an agent asks for, and does not get.
const NOWHERE: &str = "oci://registry.test:5000/nothing-here:1";

pub fn missing(stage: &Stage) -> Result<()> {
    falls_open(
        stage,
        "image-missing",
        &json!({"url": NOWHERE, "sha256": null}),
    )?;
    quotes(
        "The image is not pulled",
        "error in converting the wasm config to local: cannot fetch Wasm module",
        &stage.gateway.log(),
    )
}

pub fn wrong_digest(stage: &Stage) -> Result<()> {
    let output = Command::new("sha256sum").arg(built::module()?).output()?;
    let digest = String::from_utf8(output.stdout)?;
    let digest = digest.split(' ').next().context("sha256sum")?;
    falls_open(stage, "wrong-digest", &json!({"sha256": digest}))?;
    quotes(
        "The wrong digest",
        "which does not match:",
        &stage.gateway.log(),
    )
}

fn falls_open(stage: &Stage, name: &str, spec: &Value) -> Result<()> {
    stage.install()?;
    let kubectl = stage.cluster.kubectl();
    kubectl.patch(PLUGIN, &json!({"spec": spec}))?;
    wait_for_texts(stage, &["wasm-default-allow"])?;
    quotes(
        "The image is not pulled",
        "wasm-default-allow",
        &plugin(&stage.gateway)?.unwrap_or_default(),
    )?;
    ensure!(
        stage.request("/productpage")?.is_empty(),
        "a trace without the module"
    );
    finds(&stage.gateway, &[Code::ImageNotPulled])?;
    stage.keep(name)?;
    comes_back(stage, &json!({}))
}

/// What `failStrategy` is for: without FAIL_OPEN, which is not Istio's default, the mesh answers nothing but 403.
pub fn fails_closed(stage: &Stage) -> Result<()> {
    stage.install()?;
    let spec = json!({"url": NOWHERE, "sha256": null, "failStrategy": "FAIL_CLOSE"});
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": spec}))?;
    wait_for_texts(stage, &["wasm-default-deny"])?;
    quotes(
        "The image is not pulled",
        "wasm-default-deny",
        &plugin(&stage.gateway)?.unwrap_or_default(),
    )?;
    let answer = stage.get("/productpage", &[])?;
    quotes(
        "The image is not pulled",
        "403 RBAC: access denied",
        &format!("{} {}", answer.status, answer.text()),
    )?;
    finds(&stage.gateway, &[Code::ImageNotPulled])?;
    stage.keep("fails-closed")?;
    comes_back(stage, &json!({"failStrategy": "FAIL_OPEN"}))
}

/// With the right image the module is there again: the stand-in takes no listener with it.
fn comes_back(stage: &Stage, also: &Value) -> Result<()> {
    let mut spec = image(&stage.digest);
    for (field, value) in also.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": spec}))?;
    wait_for_texts(stage, &[MODULE])?;
    poll::until("requests to be answered", || {
        Ok((stage.get("/productpage", &[])?.status == 200).then_some(()))
    })?;
    stage.traced()?;
    Ok(())
}
