//! The resource that the exported spans belong to: the service, as OpenTelemetry names it.

use super::{
    service::{Node, Service},
    tags::Source,
};

/// One of `resource`, or of OTEL_RESOURCE_ATTRIBUTES.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceAttribute {
    pub name: String,
    /// Fixed, or from the node.
    pub source: Source,
    pub default: Option<String>,
}

/// What Istio's node metadata says in OpenTelemetry's words (semantic conventions, resource/k8s.md and
/// non-normative/k8s-attributes.md), first found counts.
const FROM_NODE: [(&str, &[&[&str]]); 5] = [
    ("service.namespace", &[&["NAMESPACE"]]),
    (
        "service.version",
        &[
            &["LABELS", "app.kubernetes.io/version"],
            &["LABELS", "version"],
        ],
    ),
    ("k8s.namespace.name", &[&["NAMESPACE"]]),
    ("k8s.pod.name", &[&["NAME"]]),
    ("k8s.cluster.name", &[&["CLUSTER_ID"]]),
];

/// All attributes, `service.name` first, none twice. What the user writes replaces what the node says.
pub fn resolve(
    service: &Service,
    own: &[ResourceAttribute],
    node: &mut impl Node,
) -> Vec<(String, String)> {
    let mut attributes = vec![("service.name".to_owned(), service.resolve(node))];
    for attribute in own {
        let value = match &attribute.source {
            Source::Fixed(value) => value.clone(),
            Source::Node(path) => node.below_metadata(path),
            Source::Header(_) | Source::Attribute(_) | Source::Rule => None,
        };
        let value = value.or_else(|| attribute.default.clone());
        attributes.extend(value.map(|value| (attribute.name.clone(), value)));
    }
    for (name, paths) in FROM_NODE {
        if !attributes.iter().any(|(known, _)| known == name) {
            let value = paths.iter().find_map(|path| node.metadata(path));
            attributes.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    attributes
}
