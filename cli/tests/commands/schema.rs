//! docs/pluginconfig.schema.json against the module's own loader: the same fields in every section, the same words and ranges,
//! and nothing that the loader takes is refused by the schema.

use crate::program::{root, throughline};
use anyhow::{Context, Result, bail, ensure};
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use throughline::config;
use throughline::policy::service::UnknownNode;
use throughline_cli::schema::OF_CONFIG;

/// No field is near it.
const STRANGER: &str = "qqqqqqqqqqqqqqqq";

fn schema() -> Result<Value> {
    Ok(serde_json::from_str(OF_CONFIG)?)
}

fn validator() -> Result<Validator> {
    jsonschema::validator_for(&schema()?).context("the schema itself")
}

/// What the loader says of it.
fn refusal(config: &Value) -> Option<String> {
    let environment = |name: &str| (name == "API_KEY").then(|| "key".to_owned());
    let text = config.to_string();
    config::load(text.as_bytes(), &environment, &mut UnknownNode)
        .err()
        .map(|problem| problem.to_string())
}

/// On the way from the document's root to a value.
#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item,
}

/// A part of the schema and how to get there.
struct Part<'a> {
    schema: &'a Value,
    way: Vec<Step>,
    /// The schemas of what is on the way, the root's first.
    above: Vec<&'a Value>,
}

/// Follows references.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema["$ref"]
        .as_str()
        .or_else(|| schema["allOf"][0]["$ref"].as_str());
    match reference.and_then(|reference| reference.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).expect("a definition"),
        None => schema,
    }
}

/// Every part of the schema, each as often as it can be reached.
fn parts(root: &Value) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut open = vec![Part {
        schema: root,
        way: Vec::new(),
        above: Vec::new(),
    }];
    while let Some(part) = open.pop() {
        let mut go = |step: Option<Step>, schema| {
            open.push(Part {
                schema: resolved(root, schema),
                way: part.way.iter().cloned().chain(step).collect(),
                above: part.above.iter().copied().chain([part.schema]).collect(),
            });
        };
        for (name, schema) in part.schema["properties"].as_object().into_iter().flatten() {
            go(Some(Step::Field(name.clone())), schema);
        }
        if part.schema["additionalProperties"].is_object() {
            // A name that every map takes.
            go(
                Some(Step::Field("x".to_owned())),
                &part.schema["additionalProperties"],
            );
        }
        if part.schema["items"].is_object() {
            go(Some(Step::Item), &part.schema["items"]);
        }
        for choice in part.schema["anyOf"].as_array().into_iter().flatten() {
            go(None, choice);
        }
        parts.push(part);
    }
    parts
}

impl Part<'_> {
    fn name(&self) -> String {
        let steps = self.way.iter().map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Item => "[0]".to_owned(),
        });
        steps.collect()
    }

    /// A document with `value` in this place: around it what the schema requires, or all of its examples.
    fn document(&self, value: Value, with_examples: bool) -> Value {
        // Choices are no steps.
        let mut above = self.above.clone();
        above.retain(|schema| schema["anyOf"].is_null());
        let levels: Vec<_> = above.iter().zip(&self.way).collect();
        levels
            .into_iter()
            .rev()
            .fold(value, |value, (schema, step)| match step {
                Step::Item => json!([value]),
                Step::Field(name) => {
                    let example = schema["examples"][0]
                        .as_object()
                        .cloned()
                        .unwrap_or_default();
                    let required = schema["required"].as_array().cloned().unwrap_or_default();
                    let mut fields: Map<String, Value> = example
                        .into_iter()
                        .filter(|(name, _)| with_examples || required.contains(&json!(name)))
                        .collect();
                    fields.insert(name.clone(), value);
                    Value::Object(fields)
                }
            })
    }
}

#[test]
fn every_section_has_the_loaders_fields() -> Result<()> {
    let root = schema()?;
    let mut sections = 0;
    for part in parts(&root) {
        let Some(properties) = part.schema["properties"].as_object() else {
            continue;
        };
        let said = [false, true].map(|with_examples| {
            let said = refusal(&part.document(json!({STRANGER: 0}), with_examples));
            said.unwrap_or_else(|| "a stranger was taken".to_owned())
        });
        let (_, known) = said
            .iter()
            .find_map(|said| said.split_once("known here: "))
            .with_context(|| format!("{}: {said:?}", part.name()))?;
        let mut known: BTreeSet<&str> = known.split(", ").collect();
        if part.name().starts_with(".overrides[0].config") {
            // An override has none of its own, and the loader says so in its own words.
            known.remove("overrides");
        }
        let listed: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        ensure!(
            listed == known,
            "docs/pluginconfig.schema.json{}: the loader knows {known:?}, the schema {listed:?}",
            part.name()
        );
        sections += 1;
    }
    ensure!(sections > 30, "only {sections} sections");
    Ok(())
}

/// A value that does not fit, and the loader's words of what would.
fn expectation(schema: &Value) -> Option<(Value, String)> {
    let words = |list: &[Value]| -> Vec<String> {
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    if let Some(list) = schema["enum"].as_array() {
        let expected = format!("expected one of {}, ", words(list).join(", "));
        return Some((json!(STRANGER), expected));
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str()?,
        kind => kind.as_str()?,
    };
    let range = || format!("from {} to {}", schema["minimum"], schema["maximum"]);
    Some(match kind {
        "integer" => (json!(0.5), format!("expected an integer {}", range())),
        "number" => (json!(-1), format!("expected a number {}", range())),
        "boolean" => (json!("x"), "expected true or false".to_owned()),
        "array" => (json!(0), "expected a list".to_owned()),
        "object" => (json!(0), "expected an object".to_owned()),
        // A duration; its bounds are in the description.
        "string" if schema["pattern"].as_str()?.contains("ms|s|m") => {
            let (_, bounds) = schema["description"].as_str()?.split_once("from ")?;
            let (least, most) = bounds.trim_end_matches('.').split_once(" to ")?;
            (
                json!(0),
                format!(r#"expected a duration from "{least}" to "{most}""#),
            )
        }
        _ => return None,
    })
}

#[test]
fn every_value_has_the_loaders_type_words_and_range() -> Result<()> {
    let root = schema()?;
    let mut values = 0;
    for part in parts(&root) {
        let is_choice = part
            .above
            .last()
            .is_some_and(|above| !above["anyOf"].is_null());
        // Null is an empty configuration.
        if is_choice || part.way.is_empty() {
            continue;
        }
        let (bad, expected) = match expectation(part.schema) {
            Some(expectation) => expectation,
            None if part.schema["type"][0] == "string" || part.schema["type"] == "string" => {
                (json!({}), "expected a".to_owned())
            }
            None => continue,
        };
        let said = [false, true].map(|with_examples| {
            refusal(&part.document(bad.clone(), with_examples)).unwrap_or_default()
        });
        ensure!(
            said.iter().any(|said| said.contains(&expected)),
            "docs/pluginconfig.schema.json{} says: {expected}; the loader: {said:?}",
            part.name()
        );
        values += 1;
    }
    ensure!(values > 100, "only {values} values");
    Ok(())
}

#[test]
fn sinks_are_the_loaders() -> Result<()> {
    let said = refusal(&json!({"tags": {"to": [STRANGER]}})).context("taken")?;
    let words =
        schema()?["definitions"]["tags"]["properties"]["to"]["items"]["anyOf"][0]["enum"].take();
    let words: Vec<&str> = words
        .as_array()
        .context("a list")?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let expected = format!("expected one of {}, header:<name>", words.join(", "));
    ensure!(said.contains(&expected), "{said}");
    Ok(())
}

/// The YAML of docs/configuration.md, and of every example in the schema.
fn good_configurations() -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let page = fs::read_to_string(root().join("docs/configuration.md"))?;
    for block in page.split("```yaml\n").skip(1) {
        let (yaml, _) = block.split_once("```").context("an end")?;
        all.push(serde_yaml_ng::from_str(yaml)?);
    }
    ensure!(all.len() > 1, "docs/configuration.md has lost its examples");
    let root = schema()?;
    for part in parts(&root) {
        for example in part.schema["examples"].as_array().into_iter().flatten() {
            let good = [false, true]
                .map(|with_examples| part.document(example.clone(), with_examples))
                .into_iter()
                .find(|config| refusal(config).is_none());
            all.push(good.with_context(|| format!("{} of {}", example, part.name()))?);
        }
    }
    Ok(all)
}

/// Raw strings that hold JSON, in the tests of the configuration.
fn rows() -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    for file in fs::read_dir(root().join("tests/config"))? {
        let text = fs::read_to_string(file?.path())?;
        for literal in text.split("r#\"").skip(1) {
            let (json, _) = literal.split_once("\"#").context("an end")?;
            rows.extend(
                serde_json::from_str::<Value>(json)
                    .ok()
                    .filter(Value::is_object),
            );
        }
    }
    Ok(rows)
}

/// Every document that differs from `good` in one place.
fn mutations(good: &Value) -> Vec<Value> {
    let pool = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(0.5),
        json!(1e9),
        json!(65_536),
        json!(""),
        json!("x"),
        json!("5s"),
        json!("always_on"),
        json!("b3"),
        json!([]),
        json!(["b3"]),
        json!(["x"]),
        json!({}),
        json!({"x": {}}),
        json!({"value": "v"}),
        json!({"literal": {"value": "v"}}),
        json!({"paths": ["/x"]}),
        json!({"name": "x"}),
    ];
    let mut pointers = vec![String::new()];
    let mut index = 0;
    while let Some(pointer) = pointers.get(index).cloned() {
        index += 1;
        match good.pointer(&pointer) {
            Some(Value::Object(fields)) => pointers.extend(fields.keys().map(|name| {
                let name = name.replace('~', "~0").replace('/', "~1");
                format!("{pointer}/{name}")
            })),
            Some(Value::Array(items)) => {
                pointers.extend((0..items.len()).map(|item| format!("{pointer}/{item}")));
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    for pointer in &pointers {
        let replaced = pool.iter().filter_map(|value| {
            let mut document = good.clone();
            *document.pointer_mut(pointer)? = value.clone();
            Some(document)
        });
        all.extend(replaced);
        let mut strange = good.clone();
        if let Some(Value::Object(fields)) = strange.pointer_mut(pointer) {
            fields.insert(STRANGER.to_owned(), json!(0));
            all.push(strange);
        }
    }
    all
}

#[test]
fn what_the_loader_takes_the_schema_takes() -> Result<()> {
    let validator = validator()?;
    let (mut taken, mut refused, mut strangers) = (0, 0, 0);
    let good = good_configurations()?;
    for config in &good {
        if let Some(said) = refusal(config) {
            bail!("no good configuration: {config}: {said}");
        }
    }
    let changed = good.iter().flat_map(mutations);
    for config in good.iter().cloned().chain(changed).chain(rows()?) {
        match refusal(&config) {
            None => {
                taken += 1;
                if let Err(error) = validator.validate(&config) {
                    bail!(
                        "the loader takes {config}; the schema: {error} at {}",
                        error.instance_path()
                    );
                }
            }
            Some(said) => {
                refused += 1;
                if said.contains("unknown field") {
                    strangers += 1;
                    ensure!(
                        !validator.is_valid(&config),
                        "the schema takes {config}; the loader: {said}"
                    );
                }
            }
        }
    }
    ensure!(
        taken > 500 && refused > 1000 && strangers > 100,
        "{taken} {refused} {strangers}"
    );
    Ok(())
}

#[test]
fn manifests_have_a_schema_of_their_own() -> Result<()> {
    let run = throughline(&["schema"])?;
    ensure!(run.code == 0 && run.out == OF_CONFIG, "{run:?}");
    for (kind, manifest) in [
        (
            "wasm-plugin",
            json!({"kind": "WasmPlugin", "spec": {"url": "oci://x", "pluginConfig": {"sampling": {"arg": 0.1}}}}),
        ),
        (
            "traffic-extension",
            json!({"kind": "TrafficExtension", "spec": {"wasm": {"pluginConfig": {"sampling": {"arg": 0.1}}}}}),
        ),
    ] {
        let run = throughline(&["schema", "--kind", kind])?;
        let validator = jsonschema::validator_for(&serde_json::from_str(&run.out)?)?;
        ensure!(validator.is_valid(&manifest), "{kind}");
        let wrong: Value = serde_json::from_str(&manifest.to_string().replace("0.1", "10"))?;
        ensure!(!validator.is_valid(&wrong), "{kind} takes {wrong}");
    }
    let refused = throughline(&["schema", "--kind", "service"])?;
    ensure!(refused.code == 2, "{refused:?}");
    Ok(())
}
