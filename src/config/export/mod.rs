//! `export`, and the OTEL_EXPORTER_OTLP_* and OTEL_BSP_* variables.

mod destination;
mod endpoint;
mod headers;
mod limits;

use self::endpoint::Endpoint;
use super::{
    Environment, Problem,
    environment::non_empty,
    reader::{Object, choose},
};
use crate::export::{ExportSettings, Protocol};

pub const FIELDS: [&str; 9] = [
    "protocol",
    "service",
    "cluster",
    "port",
    "path",
    "headers",
    "timeout",
    "batch",
    "maxInFlight",
];

const PROTOCOLS: [(&str, Protocol); 4] = [
    ("otlp-http", Protocol::OtlpHttp),
    ("otlp-grpc", Protocol::OtlpGrpc),
    ("otlp-http-json", Protocol::OtlpHttpJson),
    ("zipkin", Protocol::Zipkin),
];

/// OTEL_EXPORTER_OTLP_PROTOCOL's words.
const OTEL_PROTOCOLS: [(&str, Protocol); 3] = [
    ("http/protobuf", Protocol::OtlpHttp),
    ("grpc", Protocol::OtlpGrpc),
    ("http/json", Protocol::OtlpHttpJson),
];

/// `None` where neither the section nor an endpoint's variable is there.
pub fn load(
    section: Option<&Object<'_>>,
    environment: &impl Environment,
) -> Result<Option<ExportSettings>, Problem> {
    let endpoint = Endpoint::of(environment)?;
    if section.is_none() && endpoint.is_none() {
        return Ok(None);
    }
    let get = |name| section.and_then(|section: &Object<'_>| section.get(name));
    let protocol = match get("protocol") {
        Some(node) => node.choice(&PROTOCOLS)?,
        None => protocol_from(environment)?,
    };
    let configured =
        destination::configured(get("cluster"), get("service"), get("port"), protocol)?;
    let (destination, endpoint_path) = match (configured, endpoint) {
        (Some(destination), _) => (destination, None),
        (None, Some(endpoint)) => endpoint.resolve(protocol),
        (None, None) => {
            return Err(Problem::new(
                "export",
                "needs a destination: service (such as tempo.monitoring.svc.cluster.local) with port, \
                 or cluster (a cluster of Envoy's)",
            ));
        }
    };
    let path = match get("path") {
        Some(node) => destination::path(&node, protocol)?,
        None => endpoint_path.unwrap_or_else(|| protocol.default_path().to_owned()),
    };
    Ok(Some(ExportSettings {
        protocol,
        destination,
        path,
        headers: headers::load(get("headers").as_ref(), environment)?,
        timeout: limits::timeout(get("timeout").as_ref(), environment)?,
        limits: limits::load(
            get("batch").as_ref(),
            get("maxInFlight").as_ref(),
            environment,
        )?,
    }))
}

fn protocol_from(environment: &impl Environment) -> Result<Protocol, Problem> {
    const NAMES: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ];
    for name in NAMES {
        if let Some(word) = non_empty(environment, name) {
            return choose(&word, &OTEL_PROTOCOLS).map_err(|message| Problem::new(name, message));
        }
    }
    Ok(Protocol::OtlpHttp)
}
