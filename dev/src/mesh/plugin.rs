//! The Wasm filter in a listener, delivered as Istio delivers it: its configuration comes over ECDS and may change.

use crate::envoy::Envoy;
use crate::poll;
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

/// A Wasm plugin.
#[derive(Clone, Debug)]
pub struct Plugin {
    name: String,
    module: PathBuf,
    /// A protobuf message, with its `@type`.
    configuration: Value,
    environment: Map<String, Value>,
    failure_policy: String,
}

/// How often Envoy has taken and rejected what was delivered.
struct Outcome {
    taken: u64,
    rejected: u64,
}

impl Plugin {
    /// The module of that path under the name `throughline`, with a configuration. A panic in it fails requests,
    /// so that a test sees it.
    pub fn new(module: &Path, configuration: &Value) -> Self {
        Self {
            name: "throughline".to_owned(),
            module: module.to_owned(),
            configuration: string_value(&configuration.to_string()),
            environment: Map::new(),
            failure_policy: "FAIL_CLOSED".to_owned(),
        }
    }

    /// Another name and root id: two plugins on one listener need two.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Another configuration, as text, valid or not.
    #[must_use]
    pub fn configured(mut self, text: &str) -> Self {
        self.configuration = string_value(text);
        self
    }

    /// Another configuration, as any protobuf message (with its `@type`), or none (`null`).
    #[must_use]
    pub fn configured_by(mut self, message: &Value) -> Self {
        self.configuration = message.clone();
        self
    }

    /// Sets an environment variable of its virtual machine.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), json!(value));
        self
    }

    /// What happens to requests when it panics: `FAIL_CLOSED`, `FAIL_OPEN` or `FAIL_RELOAD`.
    #[must_use]
    pub fn failure_policy(mut self, policy: &str) -> Self {
        policy.clone_into(&mut self.failure_policy);
        self
    }

    /// Gives a running Envoy this plugin in place of the one of the same name, and waits until it has taken effect
    /// on every listener that has it. Fails when Envoy rejects it; the old one then stays.
    pub fn reload(&self, envoy: &Envoy) -> Result<()> {
        let before = self.outcome(envoy)?;
        self.deliver(envoy.directory())?;
        poll::until("Envoy to take the new plugin configuration", || {
            let now = self.outcome(envoy)?;
            if now.rejected > before.rejected {
                bail!(
                    "Envoy rejected the plugin configuration; the end of its log:\n{}",
                    envoy.log_tail(10)
                );
            }
            Ok((now.taken > before.taken).then_some(()))
        })
    }

    /// Fails when Envoy has started without the plugin: it does so, answers every request with 500, and reports itself
    /// ready.
    pub(super) fn check_taken(&self, envoy: &Envoy) -> Result<()> {
        let outcome = self.outcome(envoy)?;
        if outcome.taken == 0 || outcome.rejected > 0 {
            bail!(
                "Envoy started without the plugin {}; the end of its log:\n{}",
                self.name,
                envoy.log_tail(20)
            );
        }
        Ok(())
    }

    fn outcome(&self, envoy: &Envoy) -> Result<Outcome> {
        let stats = envoy.stats()?;
        let count = |what| {
            let name = format!(
                "extension_config_discovery.http_filter.{}.{what}",
                self.name
            );
            stats.get(&name).copied().unwrap_or(0)
        };
        Ok(Outcome {
            taken: count("update_success"),
            rejected: count("update_rejected") + count("config_fail"),
        })
    }

    /// Writes the file that Envoy watches; by renaming, which is what it watches for.
    pub(super) fn deliver(&self, directory: &Path) -> Result<()> {
        let path = self.path(directory);
        let parent = path.parent().context("a plugin file without a directory")?;
        fs::create_dir_all(parent)?;
        let response = json!({"resources": [{
            "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
            "name": self.name,
            "typed_config": self.to_json(),
        }]});
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        serde_json::to_writer_pretty(&mut file, &response)?;
        file.persist(&path)?;
        Ok(())
    }

    /// The entry in the list of HTTP filters: where to get the configuration from.
    pub(super) fn filter(&self, directory: &Path) -> Value {
        let path = self.path(directory);
        json!({"name": self.name, "config_discovery": {
            "config_source": {
                "resource_api_version": "V3",
                "path_config_source": {"path": path, "watched_directory": {"path": path.parent()}},
            },
            "type_urls": [WASM],
        }})
    }

    fn path(&self, directory: &Path) -> PathBuf {
        directory
            .join("plugins")
            .join(format!("{}.json", self.name))
    }

    /// The Wasm filter's own configuration.
    pub fn to_json(&self) -> Value {
        json!({"@type": WASM, "config": {
            "name": self.name,
            "root_id": self.name,
            "configuration": self.configuration,
            "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": self.module}},
                "environment_variables": {"key_values": self.environment},
            },
            "failure_policy": self.failure_policy,
        }})
    }
}

/// What Istio hands pluginConfig over in.
fn string_value(text: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text})
}
