//! What is said of a proxy. Its JSON is an interface: docs/doctor.md describes it, and fields are only ever added.

use super::case::{Case, HttpChain, Instance, State};
use super::checks::{self, NOT_GIVEN, Seen};
use super::finding::{Finding, Severity};
use super::input::{Extension, Stats};
use serde::Serialize;
use throughline::config::Settings;
use throughline::policy::sampling::RootSampler;
use throughline::propagation::Format;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Of this shape.
    pub format: u32,
    /// Neither errors nor warnings; `None` where whether the filter runs is not known.
    pub healthy: Option<bool>,
    pub proxy: ProxyFacts,
    pub filter: FilterFacts,
    pub chains: Vec<ChainFacts>,
    pub requests: Option<RequestFacts>,
    pub spans: Option<SpanFacts>,
    /// The worst first.
    pub findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyFacts {
    /// `sidecar`, `gateway`, `waypoint` or `envoy`.
    pub kind: String,
    pub id: Option<String>,
    pub envoy: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterFacts {
    /// As it runs.
    pub version: Option<String>,
    pub instances: Vec<InstanceFacts>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceFacts {
    pub name: String,
    /// `configured`, `rejected`, `image-not-pulled`, `missing` or `unknown`.
    pub state: &'static str,
    /// Those that have it.
    pub listeners: Vec<String>,
    pub config: Option<ConfigFacts>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigFacts {
    /// Here: overrides are taken into account.
    pub enabled: bool,
    pub service_name: String,
    pub sampler: &'static str,
    pub ratio: Option<f64>,
    pub extract: Vec<&'static str>,
    pub inject: Vec<&'static str>,
    pub export: Option<ExportFacts>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportFacts {
    pub protocol: &'static str,
    pub cluster: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainFacts {
    pub listener: String,
    /// `sidecar-inbound`, `sidecar-outbound`, `gateway`, `waypoint` or `envoy`.
    pub place: String,
    pub has_filter: bool,
    /// HTTP filters in their order; `throughline` is the filter.
    pub filters: Vec<String>,
}

/// On the chains where the filter acts, once for each instance, since Envoy started or between two readings.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestFacts {
    pub by_filter: u64,
    pub by_envoy: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpanFacts {
    pub finished: u64,
    pub exported: u64,
    pub dropped: u64,
    pub failed: u64,
}

const FORMAT: u32 = 1;

impl Report {
    pub fn of(case: &Case) -> Self {
        let findings = checks::all(case);
        let seen = Seen::of(case).filter(|_| !case.instances.is_empty());
        Self {
            format: FORMAT,
            healthy: healthy(&findings),
            proxy: ProxyFacts {
                kind: case.proxy.to_string(),
                id: case
                    .node
                    .as_ref()
                    .map(|node| node.id.clone())
                    .filter(|id| !id.is_empty()),
                envoy: case.node.as_ref().and_then(|node| node.version.clone()),
            },
            filter: FilterFacts {
                version: case.version(),
                instances: case
                    .instances
                    .iter()
                    .enumerate()
                    .map(|(index, instance)| InstanceFacts {
                        listeners: case
                            .listeners(index)
                            .into_iter()
                            .map(str::to_owned)
                            .collect(),
                        ..of_instance(case, instance)
                    })
                    .collect(),
            },
            chains: case
                .chains
                .iter()
                .map(|chain| of_chain(case, chain))
                .collect(),
            requests: seen.map(|seen| RequestFacts {
                by_filter: seen.by_filter,
                by_envoy: seen.by_envoy,
            }),
            spans: case.stats.as_ref().and_then(of_spans),
            findings,
        }
    }

    /// One object.
    pub fn json(&self) -> String {
        // Nothing in it has a key that is no text, which is all that could fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

fn healthy(findings: &[Finding]) -> Option<bool> {
    if findings
        .iter()
        .any(|finding| finding.severity != Severity::Note)
    {
        return Some(false);
    }
    let is_unknown = findings.iter().any(|finding| finding.what == NOT_GIVEN);
    (!is_unknown).then_some(true)
}

fn of_instance(case: &Case, instance: &Instance) -> InstanceFacts {
    let (state, config) = match &instance.state {
        State::Plugin {
            settings: Ok(settings),
            ..
        } => ("configured", Some(of_settings(case, settings))),
        State::Plugin { .. } => ("rejected", None),
        State::StandIn { .. } => ("image-not-pulled", None),
        State::Missing => ("missing", None),
        State::Unknown => ("unknown", None),
    };
    InstanceFacts {
        name: instance.name.clone(),
        state,
        listeners: Vec::new(),
        config,
    }
}

fn of_settings(case: &Case, settings: &Settings) -> ConfigFacts {
    let names = |formats: &[Format]| formats.iter().map(|format| format.name()).collect();
    ConfigFacts {
        enabled: settings.enabled,
        service_name: case.service(settings),
        sampler: settings.sampler.name(),
        ratio: match settings.sampler.root {
            RootSampler::TraceIdRatio(ratio) => Some(ratio.probability()),
            RootSampler::AlwaysOn | RootSampler::AlwaysOff => None,
        },
        extract: names(&settings.propagation.readers),
        inject: names(&settings.propagation.inject),
        export: settings.export.as_ref().map(|export| ExportFacts {
            protocol: export.protocol.name(),
            cluster: export.destination.cluster(),
        }),
    }
}

fn of_chain(case: &Case, chain: &HttpChain) -> ChainFacts {
    let ours = |position: usize| {
        let spot = chain.spots.iter().find(|spot| spot.position == position)?;
        case.instances.get(spot.instance)
    };
    let filters = chain.manager.filters.iter().enumerate();
    let name = |(position, filter): (usize, &super::input::HttpFilter)| {
        match ours(position).map(|instance| &instance.state) {
            Some(State::StandIn { .. }) => return "throughline (not pulled)".to_owned(),
            Some(State::Missing) => return "throughline (missing)".to_owned(),
            Some(State::Plugin { .. } | State::Unknown) => return "throughline".to_owned(),
            None => {}
        }
        let stand_in = matches!(filter.config, Some(Extension::StandIn { .. }));
        let name = filter.name.rsplit('/').next().unwrap_or_default();
        let name = name.strip_prefix("envoy.filters.http.").unwrap_or(name);
        if stand_in {
            format!("{name} (not pulled)")
        } else {
            name.to_owned()
        }
    };
    ChainFacts {
        listener: chain.listener.clone(),
        place: chain.place.to_string(),
        has_filter: case.has_filter(chain),
        filters: filters.map(name).collect(),
    }
}

/// `None` where the filter never had an exporter.
fn of_spans(stats: &Stats) -> Option<SpanFacts> {
    stats.samples("finished_spans").next()?;
    let of = |outcome| stats.sum("spans", &[("outcome", outcome)]);
    Some(SpanFacts {
        finished: stats.sum("finished_spans", &[]),
        exported: of("exported"),
        dropped: of("dropped"),
        failed: of("failed"),
    })
}
