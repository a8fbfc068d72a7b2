//! `service`, `OTEL_SERVICE_NAME`, and `service.name` in `OTEL_RESOURCE_ATTRIBUTES`.

use super::{
    Environment, Problem,
    environment::{non_empty, resource_service_name},
    reader::Object,
};
use crate::policy::service::{Naming, Service};

pub const FIELDS: [&str; 2] = ["naming", "name"];

/// In bytes; Kubernetes names are shorter.
const MAX_NAME: usize = 256;

const NAMINGS: [(&str, Naming); 4] = [
    ("appLabelAndNamespace", Naming::AppLabelAndNamespace),
    ("canonicalNameOnly", Naming::CanonicalNameOnly),
    (
        "canonicalNameAndNamespace",
        Naming::CanonicalNameAndNamespace,
    ),
    ("opentelemetry", Naming::OpenTelemetry),
];

pub fn load(
    section: Option<&Object<'_>>,
    environment: &impl Environment,
) -> Result<Service, Problem> {
    let naming = match section.and_then(|section| section.get("naming")) {
        Some(node) => node.choice(&NAMINGS)?,
        None => Naming::AppLabelAndNamespace,
    };
    let configured = match section.and_then(|section| section.get("name")) {
        Some(node) => Some(node.text(MAX_NAME)?).filter(|name| !name.is_empty()),
        None => None,
    };
    let name = match configured.or_else(|| non_empty(environment, "OTEL_SERVICE_NAME")) {
        None => resource_service_name(environment)?,
        found => found,
    };
    Ok(match name {
        Some(name) => Service::Named(name),
        None => Service::By(naming),
    })
}
