//! The access log that users are told to configure.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// `accessLogFormat` of wasmplugin/meshconfig.yaml: Envoy's format strings by key.
pub fn documented_access_log() -> Result<BTreeMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasmplugin/meshconfig.yaml");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let config: Value = serde_yaml_ng::from_str(&text)?;
    let format = config["accessLogFormat"]
        .as_str()
        .context("accessLogFormat")?;
    Ok(serde_json::from_str(format)?)
}
