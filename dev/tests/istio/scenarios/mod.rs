//! What is played, each from a mesh without the plugin.

mod bad_config;
mod collectors;
mod denied;
mod differences;
mod documented;
mod egress;
mod everything;
mod first_requests;
mod images;
mod manifests;
mod new_user;
mod one_trace;
mod ratios;
mod readings;
mod registries;
mod roll_back;
mod tproxy;
mod tracers;
mod trust;
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
        "from a clone to a trace in Tempo, by the README's commands",
        new_user::play,
    ),
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
        "an image that is missing stops traffic where it fails closed",
        images::fails_closed,
    ),
    ("a registry behind a proxy", registries::behind_a_proxy),
    ("a registry with a password", registries::with_a_password),
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
    (
        "a Zipkin collector whose port a policy drops",
        collectors::zipkin_dropped,
    ),
    ("a headless collector", collectors::headless),
    ("the first requests of a pod", first_requests::play),
    (
        "the first requests of a pod whose image comes late",
        first_requests::slow_registry,
    ),
    ("a mesh without a tracing provider", tracers::none),
    (
        "a tracing provider whose Service is not there",
        tracers::without_service,
    ),
    (
        "a tracing provider whose Service has no such port",
        tracers::without_port,
    ),
    ("Envoy's Zipkin tracer beside the filter", tracers::zipkin),
    (
        "Envoy's OpenTelemetry tracer beside the filter",
        tracers::opentelemetry,
    ),
    ("a TrafficExtension", variants::traffic_extension),
    ("a sidecar by TPROXY", tproxy::play),
    ("a plugin in a namespace", variants::namespace),
    ("a plugin on one side only", variants::inbound_only),
    (
        "an EnvoyFilter that patches inbound only",
        variants::inbound_envoy_filter,
    ),
    ("two plugins on a listener", variants::two_plugins),
    (
        "a WasmPlugin and a TrafficExtension on a listener",
        variants::both_kinds,
    ),
    ("every waypoint, by HBONE", waypoint::every),
    ("one waypoint, by HBONE", waypoint::one),
    (
        "a namespace of ambient's without a waypoint",
        waypoint::none,
    ),
    ("trust of peers and of hosts outside", trust::play),
    ("trust at a waypoint, by HBONE", waypoint::trusted),
    ("everything that goes together", everything::play),
    (
        "the doctor reads what pilot-agent and istioctl print",
        readings::play,
    ),
    ("uninstalling leaves nothing", uninstall::play),
    ("the documented commands", documented::play),
];
