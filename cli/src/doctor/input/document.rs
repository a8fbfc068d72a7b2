//! Which page of Envoy's a text is.

use super::clusters::{self, HostsOf};
use super::dump::Dump;
use super::json::parse;
use super::stats::Stats;
use crate::Failure;
use crate::source::Text;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
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

/// The fields of an object of JSON, which tell what it is.
type Fields = BTreeMap<String, IgnoredAny>;

fn has(fields: &Fields, names: &[&str]) -> bool {
    names.iter().any(|name| fields.contains_key(*name))
}

fn object(name: &str, text: &str) -> Result<Document, Failure> {
    let fields: Fields = parse(name, text)?;
    if has(&fields, &["configs"]) {
        return Ok(Document::Dump(Box::new(Dump::of_config_dump(name, text)?)));
    }
    if has(&fields, &["cluster_statuses", "clusterStatuses"]) {
        return Ok(Document::Hosts(clusters::of_admin(name, text)?));
    }
    if has(&fields, &["ecds_filters", "ecdsFilters"]) {
        return Ok(Document::Dump(Box::new(Dump::of_ecds(name, text)?)));
    }
    if has(&fields, &["bootstrap"]) {
        return Ok(Document::Dump(Box::new(Dump::of_bootstrap(name, text)?)));
    }
    // What `istioctl proxy-config ecds` prints where there is none.
    if fields.is_empty() {
        return Ok(Document::Dump(Box::new(Dump::of_ecds(name, text)?)));
    }
    Err(Failure::new(format!(
        "{name}: is JSON, but has neither configs (a config dump), cluster_statuses (clusters), ecdsFilters nor bootstrap; {WANTED}"
    )))
}

/// Fields that only the hosts of a cluster, a listener or a cluster have, in both spellings.
const HOSTS: &[&str] = &[
    "host_statuses",
    "hostStatuses",
    "added_via_api",
    "addedViaApi",
];
const LISTENER: &[&str] = &[
    "filter_chains",
    "filterChains",
    "default_filter_chain",
    "defaultFilterChain",
    "traffic_direction",
    "trafficDirection",
];
const CLUSTER: &[&str] = &[
    "connect_timeout",
    "connectTimeout",
    "lb_policy",
    "lbPolicy",
    "load_assignment",
    "loadAssignment",
    "eds_cluster_config",
    "edsClusterConfig",
];

/// Lists are what `istioctl proxy-config listener|cluster|endpoint -o json` prints.
fn array(name: &str, text: &str) -> Result<Document, Failure> {
    let elements: Vec<&RawValue> = parse(name, text)?;
    for element in &elements {
        let Ok(fields) = parse::<Fields>(name, element.get()) else {
            break;
        };
        if has(&fields, HOSTS) {
            return Ok(Document::Hosts(clusters::of_list(name, text)?));
        }
        if has(&fields, LISTENER) {
            return Ok(Document::Dump(Box::new(Dump::of_listeners(
                name, &elements,
            )?)));
        }
        if has(&fields, CLUSTER) {
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
