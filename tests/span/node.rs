//! A node's metadata, by dotted path; `node.cluster` is its own.

use throughline::policy::service::Node;

pub struct Metadata(pub &'static [(&'static str, &'static str)]);

impl Node for Metadata {
    fn metadata(&mut self, path: &[&str]) -> Option<String> {
        let path = path.join("|");
        let (_, text) = self.0.iter().find(|(known, _)| *known == path)?;
        Some((*text).to_owned())
    }

    fn cluster(&mut self) -> Option<String> {
        self.metadata(&["node.cluster"])
    }
}

/// As Istio's agent fills it.
pub const REVIEWS: &[(&str, &str)] = &[
    ("NAME", "reviews-v1-6d8f-x2x"),
    ("NAMESPACE", "bookinfo"),
    ("WORKLOAD_NAME", "reviews-v1"),
    ("MESH_ID", "mesh1"),
    ("CLUSTER_ID", "Kubernetes"),
    ("LABELS|app", "reviews"),
    ("LABELS|version", "v1"),
    ("LABELS|app.kubernetes.io/version", "1.20.3"),
    (
        "LABELS|service.istio.io/canonical-name",
        "reviews-canonical",
    ),
    ("LABELS|service.istio.io/canonical-revision", "r1"),
    ("LABELS|team.example/owner", "books"),
    ("node.cluster", "reviews.bookinfo"),
];
