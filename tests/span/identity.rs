//! Who the proxy is, in the names of Envoy's tracers and of Istio's (pilot/pkg/networking/core/tracing.go).

use throughline::span::Identity;

use crate::{
    Written,
    node::{Metadata, REVIEWS},
};

fn described(
    metadata: &'static [(&'static str, &'static str)],
    id: &str,
    is_istio: bool,
) -> Vec<String> {
    let identity = Identity::of(&mut Metadata(metadata), id, is_istio);
    Written::by(|to| identity.describe(to))
}

#[test]
fn an_istio_proxy_says_what_istios_tags_say() {
    let expected = [
        "component=proxy",
        "node_id=sidecar~10.0.0.1~a.b~b.svc",
        "istio.canonical_service=reviews-canonical",
        "istio.canonical_revision=r1",
        "istio.mesh_id=mesh1",
        "istio.cluster_id=Kubernetes",
        "istio.namespace=bookinfo",
    ];
    assert_eq!(
        described(REVIEWS, "sidecar~10.0.0.1~a.b~b.svc", true),
        expected
    );
}

#[test]
fn another_envoy_says_only_who_it_is() {
    assert_eq!(
        described(REVIEWS, "edge", false),
        ["component=proxy", "node_id=edge"]
    );
    assert_eq!(described(&[], "", false), ["component=proxy"]);
}

/// Istio, pkg/kube/labels/labels.go.
#[test]
fn the_revision_is_istios() {
    for (metadata, expected) in [
        (
            [
                ("LABELS|app.kubernetes.io/version", "2"),
                ("LABELS|version", "v1"),
            ]
            .as_slice(),
            "2",
        ),
        (&[("LABELS|version", "v1")], "v1"),
        (&[], "latest"),
    ] {
        let got = described(metadata, "sidecar~x", true);
        assert!(
            got.contains(&format!("istio.canonical_revision={expected}")),
            "{got:?}"
        );
    }
}

#[test]
fn what_the_node_does_not_say_is_left_out() {
    let expected = [
        "component=proxy",
        "node_id=sidecar~x",
        "istio.canonical_service=unknown_service",
        "istio.canonical_revision=latest",
    ];
    assert_eq!(described(&[], "sidecar~x", true), expected);
}
