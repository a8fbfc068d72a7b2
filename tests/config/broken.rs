//! `broken.tsv`: configurations that are refused, each with the path that the refusal begins with. They are tried in real
//! Envoys, too.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::load;

const TABLE: &str = include_str!("broken.tsv");
const AT_LEAST: usize = 200;

#[test]
fn each_broken_configuration_is_refused_with_its_path() {
    let (mut known, mut wrong) = (BTreeSet::new(), Vec::new());
    for (number, line) in TABLE.lines().enumerate() {
        let (path, config) = line.split_once('\t').expect("path, tab, configuration");
        assert!(known.insert(config), "twice: {config}");
        match load(config, &[]) {
            Ok(_) => wrong.push(format!("{}: taken: {config}", number + 1)),
            Err(message) if is_at(&message, path) => {}
            Err(message) => wrong.push(format!("{}: {path}, not {message}", number + 1)),
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    assert!(known.len() >= AT_LEAST, "{}", known.len());
}

/// Each field of the schema, and each of those that it has.
fn fields(schema: &Value, at: &Value, path: &str, found: &mut BTreeSet<String>) {
    let at = match at["$ref"].as_str() {
        Some(name) => schema
            .pointer(name.trim_start_matches('#'))
            .expect("a definition"),
        None => at,
    };
    for (name, field) in at["properties"].as_object().into_iter().flatten() {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        // An override may hold whatever the whole may.
        if path != "overrides[].config" {
            fields(schema, field, &path, found);
        }
        found.insert(path);
    }
    if at["items"].is_object() {
        fields(schema, &at["items"], &format!("{path}[]"), found);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for at in at[choice].as_array().into_iter().flatten() {
            fields(schema, at, path, found);
        }
    }
}

#[test]
fn every_field_has_a_bad_value() {
    let schema = include_str!("../../docs/pluginconfig.schema.json");
    let schema = serde_json::from_str(schema).expect("a schema");
    let mut all = BTreeSet::new();
    fields(&schema, &schema, "", &mut all);
    let paths = TABLE.lines().filter_map(|line| line.split('\t').next());
    let without_places = |path: &str| {
        let mut parts = path.split('[');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |path, part| {
            let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{path}[{rest}")
        })
    };
    let broken: BTreeSet<String> = paths.map(without_places).collect();
    let is_broken = |field: &String| {
        let is_in = |path: &String| {
            path.strip_prefix(field.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        broken.iter().any(is_in)
    };
    let missing: Vec<_> = all.iter().filter(|field| !is_broken(field)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(all.len() > 60, "{all:#?}");
}

/// A path ends where the message begins; what is wrong with the whole has none.
fn is_at(message: &str, path: &str) -> bool {
    let rest = message.strip_prefix(path);
    rest.is_some_and(|rest| path.contains(' ') || rest.starts_with(": "))
}
