//! What a kubelet makes of a container's specification: its arguments and environment.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::{fs, thread};

/// What a container is started with.
#[derive(Debug)]
pub struct Container {
    pub arguments: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// The ids of its user and group, where it says them.
    pub user: Option<u32>,
    pub group: Option<u32>,
}

impl Container {
    /// That of this name in a pod, among the init containers too: a sidecar is one of them.
    pub fn of(pod: &Value, name: &str) -> Result<Self> {
        let spec = find(pod, name).with_context(|| format!("no container {name:?}"))?;
        let mut environment = BTreeMap::new();
        for variable in list(&spec["env"]) {
            let name = text(&variable["name"]).context("a variable without a name")?;
            let value = value_of(variable, pod, spec).with_context(|| format!("env {name}"))?;
            environment.insert(name.to_owned(), value);
        }
        let arguments = list(&spec["args"]).filter_map(Value::as_str);
        let arguments = arguments
            .map(|argument| expanded(argument, &environment))
            .collect();
        let id = |field: &str| {
            let id = spec["securityContext"][field].as_u64();
            id.and_then(|id| u32::try_from(id).ok())
        };
        Ok(Self {
            arguments,
            environment,
            user: id("runAsUser"),
            group: id("runAsGroup"),
        })
    }

    /// Whether a pod has one of this name.
    pub fn is_in(pod: &Value, name: &str) -> bool {
        find(pod, name).is_some()
    }
}

fn find<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    let spec = &pod["spec"];
    list(&spec["initContainers"])
        .chain(list(&spec["containers"]))
        .find(|container| container["name"] == name)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn value_of(variable: &Value, pod: &Value, container: &Value) -> Result<String> {
    if let Some(field) = text(&variable["valueFrom"]["fieldRef"]["fieldPath"]) {
        return field_of(pod, field);
    }
    if let Some(resource) = text(&variable["valueFrom"]["resourceFieldRef"]["resource"]) {
        let pointer = format!("/resources/{}", resource.replace('.', "/"));
        return match container.pointer(&pointer).and_then(Value::as_str) {
            Some(quantity) => number(quantity),
            // A container without a limit may have all that its node has.
            None => all_of_the_node(resource),
        };
    }
    if !variable["valueFrom"].is_null() {
        bail!("{} is not known here", variable["valueFrom"]);
    }
    Ok(text(&variable["value"]).unwrap_or_default().to_owned())
}

/// A field such as `metadata.name` or `metadata.labels['app']`; empty where there is none, as a kubelet has it.
fn field_of(pod: &Value, field: &str) -> Result<String> {
    let (path, key) = match field.split_once("['") {
        Some((path, key)) => (path, key.strip_suffix("']")),
        None => (field, None),
    };
    let mut value = pod
        .pointer(&format!("/{}", path.replace('.', "/")))
        .unwrap_or(&Value::Null);
    if let Some(key) = key {
        value = &value[key];
    }
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        _ => bail!("{field} is not a text"),
    }
}

fn all_of_the_node(resource: &str) -> Result<String> {
    match resource {
        "limits.cpu" => Ok(thread::available_parallelism()?.to_string()),
        "limits.memory" => {
            let all = fs::read_to_string("/proc/meminfo")?;
            let total = all.lines().find_map(|line| line.strip_prefix("MemTotal:"));
            let kilobytes = total.and_then(|text| text.trim().strip_suffix(" kB"));
            Ok(format!("{}000", kilobytes.context("no MemTotal")?))
        }
        _ => bail!("the node's {resource} is not known here"),
    }
}

/// A quantity in whole units, rounded up.
fn number(quantity: &str) -> Result<String> {
    let digits = quantity.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let amount: u64 = digits
        .parse()
        .with_context(|| format!("the quantity {quantity}"))?;
    let amount = match quantity.strip_prefix(digits).unwrap_or_default() {
        "" => amount,
        "m" => amount.div_ceil(1000),
        "Mi" => amount << 20,
        "Gi" => amount << 30,
        unit => bail!("the unit {unit} of {quantity}"),
    };
    Ok(amount.to_string())
}

/// With each `$(NAME)` replaced.
fn expanded(argument: &str, environment: &BTreeMap<String, String>) -> String {
    let mut text = argument.to_owned();
    for (name, value) in environment {
        text = text.replace(&format!("$({name})"), value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Container;
    use anyhow::Result;
    use serde_json::{Value, json};

    fn pod(variable: &Value) -> Value {
        json!({
            "metadata": {"name": "a", "labels": {"app": "b"}},
            "spec": {"initContainers": [{
                "name": "istio-proxy",
                "args": ["proxy", "--domain", "$(A).svc"],
                "env": [variable],
                "resources": {"limits": {"cpu": "2500m", "memory": "1Gi"}},
            }]},
        })
    }

    #[test]
    fn variables_are_read_as_a_kubelet_reads_them() -> Result<()> {
        let field =
            |path: &str| json!({"name": "A", "valueFrom": {"fieldRef": {"fieldPath": path}}});
        let limit =
            |of: &str| json!({"name": "A", "valueFrom": {"resourceFieldRef": {"resource": of}}});
        for (variable, expected) in [
            (json!({"name": "A", "value": "x"}), "x"),
            (json!({"name": "A"}), ""),
            (field("metadata.name"), "a"),
            (field("metadata.labels['app']"), "b"),
            (field("spec.nodeName"), ""),
            (limit("limits.cpu"), "3"),
            (limit("limits.memory"), "1073741824"),
        ] {
            let container = Container::of(&pod(&variable), "istio-proxy")?;
            assert_eq!(container.environment["A"], expected, "{variable}");
            assert_eq!(container.arguments[2], format!("{expected}.svc"));
        }
        let secret = json!({"name": "A", "valueFrom": {"secretKeyRef": {}}});
        assert!(Container::of(&pod(&secret), "istio-proxy").is_err());
        assert!(Container::of(&pod(&json!({"name": "A"})), "app").is_err());
        Ok(())
    }
}
