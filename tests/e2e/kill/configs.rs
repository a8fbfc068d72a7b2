//! Hostile configurations, one after the other, to an Envoy that lives on.

use super::corpus::{self, Hostile};
use crate::formats::agreed_trace_id;
use crate::scenarios::{TRACE, TRACEPARENT};
use crate::stage::check_health;
use crate::workers::Traffic;
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Headers, Request};
use throughline_dev::mesh::{Cluster, Listener, Plugin, Proxy, Route};

const WORKERS: usize = 2;
/// A good configuration between two hostile ones writes this header, to tell which of them is at work.
const MARKER: &str = "x-marker";
/// What a line of the log may have: whatever the configuration, a person is to read it.
const LONGEST_LINE: usize = 2000;

pub fn run(release: Release, module: &Path) -> Result<()> {
    let plugin = Plugin::new(module, &json!({}));
    let app = App::start()?;
    let envoy = Proxy::new(corpus::node())
        .concurrency(WORKERS as u32)
        .listener(
            Listener::inbound("inbound")
                .plugin(&plugin)
                .route(Route::any("app")),
        )
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)?;
    let mut traffic = Traffic::start(&envoy, "inbound", WORKERS, &app)?;
    let mut failures = Vec::new();
    let corpus = corpus::all();
    for (number, hostile) in corpus.iter().enumerate() {
        mark(&envoy, &mut traffic, &plugin, number)?;
        let log = envoy.log().len();
        // The marker and every hostile configuration after it must reach a live Envoy; else nothing more can be said.
        hostile
            .plugin(plugin.clone())
            .reload(&envoy)
            .with_context(|| hostile.shown())?;
        if let Err(error) = judge(&envoy, &mut traffic, hostile, log) {
            failures.push(format!(
                "{}: {error:#}\n  {}",
                hostile.name,
                hostile.shown()
            ));
        }
    }
    mark(&envoy, &mut traffic, &plugin, corpus.len())?;
    let count = failures.len();
    ensure!(
        count == 0,
        "{count} of {} failed\n{}",
        corpus.len(),
        failures.join("\n")
    );
    check_health(&envoy)
}

/// Gives it a good configuration, and waits until it is at work on every worker.
fn mark(envoy: &Envoy, traffic: &mut Traffic<'_>, plugin: &Plugin, number: usize) -> Result<()> {
    let config = json!({
        "customTags": {"marker": {"literal": {"value": number.to_string()}}},
        "tags": {"to": [format!("header:{MARKER}")]},
    });
    plugin
        .clone()
        .configured(&config.to_string())
        .reload(envoy)?;
    let marked = |seen: &Headers| seen.get(MARKER) == Some(number.to_string().as_bytes());
    traffic.until(
        "the good configuration to act on every worker",
        &request(),
        marked,
    )?;
    ensure!(
        is_rejected(envoy)? == Some(false),
        "the gauge does not say that the good configuration is at work"
    );
    Ok(())
}

fn judge(envoy: &Envoy, traffic: &mut Traffic<'_>, hostile: &Hostile, log: usize) -> Result<()> {
    let all = traffic.until("the hostile configuration to act", &request(), |seen| {
        !seen.contains(MARKER)
    })?;
    for seen in all {
        match hostile.refused {
            None => {
                let trace_id = agreed_trace_id(&seen).map_err(anyhow::Error::msg)?;
                ensure!(
                    trace_id.as_deref() == Some(TRACE) && seen.contains("x-b3-traceid"),
                    "no effect:\n{seen:?}"
                );
            }
            Some(_) => {
                let passed = seen.filtered(|name| sent().contains(name)) == sent();
                ensure!(
                    passed && !seen.contains("x-b3-traceid"),
                    "not untouched:\n{seen:?}"
                );
            }
        }
    }
    let now = envoy.log();
    let lines: Vec<_> = now.get(log..).unwrap_or_default().lines().collect();
    if let Some(line) = lines.iter().find(|line| !line.starts_with("[20")) {
        bail!(
            "a line of the log that Envoy did not begin: {:.200}",
            line.escape_debug()
        );
    }
    if let Some(line) = lines.iter().find(|line| line.chars().any(char::is_control)) {
        bail!(
            "control characters in the log: {:.500}",
            line.escape_debug()
        );
    }
    if let Some(line) = lines.iter().find(|line| line.len() > LONGEST_LINE) {
        bail!("a line of {} bytes in the log: {line:.300}", line.len());
    }
    // Where spans go nowhere, that is said when the first batch leaves, be it for a configuration that is over.
    let is_error = |line: &&&str| {
        (line.contains("[error]") && !line.contains("spans do not leave"))
            || line.contains("configuration rejected")
    };
    let errors: Vec<_> = lines.iter().filter(is_error).collect();
    match (&hostile.refused, errors.as_slice()) {
        (None, []) => {}
        (Some(path), [line]) if line.contains(&format!("untouched: {path}")) => {}
        (expected, errors) => bail!("expected an error with {expected:?}, got {errors:?}"),
    }
    let rejected = is_rejected(envoy)?;
    ensure!(
        rejected == Some(hostile.refused.is_some()),
        "the gauge config_rejected is {rejected:?}"
    );
    Ok(())
}

fn request() -> Request {
    Request::get("/?a=b").headers(&sent())
}

fn sent() -> Headers {
    Headers::new()
        .with("traceparent", TRACEPARENT)
        .with("b3", "stale")
}

fn is_rejected(envoy: &Envoy) -> Result<Option<bool>> {
    let page = envoy.prometheus()?;
    let gauge = page
        .lines()
        .find_map(|line| line.strip_prefix("throughline_config_rejected{} "));
    Ok(gauge.map(|value| value == "1"))
}
