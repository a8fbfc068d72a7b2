//! Which page of Envoy's a text is.

use super::clusters::{self, HostsOf};
use super::dump::Dump;
use super::json::parse;
use super::stats::Stats;
use crate::Failure;
use crate::source::Text;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use throughline::text::shown;

/// A text, read.
#[derive(Debug)]
pub enum Document {
    Dump(Box<Dump>),
    Hosts(Vec<HostsOf>),
    Stats(Stats),
}

const WANTED: &str = "expected a config dump, clusters or statistics of an Envoy";

impl Document {
    pub fn read(text: &Text) -> Result<Self, Failure> {
        let name = &text.name;
        let complain = |what: &str| Err(Failure::new(format!("{name}: {what}")));
        if text.bytes.starts_with(&[0x1f, 0x8b]) {
            return complain("is compressed with gzip: gunzip it first");
        }
        let Ok(text) = std::str::from_utf8(&text.bytes) else {
            return complain(&format!("is not text; {WANTED}"));
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        match text.chars().next() {
            None => complain(&format!("is empty; {WANTED}")),
            Some('{') => object(name, text),
            Some('[') if log_like(text) => complain("is a log: give it with --log"),
            Some('[') => array(name, text),
            Some(_) => plain(name, text),
        }
    }
}

/// What an object of JSON has, of what tells them apart.
#[derive(Deserialize)]
struct ObjectProbe {
    configs: Option<IgnoredAny>,
    #[serde(alias = "clusterStatuses")]
    cluster_statuses: Option<IgnoredAny>,
    #[serde(alias = "ecdsFilters")]
    ecds_filters: Option<IgnoredAny>,
    bootstrap: Option<IgnoredAny>,
}

fn object(name: &str, text: &str) -> Result<Document, Failure> {
    let probe: ObjectProbe = parse(name, text)?;
    if probe.configs.is_some() {
        return Ok(Document::Dump(Box::new(Dump::of_config_dump(name, text)?)));
    }
    if probe.cluster_statuses.is_some() {
        return Ok(Document::Hosts(clusters::of_admin(name, text)?));
    }
    if probe.ecds_filters.is_some() {
        return Ok(Document::Dump(Box::new(Dump::of_ecds(name, text)?)));
    }
    if probe.bootstrap.is_some() {
        return Ok(Document::Dump(Box::new(Dump::of_bootstrap(name, text)?)));
    }
    // What `istioctl proxy-config ecds` prints where there is none.
    if text.trim_start_matches('{').trim() == "}" {
        return Ok(Document::Dump(Box::new(Dump::of_ecds(name, text)?)));
    }
    Err(Failure::new(format!(
        "{name}: is JSON, but has neither configs (a config dump), cluster_statuses (clusters), ecdsFilters nor bootstrap; {WANTED}"
    )))
}

/// What an element of a list has, of what tells listeners, clusters and their hosts apart.
#[derive(Deserialize)]
struct ElementProbe {
    #[serde(alias = "hostStatuses", alias = "added_via_api", alias = "addedViaApi")]
    host_statuses: Option<IgnoredAny>,
    #[serde(
        alias = "filterChains",
        alias = "default_filter_chain",
        alias = "defaultFilterChain"
    )]
    filter_chains: Option<IgnoredAny>,
    #[serde(alias = "trafficDirection")]
    traffic_direction: Option<IgnoredAny>,
    #[serde(
        alias = "connectTimeout",
        alias = "lbPolicy",
        alias = "lb_policy",
        alias = "edsClusterConfig",
        alias = "eds_cluster_config",
        alias = "loadAssignment",
        alias = "load_assignment"
    )]
    connect_timeout: Option<IgnoredAny>,
}

/// Lists are what `istioctl proxy-config listener|cluster|endpoint -o json` prints.
fn array(name: &str, text: &str) -> Result<Document, Failure> {
    let elements: Vec<&RawValue> = parse(name, text)?;
    for (index, element) in elements.iter().enumerate() {
        // Twice the same field, under both its names, is for the real reading to complain of.
        let Ok(probe) = parse::<ElementProbe>(&format!("{name}: [{index}]"), element.get()) else {
            continue;
        };
        if probe.host_statuses.is_some() {
            return Ok(Document::Hosts(clusters::of_list(name, text)?));
        }
        if probe.filter_chains.is_some() || probe.traffic_direction.is_some() {
            return Ok(Document::Dump(Box::new(Dump::of_listeners(
                name, &elements,
            )?)));
        }
        if probe.connect_timeout.is_some() {
            return Ok(Document::Dump(Box::new(Dump::of_clusters(
                name, &elements,
            )?)));
        }
    }
    Err(Failure::new(format!(
        "{name}: is a list of neither listeners, clusters nor endpoints; {WANTED}"
    )))
}

/// Statistics in both forms, and clusters as `/clusters` writes them.
fn plain(name: &str, text: &str) -> Result<Document, Failure> {
    if let Some(hosts) = clusters::of_text(text) {
        return Ok(Document::Hosts(hosts));
    }
    if let Some(stats) = Stats::read(text) {
        return Ok(Document::Stats(stats));
    }
    let first = text.lines().next().unwrap_or_default();
    let hint = if log_like(text) {
        " (a log goes with --log)"
    } else if first.starts_with("- ") || first.ends_with(':') {
        " (for YAML, ask for -o json)"
    } else {
        ""
    };
    Err(Failure::new(format!(
        "{name}: {WANTED}{hint}; it begins with {:?}",
        shown(first.as_bytes(), 60)
    )))
}

/// Envoy's lines begin with `[2026-11-21 10:00:00.000]`, Istio's with the time alone.
fn log_like(text: &str) -> bool {
    let first = text.trim_start_matches('[');
    let date = first.as_bytes().get(..5);
    date.is_some_and(|date| date.starts_with(b"20") && date.ends_with(b"-"))
}
