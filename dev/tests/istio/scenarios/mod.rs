//! What is played, each from a mesh without the plugin.

mod bad_config;
mod collectors;
mod denied;
mod differences;
mod egress;
mod first_requests;
mod helm;
mod images;
mod manifests;
mod new_user;
mod one_trace;
mod ratios;
mod roll_back;
mod tempo;
mod tproxy;
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
    ("the README's commands install it", new_user::play),
    ("Tempo has the first trace in half a minute", tempo::play),
    ("the ratio of each overlay", ratios::play),
    (
        "differences by namespace and label",
        differences::by_overrides,
    ),
    ("opting in by namespace", differences::by_opt_in),
    ("opting in by label", differences::by_label),
    (
        "an upgrade and a rollback by digest under load",
        upgrade::play,
    ),
    (
        "a bad configuration leaves the filter inert",
        bad_config::play,
    ),
    (
        "image and configuration roll back together",
        roll_back::play,
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
    (
        "a call to a host outside is a span, and brings no header",
        egress::play,
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
    ("a sidecar by TPROXY", tproxy::play),
    ("a plugin in a namespace", variants::namespace),
    ("a plugin on one side only", variants::inbound_only),
    ("two plugins on a listener", variants::two_plugins),
    ("every waypoint, by HBONE", waypoint::every),
    ("one waypoint, by HBONE", waypoint::one),
    ("the chart by Helm", helm::play),
    ("uninstalling leaves nothing", uninstall::play),
];
