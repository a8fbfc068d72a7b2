//! `selector` and `targetRefs`: which proxies a manifest is for.

use super::plugin::Manifest;
use super::refused::refused;
use super::warnings::{Warning, unknown};
use crate::yaml::{Node, Value};

const OF_REFERENCE: [&str; 4] = ["group", "kind", "name", "namespace"];
/// What Istio attaches a plugin to; no group is core's.
const KINDS: [(&str, &str); 5] = [
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("networking.istio.io", "ServiceEntry"),
    ("core", "Service"),
    ("", "Service"),
];
const MOST_REFERENCES: usize = 16;

/// About those of a manifest of Istio's.
pub fn warnings(manifest: &Manifest<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let spec = manifest.spec;
    let given = ["selector", "targetRef", "targetRefs"].map(|name| spec.field(name));
    if let Some(second) = given.iter().flatten().nth(1) {
        let said = "only one of selector, targetRef and targetRefs can be there";
        warnings.push(refused(second.place, &second.name, said));
    }
    let [selector, reference, references] = given;
    if let Some(selector) = selector {
        of_selector(&selector.node, &mut warnings);
    }
    if let Some(reference) = reference {
        of_reference(&reference.node, "targetRef", &mut warnings);
    }
    let Some(references) = references else {
        return warnings;
    };
    if !matches!(&references.node.value, Value::List(items) if items.len() <= MOST_REFERENCES) {
        let said = format!("expected a list of at most {MOST_REFERENCES}");
        warnings.push(refused(references.place, "targetRefs", &said));
    }
    for (index, item) in references.node.items().iter().enumerate() {
        of_reference(item, &format!("targetRefs[{index}]"), &mut warnings);
    }
    warnings
}

fn of_selector(selector: &Node, warnings: &mut Vec<Warning>) {
    let labels = selector.get("matchLabels").unwrap_or(selector);
    if !matches!(labels.value, Value::Map(_)) {
        let said = "expected matchLabels: {LABEL: VALUE}";
        warnings.push(refused(labels.place, "selector", said));
        return;
    }
    for field in selector.fields() {
        warnings.extend(unknown(field, "selector.", &["matchLabels"]));
    }
    let labels = selector.get("matchLabels").map(Node::fields);
    for label in labels.unwrap_or_default() {
        let said = match label.node.text() {
            None => "expected a string: put it in quotes",
            Some(value) if label.name.contains('*') || value.contains('*') => {
                "labels are compared as they are, without *"
            }
            Some(_) => continue,
        };
        warnings.push(refused(label.place, "selector.matchLabels", said));
    }
}

fn of_reference(reference: &Node, path: &str, warnings: &mut Vec<Warning>) {
    for field in reference.fields() {
        warnings.extend(unknown(field, &format!("{path}."), &OF_REFERENCE));
    }
    let text = |name| reference.get(name).and_then(Node::text);
    let (Some(kind), Some(_)) = (text("kind"), text("name")) else {
        let said = "expected {group: …, kind: …, name: …}";
        warnings.push(refused(reference.place, path, said));
        return;
    };
    if !KINDS.contains(&(text("group").unwrap_or_default(), kind)) {
        let said = "expected a Gateway or GatewayClass (gateway.networking.k8s.io), a ServiceEntry (networking.istio.io) or a Service";
        warnings.push(refused(reference.place, path, said));
    }
    let namespace = reference.field("namespace");
    if let Some(namespace) = namespace.filter(|namespace| namespace.node.text() != Some("")) {
        let said = "a target is in the plugin's own namespace: leave it out";
        warnings.push(refused(namespace.place, &format!("{path}.namespace"), said));
    }
}
