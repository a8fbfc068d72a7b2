//! What stands where a configuration should, and is something else: a text in which one stands further down, or one in quotes.

use super::plugin::Plugin;
use super::problems::Located;
use crate::yaml::Value;
use throughline::config::Problem;

/// A field that only the other text has, and what to check in its place.
const STRANGERS: [(&str, &str); 10] = [
    ("pluginConfig", BELOW),
    (
        "config",
        "the configuration stands below it. In the chart's values it is checked as it is rendered: helm template … | throughline check -",
    ),
    ("static_resources", OF_ENVOY),
    ("dynamic_resources", OF_ENVOY),
    ("admin", OF_ENVOY),
    ("http_filters", OF_ENVOY),
    ("typed_config", OF_ENVOY),
    ("configuration", OF_ENVOY),
    ("vm_config", OF_ENVOY),
    ("@type", OF_ENVOY),
];
const BELOW: &str =
    "the configuration stands below it: check that by itself, or the whole manifest";
const OF_ENVOY: &str = "of an Envoy configuration: check the JSON that stands in the filter's configuration.value there";

/// What can be checked in place of a file of kustomize's.
pub fn kustomize(folder: &str) -> String {
    // It is there to be copied into a shell.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    let folder = if folder.bytes().all(is_plain) {
        folder.to_owned()
    } else {
        format!("'{}'", folder.replace('\'', r"'\''"))
    };
    format!("what a Kustomization renders can be: kubectl kustomize {folder} | throughline check -")
}

/// What the text is, where it is none of the module's.
pub fn told(plugin: &Plugin<'_>) -> Option<Located> {
    if plugin.manifest.is_some() && plugin.config?.text().is_some() {
        let said = "is text, which an API server refuses: take the quotes off (or the | before it)";
        return Some(Located {
            place: plugin.place,
            problem: Problem::new("pluginConfig", said),
        });
    }
    let config = plugin.config.filter(|_| plugin.object.is_none())?;
    if config.field("match").is_some() {
        // One of overrides.
        return None;
    }
    let resources = config.field("resources");
    if let Some(field) = resources.filter(|field| matches!(field.node.value, Value::List(_))) {
        let said = format!("unknown field: {}", kustomize("DIR"));
        let problem = Problem::new(&field.name, said);
        return Some(Located {
            place: field.place,
            problem,
        });
    }
    let known = STRANGERS
        .iter()
        .find_map(|(name, hint)| Some((config.field(name)?, *hint)));
    let (field, hint) = known?;
    Some(Located {
        place: field.place,
        problem: Problem::new(&field.name, format!("unknown field: {hint}")),
    })
}
