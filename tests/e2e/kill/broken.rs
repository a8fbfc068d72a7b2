//! `tests/config/broken.tsv` in one Envoy: every configuration says its path once, and none harms traffic.

use crate::formats::agreed_trace_id;
use crate::scenarios::{TRACE, TRACEPARENT};
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};

const TABLE: &str = include_str!("../../config/broken.tsv");
const GOOD: &str = "good";
/// Filters of one listener, each with another configuration.
const IN_A_ROW: usize = 20;

pub fn all(release: Release, module: &Path) -> Result<()> {
    let rows: Vec<(String, &str, &str)> = TABLE
        .lines()
        .enumerate()
        .filter_map(|(number, line)| {
            let (path, config) = line.split_once('\t')?;
            Some((format!("line-{}", number + 1), path, config))
        })
        .collect();
    let app = App::start()?;
    let with = |listener: Listener, name: &str, config: &str| {
        let plugin = Plugin::new(module, &json!({}))
            .named(name)
            .configured(config);
        listener.filter(name, &plugin.to_json())
    };
    let open = |name: &str| Listener::inbound(name).route(Route::any("app"));
    let groups: Vec<_> = rows.chunks(IN_A_ROW).enumerate().collect();
    let proxy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(with(open(GOOD), GOOD, "{}"))
        .cluster(Cluster::new("app", app.address()));
    let envoy = groups
        .iter()
        .fold(proxy, |proxy, (number, rows)| {
            let listener = open(&format!("group-{number}"));
            proxy.listener(rows.iter().fold(listener, |listener, (name, _, config)| {
                with(listener, name, config)
            }))
        })
        .start(&release.binary()?)?;
    let sent = Headers::new()
        .with("traceparent", TRACEPARENT)
        .with("b3", "stale");
    let through = |name: &str| -> Result<Headers> {
        let request = Request::get("/?a=b").headers(&sent);
        let answer = client::send(envoy.listener(name)?, &request)?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(app.take_seen().pop().context("nothing arrived")?.headers)
    };
    for (number, rows) in &groups {
        let seen = through(&format!("group-{number}"))?;
        let passed = seen.filtered(|name| sent.contains(name)) == sent;
        ensure!(
            passed && !seen.contains("x-b3-traceid"),
            "one of these did not leave it untouched: {rows:?}\n{seen:?}"
        );
    }
    // Among all of them a good one is at work.
    let seen = through(GOOD)?;
    let traced = agreed_trace_id(&seen).map_err(anyhow::Error::msg)?;
    ensure!(traced.as_deref() == Some(TRACE), "{seen:?}");
    let log = envoy.log();
    // More than one line of a configuration where a worker is late: it is news again.
    let mut said: Vec<&str> = log
        .lines()
        .filter_map(|line| {
            Some(
                line.split_once("configuration rejected, requests pass untouched: ")?
                    .1,
            )
        })
        .collect();
    // The longest path first: another may begin with it.
    let mut by_length: Vec<_> = rows.iter().collect();
    by_length.sort_by_key(|(_, path, _)| core::cmp::Reverse(path.len()));
    for (name, path, config) in by_length {
        let its = said.iter().position(|line| line.starts_with(path));
        let its = its.with_context(|| format!("{name}: no line says {path}: {config}"))?;
        said.swap_remove(its);
    }
    let gauge = format!("throughline_config_rejected{{}} {}", rows.len());
    ensure!(envoy.prometheus()?.contains(&gauge), "no {gauge}");
    check_health(&envoy)
}
