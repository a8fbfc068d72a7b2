//! What is no mistake to the module, and seldom what was meant.

use super::plugin::{Manifest, Plugin};
use super::{refused, targets, typos, variables};
use crate::yaml::{Field, Node, Place, Value};
use throughline::config::{Problem, Settings, near_miss};

/// What a warning is about, and where.
pub type Warning = (Place, Problem);

/// The fields of TrafficExtension's `wasm`, and of WasmPlugin, which has them beside `OF_SPEC`.
const OF_WASM: [&str; 10] = [
    "url",
    "sha256",
    "imagePullPolicy",
    "imagePullSecret",
    "verificationKey",
    "pluginConfig",
    "pluginName",
    "failStrategy",
    "vmConfig",
    "type",
];
const OF_SPEC: [&str; 6] = [
    "phase",
    "priority",
    "selector",
    "targetRef",
    "targetRefs",
    "match",
];
const OF_EXTENSION: [&str; 8] = [
    "wasm",
    "lua",
    "phase",
    "priority",
    "selector",
    "targetRef",
    "targetRefs",
    "match",
];

/// About a configuration; `settings` where it is a good one.
pub fn of(plugin: &Plugin<'_>, settings: Option<&Settings>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(manifest) = &plugin.manifest {
        unknown_fields(manifest, &mut warnings);
        image(manifest, &mut warnings);
        failure(manifest, &mut warnings);
        phase(manifest, &mut warnings);
        warnings.extend(refused::warnings(manifest));
        warnings.extend(targets::warnings(manifest));
        warnings.extend(variables::warnings(manifest));
    }
    if let (Some(config), Some(settings)) = (plugin.config, settings) {
        service_name(config, settings, &mut warnings);
        strangers(config, &mut warnings);
        warnings.extend(typos::warnings(config, settings));
    }
    if let Some(settings) = settings {
        formats(plugin, settings, &mut warnings);
    }
    warnings
}

fn unknown_fields(manifest: &Manifest<'_>, warnings: &mut Vec<Warning>) {
    let of_plugin = [OF_WASM.as_slice(), &OF_SPEC].concat();
    let objects: &[(&Node, &[&str])] = match manifest.is_traffic_extension {
        true => &[(manifest.spec, &OF_EXTENSION), (manifest.wasm, &OF_WASM)],
        false => &[(manifest.spec, &of_plugin)],
    };
    for (node, known) in objects {
        let fields = node.fields().iter();
        warnings.extend(fields.filter_map(|field| unknown(field, "", known)));
    }
}

/// An API server drops it, and kubectl only warns: a plugin whose `pluginConfig` is misspelt runs with the defaults, one whose
/// `matchLabels` is, in every proxy.
pub fn unknown(field: &Field, before: &str, known: &[&str]) -> Option<Warning> {
    if known.contains(&&*field.name) {
        return None;
    }
    let hint = match near_miss(&field.name, known) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "it will be dropped".to_owned(),
    };
    let message = format!("not a field of Istio's, {hint}");
    let path = format!("{before}{}", field.name);
    Some((field.place, Problem::new(path, message)))
}

/// Patches have none of it, as they go over what has.
fn image(manifest: &Manifest<'_>, warnings: &mut Vec<Warning>) {
    let Some(url) = manifest.wasm.field("url") else {
        return;
    };
    let text = url.node.text().unwrap_or_default();
    let is_file = text.starts_with("file:");
    if !is_file && !text.contains("@sha256:") && manifest.wasm.get("sha256").is_none() {
        warnings.push((
            url.place,
            Problem::new(
                "url",
                "a tag may be moved to another image, and each proxy takes what it finds: pin it with sha256, or url: …@sha256:… \
                 (make pin)",
            ),
        ));
    }
    let kind = manifest.wasm.field("type");
    if let Some(kind) = kind.filter(|kind| kind.node.text() == Some("NETWORK")) {
        warnings.push((
            kind.place,
            Problem::new(
                "type",
                "the filter is one for HTTP: as a network filter it sees no request",
            ),
        ));
    }
}

fn failure(manifest: &Manifest<'_>, warnings: &mut Vec<Warning>) {
    let strategy = manifest.wasm.field("failStrategy");
    let url = manifest.wasm.field("url");
    let place = match (strategy, url) {
        (Some(strategy), _) if strategy.node.text() == Some("FAIL_OPEN") => return,
        (Some(strategy), _) => strategy.place,
        (None, Some(url)) => url.place,
        (None, None) => return,
    };
    warnings.push((
        place,
        Problem::new(
            "failStrategy",
            "a module that cannot be pulled or ends stops traffic, as FAIL_CLOSE is the default: write FAIL_OPEN \
             (docs/security.md)",
        ),
    ));
}

fn phase(manifest: &Manifest<'_>, warnings: &mut Vec<Warning>) {
    let phase = manifest.spec.field("phase");
    let url = manifest.wasm.field("url");
    let place = match (phase, url) {
        (Some(phase), _) if phase.node.text() == Some("AUTHN") => return,
        (Some(phase), _) => phase.place,
        (None, Some(url)) => url.place,
        (None, None) => return,
    };
    warnings.push((
        place,
        Problem::new(
            "phase",
            "what authentication and authorization refuse is refused before its trace headers agree: write AUTHN, \
             the earliest",
        ),
    ));
}

/// What one hop writes, the next does not read: unless something else on the way writes what is read, no trace goes on.
fn formats(plugin: &Plugin<'_>, settings: &Settings, warnings: &mut Vec<Warning>) {
    let (readers, inject) = (&settings.propagation.readers, &settings.propagation.inject);
    let is_read = inject.iter().any(|format| readers.contains(format));
    if is_read || inject.is_empty() || readers.is_empty() || !settings.enabled {
        return;
    }
    let section = plugin.config.and_then(|config| config.field("propagation"));
    let list = section.and_then(|section| {
        let list = |name| section.node.field(name);
        list("inject").or_else(|| list("extract"))
    });
    let place = list.or(section).map_or(plugin.place, |field| field.place);
    warnings.push((
        place,
        Problem::new(
            "propagation.inject",
            "nothing of it is in extract: what one hop writes, the next does not read, and starts anew \
             (docs/propagation.md)",
        ),
    ));
}

/// `strip` is for what leaves: what came in goes on here all the same.
fn strangers(config: &Node, warnings: &mut Vec<Warning>) {
    let rules = config.get("trust").map(Node::items).unwrap_or_default();
    for (place, rule) in rules.iter().enumerate() {
        let at = |name| rule.get("match").and_then(|at| at.get(name));
        let is_inbound = match at("proxy").and_then(Node::text) {
            Some("sidecar-inbound") => true,
            Some("gateway") => at("hosts").is_none() && at("external").is_none(),
            _ => false,
        };
        let action = rule.field("action").filter(|_| is_inbound);
        let Some(action) = action.filter(|action| action.node.text() == Some("strip")) else {
            continue;
        };
        warnings.push((
            action.place,
            Problem::new(
                format!("trust[{place}].action"),
                "whoever sends chooses the ids and the sampling of this hop's span all the same: what is not to go on is for \
                 restart (docs/trust.md)",
            ),
        ));
    }
}

fn service_name(config: &Node, settings: &Settings, warnings: &mut Vec<Warning>) {
    let tags = ["customTags", "custom_tags"].map(|name| config.get(name));
    let tag = tags
        .into_iter()
        .flatten()
        .find_map(|tags| tags.field("service.name"));
    let Some(tag) = tag.filter(|_| settings.export.is_some() && settings.sinks.span) else {
        return;
    };
    let literal = tag
        .node
        .get("literal")
        .and_then(|literal| literal.get("value"));
    let name = match literal.map(|node| &node.value) {
        Some(Value::Text(name)) => name,
        _ => "…",
    };
    warnings.push((
        tag.place,
        Problem::new(
            r#"customTags["service.name"]"#,
            format!(
                "an attribute of spans, not the resource's service.name, by which backends name a service: that is \
                 service: {{name: {name}}}"
            ),
        ),
    ));
}
