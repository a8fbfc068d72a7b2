//! The name that a callee has in its own spans, from Istio's name of its cluster (`peer.service`).

use throughline::policy::service::{Naming, Service};

#[test]
fn istios_clusters_name_their_service() {
    use Naming::{
        AppLabelAndNamespace, CanonicalNameAndNamespace, CanonicalNameOnly, OpenTelemetry,
    };
    const REVIEWS: &str = "outbound|9080||reviews.bookinfo.svc.cluster.local";
    for (naming, cluster, expected) in [
        (AppLabelAndNamespace, REVIEWS, Some("reviews.bookinfo")),
        (CanonicalNameAndNamespace, REVIEWS, Some("reviews.bookinfo")),
        (CanonicalNameOnly, REVIEWS, Some("reviews")),
        (OpenTelemetry, REVIEWS, Some("reviews")),
        (
            AppLabelAndNamespace,
            "outbound|9080|v1|reviews.bookinfo.svc.cluster.local",
            Some("reviews.bookinfo"),
        ),
        (
            AppLabelAndNamespace,
            "outbound|80||reviews.bookinfo.svc.mesh.example",
            Some("reviews.bookinfo"),
        ),
        (
            AppLabelAndNamespace,
            "outbound|443||api.example.com",
            Some("api.example.com"),
        ),
        (
            OpenTelemetry,
            "outbound|443||api.example.com",
            Some("api.example.com"),
        ),
        (AppLabelAndNamespace, "outbound|443||", None),
        (AppLabelAndNamespace, "outbound|443", None),
        (AppLabelAndNamespace, "inbound|9080||", None),
        (
            AppLabelAndNamespace,
            "inbound|9080||reviews.bookinfo.svc.cluster.local",
            None,
        ),
        (AppLabelAndNamespace, "PassthroughCluster", None),
        (AppLabelAndNamespace, "BlackHoleCluster", None),
        (AppLabelAndNamespace, "", None),
    ] {
        let got = Service::By(naming).of_callee(cluster);
        assert_eq!(got.as_deref(), expected, "{naming:?} {cluster}");
    }
    let named = Service::Named("mine".to_owned()).of_callee(REVIEWS);
    assert_eq!(
        named.as_deref(),
        Some("reviews.bookinfo"),
        "the name is the proxy's own"
    );
}
