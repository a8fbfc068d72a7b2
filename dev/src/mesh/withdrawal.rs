//! Listeners that go while Envoy runs, as they do when Istio changes them.

use super::Listener;
use super::merge::merge;
use crate::envoy::Envoy;
use crate::poll;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Removes every listener that can be removed. They drain first.
pub fn withdraw(envoy: &Envoy) -> Result<()> {
    const REMOVED: &str = "listener_manager.listener_removed";
    let before = envoy.stat(REMOVED)?;
    write(&[], envoy.directory())?;
    poll::until("Envoy to remove the listeners", || {
        Ok((envoy.stat(REMOVED)? > before).then_some(()))
    })
}

/// Replaces the listeners that can be removed by others of their names, as Istio does when it changes them. Connections that are
/// there keep the old ones until they drain.
pub fn replace(envoy: &Envoy, listeners: &[Listener]) -> Result<()> {
    const TAKEN: &str = "listener_manager.lds.update_success";
    let before = envoy.stat(TAKEN)?;
    announce(listeners, envoy.directory())?;
    poll::until("Envoy to take the new listeners", || {
        Ok((envoy.stat(TAKEN)? > before).then_some(()))
    })
}

/// Writes the file that Envoy watches.
pub fn announce(listeners: &[Listener], directory: &Path) -> Result<()> {
    const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
    let mut plugins = listeners.iter().flat_map(Listener::plugins);
    plugins.try_for_each(|plugin| plugin.deliver(directory))?;
    let resource = |listener: &Listener| {
        let mut resource = listener.to_json(directory);
        merge(&mut resource, &json!({"@type": LISTENER}));
        resource
    };
    let resources: Vec<_> = listeners.iter().map(resource).collect();
    write(&resources, directory)
}

/// What the bootstrap needs for it.
pub fn bootstrap(directory: &Path) -> Value {
    let path = path(directory);
    json!({"dynamic_resources": {"lds_config": {
        "resource_api_version": "V3",
        "path_config_source": {"path": path, "watched_directory": {"path": path.parent()}},
    }}})
}

/// By renaming, which is what Envoy watches for.
fn write(resources: &[Value], directory: &Path) -> Result<()> {
    let path = path(directory);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer(&mut file, &json!({"resources": resources}))?;
    file.persist(path)?;
    Ok(())
}

fn path(directory: &Path) -> PathBuf {
    directory.join("listeners").join("listeners.json")
}
