//! The resource: the service by each naming, what the node says, and what the user adds.

use super::hop::Hop;
use super::listeners::NAMINGS;
use super::mesh::Mesh;
use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use throughline_dev::http::Request;
use throughline_dev::receiver::Value;

/// What the node and OTEL_RESOURCE_ATTRIBUTES say; the variable's version counts before the node's.
const COMMON: [(&str, &str); 7] = [
    ("service.namespace", "bookinfo"),
    ("service.version", "2"),
    ("k8s.namespace.name", "bookinfo"),
    ("k8s.pod.name", "productpage-v1-7d4f8c9b5-x2x7k"),
    ("k8s.cluster.name", "Kubernetes"),
    ("team", "others"),
    ("zone", "a"),
];

pub fn names(mesh: &Mesh) -> Result<()> {
    let [by_name, by_both, by_opentelemetry] = NAMINGS;
    for (listener, service, own) in [
        ("inbound", "productpage.bookinfo", &[][..]),
        (by_name, "productpage", &[]),
        (by_both, "productpage.bookinfo", &[]),
        (by_opentelemetry, "productpage-v1", &[]),
        (
            "named",
            "chosen",
            &[
                ("k8s.pod.name", "replaced"),
                ("team", "books"),
                ("mesh", "cluster.local"),
            ],
        ),
    ] {
        let sent = mesh.send_to(Hop::Inbound, listener, Request::get("/direct/200"))?;
        let span = mesh.left(sent, 1)?.outer;
        let expected: BTreeMap<_, _> = [("service.name", service)]
            .iter()
            .chain(&COMMON)
            .chain(own)
            .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
            .collect();
        ensure!(
            span.resource == expected,
            "{listener}: {:#?}, not {expected:#?}",
            span.resource
        );
        let scope = (&*span.scope.name, &*span.scope.version);
        ensure!(
            scope == ("throughline", env!("CARGO_PKG_VERSION")),
            "{scope:?}"
        );
    }
    Ok(())
}
