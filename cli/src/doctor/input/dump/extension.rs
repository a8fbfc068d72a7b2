//! An HTTP filter's own configuration, as far as it is the filter's or stands in its place.

use super::super::json::parse;
use super::kind_of;
use crate::Failure;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Debug)]
pub enum Extension {
    Wasm(Box<Wasm>),
    /// What Istio's agent puts in place of a module that it could not pull: all pass, or none.
    StandIn {
        denies: bool,
    },
    /// A role-based access control that somebody wrote.
    Rbac,
    /// The message's name.
    Other(String),
}

/// A Wasm plugin.
#[derive(Clone, PartialEq, Debug)]
pub struct Wasm {
    pub name: String,
    pub root_id: String,
    pub setting: Setting,
    /// Variables of the virtual machine with their values, and those that it takes from Envoy's own environment.
    pub environment: BTreeMap<String, String>,
    pub host_environment: Vec<String>,
    /// Where the module was loaded from, if from a file.
    pub module: Option<String>,
    pub fails_open: bool,
}

/// A plugin's configuration.
#[derive(Clone, PartialEq, Debug)]
pub enum Setting {
    /// What the plugin gets.
    Text(String),
    /// A message of which the plugin gets the protobuf bytes: its name.
    Message(String),
}

impl Extension {
    /// A `typed_config`.
    pub fn read(place: &str, text: &str) -> Result<Self, Failure> {
        match &*kind_of(place, text)? {
            "Wasm" => Ok(Self::Wasm(Box::new(Wasm::read(place, text)?))),
            "RBAC" => {
                #[derive(Deserialize)]
                struct Rbac {
                    #[serde(alias = "rulesStatPrefix", default)]
                    rules_stat_prefix: String,
                }
                let rbac: Rbac = parse(place, text)?;
                Ok(match &*rbac.rules_stat_prefix {
                    "wasm-default-allow" => Self::StandIn { denies: false },
                    "wasm-default-deny" => Self::StandIn { denies: true },
                    _ => Self::Rbac,
                })
            }
            // The same message, spelled as a struct: as EnvoyFilters have it.
            "TypedStruct" => Self::of_struct(place, text),
            other => Ok(Self::Other(other.to_owned())),
        }
    }

    fn of_struct(place: &str, text: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Struct<'a> {
            #[serde(alias = "typeUrl", default)]
            type_url: String,
            #[serde(borrow)]
            value: Option<&'a RawValue>,
        }
        let Struct { type_url, value } = parse(place, text)?;
        match (type_url.rsplit('.').next().unwrap_or_default(), value) {
            ("Wasm", Some(value)) => {
                let place = format!("{place}.value");
                Ok(Self::Wasm(Box::new(Wasm::read(&place, value.get())?)))
            }
            (kind, _) => Ok(Self::Other(kind.to_owned())),
        }
    }
}

impl Wasm {
    fn read(place: &str, text: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Filter {
            #[serde(default)]
            config: Plugin,
        }
        #[derive(Deserialize, Default)]
        struct Plugin {
            #[serde(default)]
            name: String,
            #[serde(alias = "rootId", default)]
            root_id: String,
            #[serde(default)]
            configuration: Value,
            #[serde(alias = "vmConfig", default)]
            vm_config: Vm,
            #[serde(alias = "failurePolicy", default)]
            failure_policy: String,
            #[serde(alias = "failOpen", default)]
            fail_open: bool,
        }
        #[derive(Deserialize, Default)]
        struct Vm {
            #[serde(alias = "environmentVariables", default)]
            environment_variables: Variables,
            #[serde(default)]
            code: Value,
        }
        #[derive(Deserialize, Default)]
        struct Variables {
            #[serde(alias = "keyValues", default)]
            key_values: BTreeMap<String, String>,
            #[serde(alias = "hostEnvKeys", default)]
            host_env_keys: Vec<String>,
        }
        let Filter { config } = parse(place, text)?;
        let vm = config.vm_config;
        let module = vm.code.pointer("/local/filename").and_then(Value::as_str);
        Ok(Self {
            name: config.name,
            root_id: config.root_id,
            setting: Setting::of(&config.configuration),
            environment: vm.environment_variables.key_values,
            host_environment: vm.environment_variables.host_env_keys,
            module: module.map(str::to_owned),
            fails_open: config.fail_open || config.failure_policy == "FAIL_OPEN",
        })
    }

    /// Whether it is this filter: its name or root id say so, or the file that it was loaded from.
    pub fn is_throughline(&self) -> bool {
        let module = self.module.as_deref().unwrap_or_default();
        self.root_id == "throughline"
            || self.name.contains("throughline")
            || module.contains("throughline")
    }
}

impl Setting {
    fn of(any: &Value) -> Self {
        let kind = any.get("@type").and_then(Value::as_str).unwrap_or_default();
        let value = any.get("value");
        match (kind.rsplit('.').next().unwrap_or_default(), value) {
            ("StringValue", value) => {
                Self::Text(value.and_then(Value::as_str).unwrap_or_default().to_owned())
            }
            ("", _) => Self::Text(String::new()),
            // Of no bytes at all.
            ("Struct", None) => Self::Text(String::new()),
            ("Struct", Some(Value::Object(fields))) if fields.is_empty() => {
                Self::Text(String::new())
            }
            (other, _) => Self::Message(other.to_owned()),
        }
    }
}
