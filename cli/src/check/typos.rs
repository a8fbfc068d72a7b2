//! What the module takes as it is written, and what then matches nothing, is sent nowhere, or is never reached.

use super::warnings::Warning;
use crate::yaml::{Field, Node, Value};
use throughline::config::{Problem, Settings};

/// About a good configuration, which is `settings`, and about those of its overrides.
pub fn warnings(config: &Node, settings: &Settings) -> Vec<Warning> {
    let mut warnings = Vec::new();
    // Of one that says nothing the environment says which protocol it is.
    let loaded = settings
        .export
        .as_ref()
        .map(|export| export.protocol.name());
    let inherited = protocol(config).or(loaded).unwrap_or(DEFAULT);
    of_one(config, "", Some(inherited), &mut warnings);
    let overrides = config.get("overrides").map(Node::items).unwrap_or_default();
    let configs = || overrides.iter().map(|entry| entry.get("config"));
    // Which of them are for one proxy, nobody knows here.
    let is_told = configs().flatten().any(|config| protocol(config).is_some());
    let inherited = (!is_told).then_some(inherited);
    for (index, config) in configs().enumerate() {
        if let Some(config) = config {
            let path = format!("overrides[{index}].config.");
            of_one(config, &path, inherited, &mut warnings);
        }
    }
    warnings
}

const DEFAULT: &str = "otlp-http";

fn protocol(config: &Node) -> Option<&str> {
    config.get("export")?.get("protocol")?.text()
}

/// `inherited` is the protocol of what it is merged into, where that is known.
fn of_one(config: &Node, path: &str, inherited: Option<&str>, warnings: &mut Vec<Warning>) {
    let warn = |(field, below, said): Told<'_>| {
        let path = format!("{path}{below}");
        (field.place, Problem::new(path, said))
    };
    if let Some(export) = config.get("export") {
        let protocol = protocol(config).or(inherited);
        let told = [
            service(export),
            port(export, protocol),
            export_path(export, protocol),
        ];
        warnings.extend(told.into_iter().flatten().map(warn));
        warnings.extend(headers(export).map(warn));
    }
    let sampling = config.get("sampling");
    let rules = sampling.and_then(|sampling| sampling.get("rules"));
    of_rules(rules, &format!("{path}sampling.rules"), warnings);
    of_rules(config.get("trust"), &format!("{path}trust"), warnings);
}

/// A field, its path, and what is said of it.
type Told<'a> = (&'a Field, String, String);

/// Istio calls its clusters by the whole name, and what is no short form of it is taken for whole.
fn service(export: &Node) -> Option<Told<'_>> {
    let field = export.field("service")?;
    let host = field.node.text()?;
    let whole = match host.split('.').collect::<Vec<_>>().as_slice() {
        [name] => format!("{name}.NAMESPACE.svc.cluster.local"),
        [name, namespace] => format!("{name}.{namespace}.svc.cluster.local"),
        _ => return None,
    };
    let said = format!(
        "Istio's cluster of a Service has its whole name: write {whole} (unless it is a ServiceEntry's host)"
    );
    Some((field, "export.service".to_owned(), said))
}

fn port<'a>(export: &'a Node, protocol: Option<&str>) -> Option<Told<'a>> {
    let field = export.field("port")?;
    let Value::Number(port) = &field.node.value else {
        return None;
    };
    let protocol = protocol?;
    let is_http = matches!(protocol, "otlp-http" | "otlp-http-json");
    let said = match (protocol, port.as_u64()?) {
        ("otlp-grpc", 4318) => "collectors take OTLP over HTTP there; otlp-grpc's port is 4317",
        (_, 4317) if is_http => "collectors take OTLP over gRPC there; otlp-http's port is 4318",
        _ => return None,
    };
    Some((field, "export.port".to_owned(), said.to_owned()))
}

fn export_path<'a>(export: &'a Node, protocol: Option<&str>) -> Option<Told<'a>> {
    let field = export.field("path")?;
    let said = match (protocol?, field.node.text()?) {
        ("zipkin", "/v1/traces") => "that is OTLP's; zipkin's is /api/v2/spans",
        ("otlp-http" | "otlp-http-json", "/api/v2/spans") => {
            "that is Zipkin's; OTLP's is /v1/traces"
        }
        _ => return None,
    };
    Some((field, "export.path".to_owned(), said.to_owned()))
}

/// The other ways to write a variable, of shells and of Kubernetes. The value is not shown: it may be a secret.
fn headers(export: &Node) -> impl Iterator<Item = Told<'_>> {
    let fields = export.get("headers").map(Node::fields).unwrap_or_default();
    let is_meant = |field: &&Field| {
        let text = field.node.get("value").unwrap_or(&field.node).text();
        text.is_some_and(|text| {
            let opens = text.match_indices("${").map(|(at, _)| text.get(at..));
            let mut opens = opens.flatten();
            opens.any(|open| !open.starts_with("${env:"))
                || text.contains("$env:")
                || text.contains("$(")
        })
    };
    fields.iter().filter(is_meant).map(|field| {
        let said = "a variable is written ${env:NAME}; this is sent as it stands";
        let path = throughline::config::path_to("export.headers", &field.name);
        (field, path, said.to_owned())
    })
}

/// Of `sampling` or `trust`.
fn of_rules(rules: Option<&Node>, path: &str, warnings: &mut Vec<Warning>) {
    let rules = rules.map(Node::items).unwrap_or_default();
    let mut all: Option<usize> = None;
    for (index, rule) in rules.iter().enumerate() {
        let Some(criteria) = rule.get("match") else {
            continue;
        };
        for (list, never, said) in NEVER {
            let items = criteria.get(list).map(Node::items).unwrap_or_default();
            for (item_index, item) in items.iter().enumerate() {
                if item.text().is_some_and(never) {
                    let path = format!("{path}[{index}].match.{list}[{item_index}]");
                    warnings.push((item.place, Problem::new(path, said)));
                }
            }
        }
        if let Some(before) = all {
            let said = format!("is never reached: {path}[{before}] is for every request");
            warnings.push((rule.place, Problem::new(format!("{path}[{index}]"), said)));
        } else if is_for_all(criteria) {
            all = Some(index);
        }
    }
}

type Never = (&'static str, fn(&str) -> bool, &'static str);

/// The lists of which some patterns are like nothing that comes.
const NEVER: [Never; 3] = [
    (
        "hosts",
        |host| !host.is_ascii(),
        "matches nothing: clients send such a host as punycode (xn--…)",
    ),
    (
        "paths",
        |path| path.contains(' '),
        "matches nothing: clients send %20 for a space",
    ),
    (
        "principals",
        |name| matches!(name.strip_prefix("spiffe://").unwrap_or(name), "" | "-"),
        "matches nothing: who has no identity is for peer: unauthenticated",
    ),
];

/// Every request has a path, a method, and a host, which may be empty.
fn is_for_all(criteria: &Node) -> bool {
    let fields = criteria.fields();
    let mut fields = fields
        .iter()
        .filter(|field| !field.node.is_null())
        .peekable();
    let is_star = |item: &str| !item.is_empty() && item.bytes().all(|byte| byte == b'*');
    fields.peek().is_some()
        && fields.all(|field| {
            let mut items = field.node.items().iter().filter_map(|item| item.text());
            match &*field.name {
                "hosts" | "methods" => items.any(is_star),
                // CONNECT alone has none.
                "paths" => items.any(|item| is_star(item) || item == "/*"),
                _ => false,
            }
        })
}
