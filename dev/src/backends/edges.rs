//! Who called whom, as dependency graphs have it.

use super::exposition::Labels;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;

/// The calls from one service to another.
pub type Edges = BTreeMap<(String, String), u64>;

/// From the list `{parent, child, callCount}` that Zipkin and Jaeger share.
pub fn of_links(links: &Value) -> Result<Edges> {
    let links = links.as_array().context("no list of dependencies")?;
    let edge = |link: &Value| {
        let name = |field: &str| link[field].as_str().map(str::to_owned);
        Some((
            (name("parent")?, name("child")?),
            link["callCount"].as_u64()?,
        ))
    };
    links
        .iter()
        .map(|link| edge(link).with_context(|| format!("dependency {link}")))
        .collect()
}

/// From `traces_service_graph_request_total`, which Tempo and the Collector share. Without the nodes that they make up
/// for callers and callees that do not report.
pub fn of_metrics(samples: &[(Labels, f64)]) -> Result<Edges> {
    let mut edges = Edges::new();
    for (labels, calls) in samples {
        if labels
            .get("connection_type")
            .is_some_and(|kind| kind == "virtual_node")
        {
            continue;
        }
        let name = |label: &str| {
            labels
                .get(label)
                .cloned()
                .with_context(|| format!("no {label} in {labels:?}"))
        };
        // A count in a float, far below where it would lose digits.
        *edges.entry((name("client")?, name("server")?)).or_default() += *calls as u64;
    }
    Ok(edges)
}
