//! `vmConfig.env`: what is no list of variables, an API server refuses or drops, and the filter never sees.

use super::plugin::Manifest;
use super::refused::refused;
use super::warnings::{Warning, unknown};
use crate::yaml::{Node, Value};
use std::collections::HashSet;

const FIELDS: [&str; 3] = ["name", "value", "valueFrom"];

/// About the variables of a manifest of Istio's.
pub fn warnings(manifest: &Manifest<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let Some(vm) = manifest.wasm.field("vmConfig") else {
        return warnings;
    };
    if !matches!(vm.node.value, Value::Map(_)) {
        warnings.push(refused(vm.place, "vmConfig", "expected {env: […]}"));
    }
    for field in vm.node.fields() {
        warnings.extend(unknown(field, "vmConfig.", &["env"]));
    }
    let Some(env) = vm.node.field("env") else {
        return warnings;
    };
    if !matches!(env.node.value, Value::List(_)) {
        let expected = "expected a list of {name: …, value: …}";
        warnings.push(refused(env.place, "vmConfig.env", expected));
    }
    let mut names = HashSet::new();
    for (index, item) in env.node.items().iter().enumerate() {
        let path = format!("vmConfig.env[{index}]");
        of_variable(item, &path, &mut names, &mut warnings);
    }
    warnings
}

fn of_variable<'a>(
    item: &'a Node,
    path: &str,
    names: &mut HashSet<&'a str>,
    warnings: &mut Vec<Warning>,
) {
    for field in item.fields() {
        warnings.extend(unknown(field, &format!("{path}."), &FIELDS));
    }
    let name = item.field("name");
    match name.map(|name| (name.place, name.node.text())) {
        Some((place, Some(name))) if !names.insert(name) => {
            let said = format!("{name:.60} is given twice");
            warnings.push(refused(place, path, &said));
        }
        Some((_, Some(_))) => {}
        _ => warnings.push(refused(item.place, path, "expected {name: …, value: …}")),
    }
    if let Some(value) = item
        .field("value")
        .filter(|value| value.node.text().is_none())
    {
        let path = format!("{path}.value");
        let said = "expected a string: put it in quotes";
        warnings.push(refused(value.place, &path, said));
    }
    let from = item.field("valueFrom");
    if let Some(from) = from.filter(|from| !matches!(from.node.text(), Some("HOST" | "INLINE"))) {
        let path = format!("{path}.valueFrom");
        warnings.push(refused(from.place, &path, "expected HOST or INLINE"));
    }
    let is_of_host = from.is_some_and(|from| from.node.text() == Some("HOST"));
    if let Some(value) = item.field("value").filter(|_| is_of_host) {
        let path = format!("{path}.value");
        let said = "the host has it, by valueFrom: keep one of the two";
        warnings.push(refused(value.place, &path, said));
    }
}
