//! Where a configuration stands in a document: in a plugin's manifest, or by itself.

use super::problems::Located;
use crate::proxy::Proxy;
use crate::yaml::{Field, Node, Place, Value};
use throughline::config::Problem;

/// What the names of this filter's plugins and images have in them.
const OURS: &str = "throughline";

/// A configuration, and what is around it.
#[derive(Debug)]
pub struct Plugin<'a> {
    /// `WasmPlugin istio-system/throughline`; `None` of a configuration by itself.
    pub object: Option<String>,
    /// Where it begins.
    pub place: Place,
    /// `None` where a manifest has none, which means the defaults.
    pub config: Option<&'a Node>,
    /// The configuration as Envoy gets it, where it is a file of its own: with all that stands around it.
    pub json: Option<&'a str>,
    /// A manifest of Istio's: what is beside the configuration.
    pub manifest: Option<Manifest<'a>>,
    pub variables: Vec<Variable<'a>>,
}

/// A WasmPlugin's or TrafficExtension's own fields.
#[derive(Debug)]
pub struct Manifest<'a> {
    pub document: &'a Node,
    pub spec: &'a Node,
    /// Where `url` and `pluginConfig` are: in `spec`, or in its `wasm`.
    pub wasm: &'a Node,
    pub is_traffic_extension: bool,
}

/// Of `vmConfig.env`.
#[derive(Debug)]
pub struct Variable<'a> {
    pub name: &'a str,
    /// `None` where the proxy's own environment has it (`valueFrom: HOST`).
    pub value: Option<&'a str>,
    pub place: Place,
}

impl Plugin<'_> {
    /// What the VM of that proxy has under this name. Values that the proxy's own environment has are not known here: whatever they
    /// are, they are taken for set. Those of OpenTelemetry are taken for absent, as any text would be a mistake in one of them.
    pub fn environment(&self, proxy: &Proxy, name: &str) -> Option<String> {
        if let Some(given) = proxy.variable(name) {
            return Some(given.to_owned());
        }
        let variables = self.variables.iter().rev();
        let variable = variables.into_iter().find(|known| known.name == name)?;
        match variable.value {
            Some(value) => Some(value.to_owned()),
            None => (!name.starts_with("OTEL_")).then(|| "unknown".to_owned()),
        }
    }
}

/// What a document holds.
#[derive(Debug, Default)]
pub struct Contents<'a> {
    pub plugins: Vec<Plugin<'a>>,
    /// Of objects that are called throughline, and in which there is none: which, and what they lack.
    pub missing: Vec<(String, Located)>,
    /// The kind of each other object.
    pub others: Vec<&'a str>,
}

impl<'a> Contents<'a> {
    /// `json` is the text of the document, where Envoy would get it as it is.
    pub fn of(document: &'a Node, json: Option<&'a str>) -> Self {
        let mut contents = Self::default();
        contents.take(document, json);
        contents
    }

    fn take(&mut self, document: &'a Node, json: Option<&'a str>) {
        let text = |name| document.get(name).and_then(Node::text);
        let (Some(_), Some(kind)) = (text("apiVersion"), text("kind")) else {
            self.plugins.push(Plugin {
                object: None,
                place: document.place,
                config: Some(document),
                json,
                manifest: None,
                variables: Vec::new(),
            });
            return;
        };
        let items = document.get("items").filter(|_| kind.ends_with("List"));
        if let Some(items) = items {
            items.items().iter().for_each(|item| self.take(item, None));
            return;
        }
        if let Some(missing) = missing(document, kind) {
            self.missing.push((object(document, kind), missing));
            return;
        }
        let found = document.get("spec").map(|spec| match kind {
            "WasmPlugin" => of_istio(document, kind, spec, Some(spec)),
            "TrafficExtension" => of_istio(document, kind, spec, spec.get("wasm")),
            "EnvoyExtensionPolicy" => of_envoy_gateway(document, kind, spec),
            _ => Vec::new(),
        });
        match found.filter(|found| !found.is_empty()) {
            Some(found) => self.plugins.extend(found),
            None => self.others.push(kind),
        }
    }
}

fn is_ours(texts: &[Option<&Node>]) -> bool {
    let mut texts = texts.iter().filter_map(|node| (*node)?.text());
    texts.any(|text| text.contains(OURS))
}

/// What an object of Istio's lacks that is called throughline; one with Lua in it is none of the filter's.
fn missing(document: &Node, kind: &str) -> Option<Located> {
    let is_extension = match kind {
        "WasmPlugin" => false,
        "TrafficExtension" => true,
        _ => return None,
    };
    let metadata = document.get("metadata");
    let is_ours = is_ours(&[metadata.and_then(|metadata| metadata.get("name"))]);
    let is_map = |field: &Field| matches!(field.node.value, Value::Map(_));
    let (path, found) = match document.field("spec") {
        Some(spec) if is_map(spec) && is_extension && spec.node.get("lua").is_none() => {
            ("spec.wasm", spec.node.field("wasm"))
        }
        Some(spec) if is_map(spec) => return None,
        spec => ("spec", spec),
    };
    let (place, said) = match found {
        Some(field) if is_map(field) => return None,
        Some(field) => (field.place, "expected a map"),
        None => (
            document.place,
            "not there, and with it neither url nor pluginConfig",
        ),
    };
    let problem = Problem::new(path, said);
    is_ours.then_some(Located { place, problem })
}

fn of_istio<'a>(
    document: &'a Node,
    kind: &str,
    spec: &'a Node,
    wasm: Option<&'a Node>,
) -> Vec<Plugin<'a>> {
    let metadata = document.get("metadata");
    let name = metadata.and_then(|metadata| metadata.get("name"));
    let Some(wasm) = wasm.filter(|wasm| is_ours(&[name, wasm.get("pluginName"), wasm.get("url")]))
    else {
        return Vec::new();
    };
    let config = wasm.field("pluginConfig");
    let variables = wasm
        .get("vmConfig")
        .and_then(|vm| vm.get("env"))
        .map(|env| env.items().iter().filter_map(|item| variable(item)));
    vec![Plugin {
        object: Some(object(document, kind)),
        place: config.map_or(document.place, |field| field.place),
        config: config.map(|field| &*field.node),
        json: None,
        manifest: Some(Manifest {
            document,
            spec,
            wasm,
            is_traffic_extension: kind == "TrafficExtension",
        }),
        variables: variables.into_iter().flatten().collect(),
    }]
}

fn variable(item: &Node) -> Option<Variable<'_>> {
    let is_of_host = item.get("valueFrom").and_then(Node::text) == Some("HOST");
    Some(Variable {
        name: item.get("name")?.text()?,
        value: match is_of_host {
            true => None,
            false => Some(item.get("value").and_then(Node::text).unwrap_or_default()),
        },
        place: item.place,
    })
}

/// Envoy Gateway's: several plugins in one object.
fn of_envoy_gateway<'a>(document: &'a Node, kind: &str, spec: &'a Node) -> Vec<Plugin<'a>> {
    let plugins = spec.get("wasm").map(Node::items).unwrap_or_default();
    let ours = plugins
        .iter()
        .filter(|plugin| is_ours(&[plugin.get("name"), plugin.get("rootID")]));
    ours.map(|plugin| {
        let config = plugin.field("config");
        let host_keys = plugin.get("env").and_then(|env| env.get("hostKeys"));
        let host_keys = host_keys.map(Node::items).unwrap_or_default();
        let variables = host_keys.iter().filter_map(|key| {
            Some(Variable {
                name: key.text()?,
                value: None,
                place: key.place,
            })
        });
        Plugin {
            object: Some(object(document, kind)),
            place: config.map_or(plugin.place, |field: &Field| field.place),
            config: config.map(|field| &*field.node),
            json: None,
            manifest: None,
            variables: variables.collect(),
        }
    })
    .collect()
}

fn object(document: &Node, kind: &str) -> String {
    let metadata = document.get("metadata");
    let text = |name| metadata.and_then(|metadata| metadata.get(name)?.text());
    let name = text("name").unwrap_or("without a name");
    match text("namespace") {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}
