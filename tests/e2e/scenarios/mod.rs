//! What is more than one request and its headers. A new one: a function in the file that fits, and a line in [`ALL`].

mod access_log;
mod configuration;
mod consistent;
mod environment;
mod everywhere;
mod examples;
mod going;
mod logging;
mod metrics;
mod native;
mod places;
mod protocols;
mod response;
mod sampling;
pub mod tags;
mod trust;
mod values;

use crate::{kill, tracers};
use anyhow::Result;
use std::path::Path;
use throughline_dev::envoy::Release;

/// A scenario plays on one release, with the module.
pub type Scenario = fn(Release, &Path) -> Result<()>;

/// Every scenario.
pub const ALL: &[(&str, Scenario)] = &[
    (
        "a new configuration takes effect on a live Envoy without a dropped request",
        configuration::reload,
    ),
    (
        "a bad configuration lets requests pass untouched, and says so",
        configuration::bad,
    ),
    (
        "gRPC over HTTP/2 keeps its trailers and stays on its trace",
        protocols::grpc,
    ),
    ("chunked bodies and trailers pass", protocols::trailers),
    (
        "WebSocket and CONNECT requests stay on their trace",
        protocols::upgrades,
    ),
    (
        "gateways and waypoints do as sidecars do",
        places::gateway_and_waypoint,
    ),
    (
        "the filter twice on one listener is as good as once",
        places::twice,
    ),
    (
        "a second plugin that comes before the first is no tracer of Envoy's",
        places::joined_by_another,
    ),
    ("the filter acts on every worker", places::workers),
    (
        "the access log has the trace of every request that the filter saw",
        access_log::trace_ids,
    ),
    (
        "what the filter did is counted, with labels",
        metrics::counters,
    ),
    (
        "an application that does not forward is counted",
        metrics::gap,
    ),
    (
        "a configuration is announced once, on however many workers",
        logging::once,
    ),
    ("no request logs anything above debug", logging::silence),
    ("at debug every request says where it was", logging::places),
    ("tags from every source reach every sink", tags::sinks),
    (
        "a tag in one header is never the client's",
        tags::one_header,
    ),
    (
        "Envoy's own spans have the filter's tags",
        tags::native_spans,
    ),
    (
        "the service is named as Istio or OpenTelemetry would",
        environment::service_names,
    ),
    (
        "OTEL_* variables fill what the configuration leaves out",
        environment::variables,
    ),
    (
        "spans that go with their virtual machine are counted",
        going::virtual_machine,
    ),
    ("rules decide by the request", sampling::rules),
    ("an application may force", sampling::forced),
    ("workers share the limit of a second", sampling::limit),
    ("trust: who a peer is", trust::peers::identities),
    ("trust: where a peer is", trust::peers::addresses),
    ("trust: what a stranger sends", trust::strangers::hostile),
    ("trust: what leaves the mesh", trust::destinations::outside),
    (
        "trust: spans of what is restarted, stripped and ignored",
        trust::spans::told,
    ),
    (
        "trust: the documented rules keep one trace",
        trust::documented::one_trace,
    ),
    (
        "every proxy decides alike on one trace",
        consistent::one_decision,
    ),
    (
        "a threshold is told and kept on the way",
        consistent::kept_on_the_way,
    ),
    (
        "tags from every source reach every sink of one request",
        values::all_sources,
    ),
    (
        "hostile header values are the same in every sink",
        values::hostile,
    ),
    ("a rule tags what it decides", values::of_rules),
    ("redaction hides in every sink", values::redacted),
    (
        "the reason in x-request-id is left alone",
        values::request_ids,
    ),
    ("responses tell the trace", response::headers),
    ("Envoy ends in order with spans that wait", going::process),
    (
        "beside a tracer the first response tells every worker",
        tracers::learns,
    ),
    (
        "beside a tracer that comes and goes the filter follows",
        tracers::switched,
    ),
    (
        "beside a tracer that reports, the filter may report too",
        tracers::report,
    ),
    (
        "what went nowhere beside a tracer that samples none is reported",
        tracers::nowhere,
    ),
    ("the matrix of Envoy's own tracers", tracers::matrix),
    (
        "a request id that does not tell what Envoy decides is not believed",
        tracers::untold,
    ),
    ("the worked examples of the documentation", examples::play),
    (
        "what Envoy writes without the filter, as documented",
        native::headers,
    ),
    ("ten thousand hostile requests kill nothing", kill::requests),
    ("hostile configurations kill nothing", kill::configs),
    ("broken configurations harm no traffic", kill::broken),
];

pub const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
