//! What is the same for every span of a proxy: Istio's own tags, and the resource.

use super::Attributes;
use crate::policy::service::Node;

/// Who the proxy is, asked once at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Istio's names for it, in Istio's order (`component` first).
    tags: Vec<(&'static str, String)>,
}

impl Identity {
    /// Istio's tags (pilot/pkg/networking/core/tracing.go, `buildServiceTags`), and Envoy's `node_id` and `component`
    /// (source/common/tracing/http_tracer_impl.cc). What the node does not say is left out.
    pub fn of(node: &mut impl Node, node_id: &str, is_istio: bool) -> Self {
        let mut tags = vec![("component", "proxy".to_owned())];
        let mut add = |name, value: Option<String>| tags.extend(value.map(|value| (name, value)));
        add(
            "node_id",
            Some(node_id.to_owned()).filter(|id| !id.is_empty()),
        );
        if is_istio {
            add(
                "istio.canonical_service",
                Some(crate::policy::service::canonical_name(node)),
            );
            add("istio.canonical_revision", Some(canonical_revision(node)));
            add("istio.mesh_id", node.metadata(&["MESH_ID"]));
            add("istio.cluster_id", node.metadata(&["CLUSTER_ID"]));
            add("istio.namespace", node.metadata(&["NAMESPACE"]));
        }
        Self { tags }
    }

    pub fn describe(&self, to: &mut impl Attributes) {
        for (name, value) in &self.tags {
            to.text(name, value);
        }
    }
}

/// Istio, pkg/kube/labels/labels.go, `CanonicalRevision`.
fn canonical_revision(node: &mut impl Node) -> String {
    const PRECEDENCE: [&str; 3] = [
        "service.istio.io/canonical-revision",
        "app.kubernetes.io/version",
        "version",
    ];
    PRECEDENCE
        .into_iter()
        .find_map(|label| node.metadata(&["LABELS", label]))
        .unwrap_or_else(|| "latest".to_owned())
}
