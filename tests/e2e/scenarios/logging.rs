//! What the filter says in Envoy's log, how often, and what it does not say.

use super::{TRACE, TRACEPARENT};
use crate::stage::{Stage, check_health};
use crate::workers::Traffic;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Client, Headers, Request};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::poll;

/// Once for each process and configuration, on however many workers and listeners, at Istio's log levels.
pub fn once(release: Release, module: &Path) -> Result<()> {
    const WORKERS: usize = 4;
    let plugin = Plugin::new(module, &json!({}));
    let stage = Stage::start_with(release, &plugin, |proxy| {
        proxy
            .concurrency(WORKERS as u32)
            .component_log_level("wasm:warning,misc:error")
    })?;
    // Both listeners, so that the log is read when the last worker of either has its configuration.
    stage.app.calls(Vec::new());
    let mut traffics = [
        Traffic::start(&stage.envoy, "inbound", WORKERS, &stage.app)?,
        Traffic::start(&stage.envoy, "outbound", WORKERS, &stage.callee)?,
    ];
    let has = |name: &'static str| move |seen: &Headers| seen.contains(name);
    let lacks = |name: &'static str| move |seen: &Headers| !seen.contains(name);
    let started = "[warning]";
    let version = env!("CARGO_PKG_VERSION");
    let line = |rest: &str| {
        format!("throughline {version} on sidecar: service.name=productpage.bookinfo {rest}")
    };
    let default = line(
        "sampler=parentbased_always_on extract=tracecontext,b3,b3multi inject=tracecontext,b3multi staleHeaders=rewrite log=warn tags=none export=none",
    );
    let b3 = line(
        "sampler=parentbased_traceidratio(0.25) extract=b3multi,tracecontext inject=b3 staleHeaders=remove log=warn tags=stage to=filterState export=none",
    );
    let bad = format!(
        "throughline {version}: configuration rejected, requests pass untouched: samplng: unknown field, did you mean sampling?"
    );
    let other = json!({
        "propagation": {"extract": ["b3multi", "tracecontext"], "inject": ["b3"], "staleHeaders": "remove"},
        "sampling": {"sampler": "parentbased_traceidratio", "arg": 0.25},
        "custom_tags": {"stage": {"literal": {"value": "test"}}},
    });
    // The same again, but for Envoy another configuration: it may still have the one of a moment ago, configured.
    let again = |mut config: Value| {
        config["log"] = json!({"level": "warn"});
        config
    };
    let mut expected = Vec::new();
    type Seen = Box<dyn Fn(&Headers) -> bool>;
    let steps: [(Value, &str, &str, Seen); 5] = [
        (json!({}), started, &default, Box::new(has("x-b3-traceid"))),
        (other.clone(), started, &b3, Box::new(has("b3"))),
        (
            json!({"samplng": {}}),
            "[error]",
            &bad,
            Box::new(lacks("b3")),
        ),
        (again(other), started, &b3, Box::new(has("b3"))),
        (
            again(json!({})),
            started,
            &default,
            Box::new(has("x-b3-traceid")),
        ),
    ];
    for (number, (config, level, line, seen)) in steps.into_iter().enumerate() {
        if number > 0 {
            plugin
                .clone()
                .configured(&config.to_string())
                .reload(&stage.envoy)?;
        }
        for traffic in &mut traffics {
            let request = Request::get("/").header("traceparent", TRACEPARENT);
            traffic.until("the configuration to act on every worker", &request, &seen)?;
        }
        expected.push((level, line.to_owned()));
        let lines = said(&stage.envoy);
        let is_expected = lines.len() == expected.len()
            && lines.iter().zip(&expected).all(|(got, (level, line))| {
                got.contains(level) && got.ends_with(&format!("wasm log throughline: {line}"))
            });
        ensure!(
            is_expected,
            "after {config} the log has\n{}\ninstead of\n{expected:#?}",
            lines.join("\n")
        );
    }
    stage.check_health()
}

/// Whatever comes in, and although the filter may say everything.
pub fn silence(release: Release, module: &Path) -> Result<()> {
    let config = json!({"log": {"level": "trace"}});
    let stage = Stage::start_with(release, &Plugin::new(module, &config), |proxy| {
        proxy.component_log_level("wasm:info")
    })?;
    stage.app.calls(Vec::new());
    let before = stage.envoy.log();
    let mut client = Client::connect(stage.envoy.listener("inbound")?)?;
    for number in 0..1000 {
        let request = match number % 4 {
            0 => Request::get("/").header("traceparent", TRACEPARENT),
            1 => Request::get("/")
                .header("traceparent", "nonsense")
                .header("b3", "stale"),
            2 => Request::get("/")
                .header("traceparent", TRACEPARENT)
                .header("b3", "80f198ee56343ba8-e457b5a2e4d86bd1-0"),
            _ => Request::get("/"),
        };
        let answer = client.send(&request)?;
        ensure!(answer.status == 200, "{answer:?}");
    }
    let after = stage.envoy.log();
    ensure!(
        after == before,
        "the log grew by\n{}",
        after.strip_prefix(&before).unwrap_or(&after)
    );
    stage.check_health()
}

/// At debug, a line for each request that says where it was and what was found.
pub fn places(release: Release, module: &Path) -> Result<()> {
    let plain = json!({"node": {"id": "edge"}});
    let sidecar = || Node::sidecar("reviews", "reviews-v1", "bookinfo");
    for (node, extra, inbound, outbound) in [
        (sidecar(), json!({}), "sidecar-inbound", "sidecar-outbound"),
        (
            Node::gateway("istio-ingressgateway", "istio-system"),
            json!({}),
            "gateway",
            "gateway",
        ),
        (
            Node::waypoint("waypoint", "bookinfo"),
            json!({}),
            "waypoint",
            "waypoint",
        ),
        (sidecar(), plain, "envoy", "envoy"),
    ] {
        let app = App::start()?;
        let plugin = Plugin::new(module, &json!({"log": {"level": "debug"}}));
        let with = |listener: Listener| listener.plugin(&plugin).route(Route::any("app"));
        let envoy = Proxy::new(node)
            .listener(with(Listener::inbound("inbound")))
            .listener(with(Listener::outbound("outbound")))
            .cluster(Cluster::new("app", app.address()))
            .merge(&extra)
            .component_log_level("wasm:debug")
            .start(&release.binary()?)?;
        for (listener, place) in [("inbound", inbound), ("outbound", outbound)] {
            says(&envoy, listener, place).with_context(|| format!("{place}, {listener}"))?;
        }
        check_health(&envoy)?;
    }
    Ok(())
}

fn says(envoy: &Envoy, listener: &str, place: &str) -> Result<()> {
    let mut client = Client::connect(envoy.listener(listener)?)?;
    for (request, rest) in [
        (
            Request::get("/").header("traceparent", TRACEPARENT),
            "origin=tracecontext",
        ),
        (
            Request::get("/")
                .header("traceparent", TRACEPARENT.replace(TRACE, &"0".repeat(32)))
                .header("b3", TRACEPARENT.replace("00-4", "4").replace("-01", "-1")),
            "origin=b3 rejected=tracecontext/trace_id",
        ),
        (
            Request::get("/")
                .header("traceparent", TRACEPARENT)
                .header("b3", "80f198ee56343ba8-e457b5a2e4d86bd1-1"),
            "origin=tracecontext conflict",
        ),
    ] {
        let before = said(envoy).len();
        let answer = client.send(&request)?;
        ensure!(answer.status == 200, "{answer:?}");
        let lines = poll::until("the line of the request", || {
            Ok(Some(said(envoy).split_off(before)).filter(|lines| !lines.is_empty()))
        })?;
        let expected = format!("throughline: {place} {TRACEPARENT} {rest}");
        ensure!(
            matches!(lines.as_slice(), [line] if line.contains("[debug]") && line.ends_with(&expected)),
            "expected one line {expected:?}, got {lines:#?}"
        );
    }
    Ok(())
}

/// The lines that the filter logged, Envoy's own about Wasm apart.
fn said(envoy: &Envoy) -> Vec<String> {
    let log = envoy.log();
    log.lines()
        .filter(|line| line.contains("wasm log"))
        .map(str::to_owned)
        .collect()
}
