//! The service's name: given, or found in the node's metadata as Istio or OpenTelemetry would.

/// How `service.name` is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    Named(String),
    By(Naming),
}

/// Istio's `tracing_service_naming` (MeshConfig.defaultConfig), and OpenTelemetry's rules for Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    AppLabelAndNamespace,
    CanonicalNameOnly,
    CanonicalNameAndNamespace,
    OpenTelemetry,
}

/// The metadata that Istio's agent gives its Envoy (`node.metadata` in the bootstrap).
pub trait NodeMetadata {
    /// The text at this path, `None` where there is none or it is empty.
    fn text(&mut self, path: &[&str]) -> Option<String>;
}

impl Service {
    pub fn resolve(&self, node: &mut impl NodeMetadata) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::By(Naming::AppLabelAndNamespace) => app_label_and_namespace(node),
            Self::By(Naming::CanonicalNameOnly) => canonical_name(node),
            Self::By(Naming::CanonicalNameAndNamespace) => {
                let name = canonical_name(node);
                in_namespace(name, node)
            }
            Self::By(Naming::OpenTelemetry) => opentelemetry(node),
        }
    }
}

/// Istio, pkg/bootstrap/config.go, `getServiceCluster`: what it falls back to where nothing names the workload.
const ISTIO_PROXY: &str = "istio-proxy";

fn app_label_and_namespace(node: &mut impl NodeMetadata) -> String {
    let name = node
        .text(&["LABELS", "app"])
        .or_else(|| node.text(&["WORKLOAD_NAME"]))
        .unwrap_or_else(|| ISTIO_PROXY.to_owned());
    in_namespace(name, node)
}

fn canonical_name(node: &mut impl NodeMetadata) -> String {
    node.text(&["LABELS", "service.istio.io/canonical-name"])
        .or_else(|| node.text(&["WORKLOAD_NAME"]))
        .unwrap_or_else(|| ISTIO_PROXY.to_owned())
}

fn in_namespace(name: String, node: &mut impl NodeMetadata) -> String {
    match node.text(&["NAMESPACE"]) {
        Some(namespace) => format!("{name}.{namespace}"),
        None => name,
    }
}

/// OpenTelemetry semantic conventions, non-normative/k8s-attributes.md, "How service.name should be calculated".
/// The owner (deployment, stateful set, job …) is what Istio calls the workload.
fn opentelemetry(node: &mut impl NodeMetadata) -> String {
    const PRECEDENCE: [&[&str]; 6] = [
        &["ANNOTATIONS", "resource.opentelemetry.io/service.name"],
        &["LABELS", "app.kubernetes.io/instance"],
        &["LABELS", "app.kubernetes.io/name"],
        &["WORKLOAD_NAME"],
        &["NAME"],
        &["APP_CONTAINERS"],
    ];
    PRECEDENCE
        .into_iter()
        .find_map(|path| node.text(path))
        .unwrap_or_else(|| "unknown_service".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Node<'a>(&'a [(&'a [&'a str], &'a str)]);

    impl NodeMetadata for Node<'_> {
        fn text(&mut self, path: &[&str]) -> Option<String> {
            let (_, text) = self.0.iter().find(|(known, _)| *known == path)?;
            Some((*text).to_owned())
        }
    }

    #[test]
    fn names_follow_istio_and_opentelemetry() {
        const FULL: &[(&[&str], &str)] = &[
            (&["LABELS", "app"], "reviews"),
            (
                &["LABELS", "service.istio.io/canonical-name"],
                "reviews-canonical",
            ),
            (&["LABELS", "app.kubernetes.io/name"], "reviews-k8s"),
            (&["WORKLOAD_NAME"], "reviews-v1"),
            (&["NAMESPACE"], "bookinfo"),
            (&["NAME"], "reviews-v1-6d8f-x2x"),
        ];
        const BARE: &[(&[&str], &str)] = &[
            (&["WORKLOAD_NAME"], "reviews-v1"),
            (&["NAMESPACE"], "bookinfo"),
        ];
        const ANNOTATED: &[(&[&str], &str)] = &[
            (
                &["ANNOTATIONS", "resource.opentelemetry.io/service.name"],
                "chosen",
            ),
            (&["LABELS", "app.kubernetes.io/instance"], "instance"),
        ];
        const POD: &[(&[&str], &str)] = &[(&["NAME"], "pod-1")];
        use Naming::*;
        for (naming, node, expected) in [
            (AppLabelAndNamespace, FULL, "reviews.bookinfo"),
            (AppLabelAndNamespace, BARE, "reviews-v1.bookinfo"),
            (AppLabelAndNamespace, &[], "istio-proxy"),
            (CanonicalNameOnly, FULL, "reviews-canonical"),
            (CanonicalNameOnly, BARE, "reviews-v1"),
            (
                CanonicalNameAndNamespace,
                FULL,
                "reviews-canonical.bookinfo",
            ),
            (CanonicalNameAndNamespace, BARE, "reviews-v1.bookinfo"),
            (OpenTelemetry, ANNOTATED, "chosen"),
            (OpenTelemetry, FULL, "reviews-k8s"),
            (OpenTelemetry, BARE, "reviews-v1"),
            (OpenTelemetry, POD, "pod-1"),
            (OpenTelemetry, &[], "unknown_service"),
        ] {
            let name = Service::By(naming).resolve(&mut Node(node));
            assert_eq!(name, expected, "{naming:?}");
        }
    }
}
