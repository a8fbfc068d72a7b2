//! What a proxy has of the plugin.

use super::pod::Pod;
use crate::poll;
use anyhow::{Context, Result};
use serde_json::Value;
use std::time::Duration;

/// istiod waits a little for more changes before it pushes, and an agent pulls the image.
pub const PUSHED_WITHIN: Duration = Duration::from_secs(120);

/// What a plugin's configuration has where a module runs, and not where another filter stands in for it.
pub const MODULE: &str = "envoy.wasm.runtime.v8";

/// What an Envoy has of the plugin: nothing, or the configuration that istiod sent, as text, with what the agent made of the
/// module's address.
pub fn plugin(pod: &Pod) -> Result<Option<String>> {
    let listeners: Value =
        serde_json::from_str(&pod.admin("/config_dump?resource=dynamic_listeners")?)?;
    let listeners = listeners["configs"].as_array().into_iter().flatten();
    // What is drained may name it for a while.
    let mut active = listeners.map(|listener| &listener["active_state"]);
    if !active.any(|listener| listener.to_string().contains("extensions.istio.io/")) {
        return Ok(None);
    }
    pod.find("/config_dump?resource=ecds_filters")
}

/// Waits until what a pod has of the plugin satisfies `is_right`.
pub fn wait_for_plugin(
    pod: &Pod,
    what: &str,
    is_right: impl Fn(Option<&str>) -> bool,
) -> Result<()> {
    let name = pod.name();
    poll::until_within(PUSHED_WITHIN, &format!("{name} to have {what}"), || {
        std::thread::sleep(Duration::from_millis(100));
        Ok(is_right(plugin(pod)?.as_deref()).then_some(()))
    })
    .with_context(|| format!("it has {}", plugin(pod).ok().flatten().unwrap_or_default()))
}
