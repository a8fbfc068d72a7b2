//! What is played, each from a mesh without the plugin.

mod bad_config;
mod collectors;
mod denied;
mod documented;
mod first_requests;
mod images;
mod manifests;
mod one_trace;
mod uninstall;
mod upgrade;
mod variants;
mod waypoint;

use crate::stage::Stage;
use anyhow::Result;

type Scenario = fn(&Stage) -> Result<()>;

pub const ALL: &[(&str, Scenario)] = &[
    (
        "every manifest is accepted, every broken one refused",
        manifests::play,
    ),
    ("one trace through gateway and sidecars", one_trace::play),
    (
        "an upgrade and a rollback by digest under load",
        upgrade::play,
    ),
    (
        "a bad configuration leaves the filter inert",
        bad_config::play,
    ),
    (
        "an image that is missing lets traffic pass",
        images::missing,
    ),
    (
        "the module's digest instead of the manifest's lets traffic pass",
        images::wrong_digest,
    ),
    (
        "what a policy denies is a span and a log line",
        denied::by_policy,
    ),
    (
        "what an ext_authz denies is a span and a log line",
        denied::by_ext_authz,
    ),
    (
        "what a gateway cannot route is a span and a log line",
        denied::unrouted,
    ),
    ("a collector without a cluster", collectors::no_cluster),
    ("a collector without endpoints", collectors::no_endpoints),
    (
        "a collector whose gRPC port is not HTTP/2",
        collectors::not_http2,
    ),
    ("a collector that refuses", collectors::refused),
    ("a collector whose port a policy drops", collectors::dropped),
    ("a headless collector", collectors::headless),
    ("the first requests of a pod", first_requests::play),
    (
        "the first requests of a pod whose image comes late",
        first_requests::slow_registry,
    ),
    ("a TrafficExtension", variants::traffic_extension),
    ("a plugin in a namespace", variants::namespace),
    ("a plugin on one side only", variants::inbound_only),
    ("two plugins on a listener", variants::two_plugins),
    ("a waypoint by HBONE", waypoint::play),
    ("uninstalling leaves nothing", uninstall::play),
    ("the documented commands", documented::play),
];
