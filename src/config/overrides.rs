//! `overrides`: one configuration for the whole mesh, with differences for some of its proxies.

use super::{Problem, json::Json, reader::Node as Value};
use crate::policy::service::Node;

const FIELDS: [&str; 2] = ["match", "config"];
const MATCHES: [&str; 2] = ["namespaces", "labels"];
/// More than anybody can oversee.
const MAX_OVERRIDES: usize = 64;

/// The document with all overrides merged that are for this proxy, first to last. `check` compiles a document: each
/// override is tried on its own, on every proxy, so that a mistake does not wait for the proxy that it is for.
pub fn merge(
    document: Json,
    node: &mut impl Node,
    check: impl Fn(&Json) -> Result<(), Problem>,
) -> Result<Json, Problem> {
    let Some(overrides) = document.field("overrides").cloned() else {
        return Ok(document);
    };
    let mut merged = document;
    remove(&mut merged, "overrides");
    if overrides == Json::Null {
        return Ok(merged);
    }
    let base = merged.clone();
    check(&base)?;
    let overrides = Value::below(&overrides, "overrides");
    let list = overrides.list()?;
    if list.len() > MAX_OVERRIDES {
        return Err(overrides.problem(format!(
            "expected at most {MAX_OVERRIDES}, got {}",
            list.len()
        )));
    }
    for entry in list {
        let entry = entry.object(&FIELDS)?;
        let config = entry.required("config")?;
        config.map()?;
        let mut tried = base.clone();
        patch(&mut tried, config.json());
        check(&tried).map_err(|problem| config.problem(problem.to_string()))?;
        if is_for(&entry.required("match")?, node)? {
            patch(&mut merged, config.json());
        }
    }
    Ok(merged)
}

/// Whether all that is asked for holds.
fn is_for(criteria: &Value<'_>, node: &mut impl Node) -> Result<bool, Problem> {
    let fields = criteria.object(&MATCHES)?;
    let mut holds = true;
    let namespaces = fields.get("namespaces");
    if let Some(namespaces) = &namespaces {
        let own = node.metadata(&["NAMESPACE"]);
        let mut is_listed = false;
        let list = namespaces.list()?;
        for namespace in &list {
            is_listed |= own.as_deref() == Some(namespace.string()?);
        }
        if list.is_empty() {
            return Err(none(namespaces));
        }
        holds &= is_listed;
    }
    let labels = fields.get("labels");
    if let Some(labels) = &labels {
        let mut is_any = false;
        for (name, value) in labels.map()?.fields() {
            is_any = true;
            let value = value.string()?;
            holds &= node.metadata(&["LABELS", name]).as_deref() == Some(value);
        }
        if !is_any {
            return Err(none(labels));
        }
    }
    if namespaces.or(labels).is_none() {
        return Err(criteria.problem("needs namespaces or labels; what is for all belongs outside"));
    }
    Ok(holds)
}

/// Without any, namespaces would be for no proxy, and labels for all.
fn none(node: &Value<'_>) -> Problem {
    node.problem("expected at least one; what is for all belongs outside")
}

/// JSON Merge Patch (RFC 7396): objects merge, null takes a field away, all else replaces.
fn patch(target: &mut Json, patch_with: &Json) {
    let Json::Object(changes) = patch_with else {
        *target = patch_with.clone();
        return;
    };
    if !matches!(target, Json::Object(_)) {
        *target = Json::Object(Vec::new());
    }
    for (name, change) in changes {
        if *change == Json::Null {
            remove(target, name);
            continue;
        }
        let Json::Object(fields) = target else { return };
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => patch(value, change),
            None => {
                // Nulls inside a new object take nothing away, and mean absent anyway.
                fields.push((name.clone(), change.clone()));
            }
        }
    }
}

fn remove(object: &mut Json, name: &str) {
    if let Json::Object(fields) = object {
        fields.retain(|(known, _)| known != name);
    }
}
