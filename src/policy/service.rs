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

/// What the bootstrap says of the proxy itself.
pub trait Node {
    /// The text at this path of `node.metadata`, which Istio's agent fills; `None` where there is none or it is empty.
    fn metadata(&mut self, path: &[&str]) -> Option<String>;

    /// The same for a path that a user wrote, whose label and annotation names hold dots themselves: where the path
    /// as it is leads nowhere, all after its first element is tried as one name.
    fn below_metadata(&mut self, path: &[String]) -> Option<String> {
        let elements: Vec<&str> = path.iter().map(String::as_str).collect();
        match (self.metadata(&elements), elements.split_first()) {
            (None, Some((first, rest))) if rest.len() > 1 => {
                self.metadata(&[first, &rest.join(".")])
            }
            (text, _) => text,
        }
    }

    /// `node.cluster`, by which Envoy's own tracers name the service.
    fn cluster(&mut self) -> Option<String>;
}

/// A proxy that says nothing of itself.
#[derive(Clone, Copy, Debug)]
pub struct UnknownNode;

impl Node for UnknownNode {
    fn metadata(&mut self, _: &[&str]) -> Option<String> {
        None
    }

    fn cluster(&mut self) -> Option<String> {
        None
    }
}

impl Service {
    pub fn resolve(&self, node: &mut impl Node) -> String {
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

impl Service {
    /// The name that the service behind a cluster most likely has in its own spans, from Istio's name of the cluster,
    /// `outbound|<port>|<subset>|<host>`. `None` for clusters that are not called so.
    pub fn of_callee(&self, cluster: &str) -> Option<String> {
        let host = host_of_cluster(cluster)?;
        let Some((service, namespace)) = host
            .split_once(".svc.")
            .and_then(|(name, _)| name.split_once('.'))
        else {
            return Some(host.to_owned()).filter(|host| !host.is_empty());
        };
        Some(match self {
            Self::By(Naming::CanonicalNameOnly | Naming::OpenTelemetry) => service.to_owned(),
            _ => format!("{service}.{namespace}"),
        })
    }
}

/// The host that Istio has a cluster for, by its name: `outbound|<port>|<subset>|<host>`.
pub fn host_of_cluster(cluster: &str) -> Option<&str> {
    let mut parts = cluster.split('|');
    match (parts.next()?, parts.nth(2)?) {
        ("outbound", host) => Some(host),
        _ => None,
    }
}

/// Istio, pkg/bootstrap/config.go, `getServiceCluster`.
fn app_label_and_namespace(node: &mut impl Node) -> String {
    let name = node
        .metadata(&["LABELS", "app"])
        .or_else(|| node.metadata(&["WORKLOAD_NAME"]));
    match name {
        Some(name) => in_namespace(name, node),
        None => unnamed(node),
    }
}

/// Istio, pkg/kube/labels/labels.go, `nameLabels`.
pub fn canonical_name(node: &mut impl Node) -> String {
    const PRECEDENCE: [&[&str]; 4] = [
        &["LABELS", "service.istio.io/canonical-name"],
        &["LABELS", "app.kubernetes.io/name"],
        &["LABELS", "app"],
        &["WORKLOAD_NAME"],
    ];
    PRECEDENCE
        .into_iter()
        .find_map(|path| node.metadata(path))
        .unwrap_or_else(|| unnamed(node))
}

/// A proxy without Istio's metadata is called as its own tracers would call it, and else as OpenTelemetry calls what
/// has no name (semantic conventions, service.name).
fn unnamed(node: &mut impl Node) -> String {
    node.cluster()
        .unwrap_or_else(|| "unknown_service".to_owned())
}

fn in_namespace(name: String, node: &mut impl Node) -> String {
    match node.metadata(&["NAMESPACE"]) {
        Some(namespace) => format!("{name}.{namespace}"),
        None => name,
    }
}

/// OpenTelemetry semantic conventions, non-normative/k8s-attributes.md, "How service.name should be calculated".
/// The owner (deployment, stateful set, job …) is what Istio calls the workload.
fn opentelemetry(node: &mut impl Node) -> String {
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
        .find_map(|path| node.metadata(path))
        .unwrap_or_else(|| unnamed(node))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fake<'a>(&'a [(&'a [&'a str], &'a str)]);

    impl Node for Fake<'_> {
        fn metadata(&mut self, path: &[&str]) -> Option<String> {
            let (_, text) = self.0.iter().find(|(known, _)| *known == path)?;
            Some((*text).to_owned())
        }

        fn cluster(&mut self) -> Option<String> {
            self.metadata(&["node.cluster"])
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
        const LABELLED: &[(&[&str], &str)] = &[
            (&["LABELS", "app"], "reviews"),
            (&["LABELS", "app.kubernetes.io/name"], "reviews-k8s"),
        ];
        const APP: &[(&[&str], &str)] = &[
            (&["LABELS", "app"], "reviews"),
            (&["WORKLOAD_NAME"], "reviews-v1"),
        ];
        const PLAIN: &[(&[&str], &str)] = &[(&["node.cluster"], "edge")];
        const POD: &[(&[&str], &str)] = &[(&["NAME"], "pod-1")];
        use Naming::*;
        for (naming, node, expected) in [
            (AppLabelAndNamespace, FULL, "reviews.bookinfo"),
            (AppLabelAndNamespace, BARE, "reviews-v1.bookinfo"),
            (AppLabelAndNamespace, &[], "unknown_service"),
            (AppLabelAndNamespace, PLAIN, "edge"),
            (CanonicalNameOnly, PLAIN, "edge"),
            (OpenTelemetry, PLAIN, "edge"),
            (CanonicalNameOnly, FULL, "reviews-canonical"),
            (CanonicalNameOnly, BARE, "reviews-v1"),
            (CanonicalNameOnly, LABELLED, "reviews-k8s"),
            (CanonicalNameAndNamespace, APP, "reviews"),
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
            let name = Service::By(naming).resolve(&mut Fake(node));
            assert_eq!(name, expected, "{naming:?}");
        }
    }
}
