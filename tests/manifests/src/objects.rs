//! Kubernetes objects, in whatever order and layout a tool printed them.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What names an object: kind, namespace, name.
pub type Name = (String, String, String);

#[derive(Debug, Clone, PartialEq)]
pub struct Object(pub Value);

impl Object {
    pub fn kind(&self) -> &str {
        self.0["kind"].as_str().unwrap_or_default()
    }

    fn name(&self) -> Result<Name> {
        let field = |pointer: &str| {
            let value = self.0.pointer(pointer).and_then(Value::as_str);
            value.with_context(|| format!("{pointer} of {}", self.0))
        };
        let namespace = field("/metadata/namespace").unwrap_or_default();
        Ok((
            field("/kind")?.to_owned(),
            namespace.to_owned(),
            field("/metadata/name")?.to_owned(),
        ))
    }

    /// Where a plugin of either kind has its module and configuration.
    pub fn wasm(&self) -> Option<&Value> {
        match self.kind() {
            "WasmPlugin" => Some(&self.0["spec"]),
            "TrafficExtension" => Some(&self.0["spec"]["wasm"]),
            _ => None,
        }
    }
}

/// The objects in a text of YAML documents. Two of the same name are an error, as one would overwrite the other.
pub fn objects(text: &str) -> Result<BTreeMap<Name, Object>> {
    let mut objects = BTreeMap::new();
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let value = Value::deserialize(document)?;
        if value.is_null() {
            continue;
        }
        let object = Object(value);
        let name = object.name()?;
        ensure!(!objects.contains_key(&name), "{name:?} is there twice");
        objects.insert(name, object);
    }
    Ok(objects)
}
