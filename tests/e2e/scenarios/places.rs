//! Where the filter runs.

use super::{SPAN, TRACE, TRACEPARENT};
use crate::case::case;
use crate::stage::{Stage, check_health};
use crate::workers;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::{App, Forward};
use throughline_dev::envoy::Release;
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, replace};
use throughline_dev::poll;
use throughline_dev::receiver::{Protocol, Receiver};

pub fn gateway_and_waypoint(release: Release, module: &Path) -> Result<()> {
    for (node, listener) in [
        (
            Node::gateway("istio-ingressgateway", "istio-system"),
            Listener::outbound("main"),
        ),
        (
            Node::waypoint("waypoint", "bookinfo"),
            Listener::inbound("main"),
        ),
    ] {
        let app = App::start()?;
        let envoy = Proxy::new(node)
            .listener(
                listener
                    .plugin(&Plugin::new(module, &json!({})))
                    .route(Route::any("app")),
            )
            .cluster(Cluster::new("app", app.address()))
            .start(&release.binary()?)?;
        client::send(
            envoy.listener("main")?,
            &Request::get("/").header("b3", format!("{TRACE}-{SPAN}-1")),
        )?;
        let seen = app.take_seen().pop().context("no request arrived")?.headers;
        ensure!(
            seen.get("traceparent") == Some(TRACEPARENT.as_bytes()),
            "{seen:?}"
        );
    }
    Ok(())
}

/// As when the mesh has it and a namespace too: what the first wrote must be good for the second.
pub fn twice(release: Release, module: &Path) -> Result<()> {
    let plugin = Plugin::new(module, &json!({}));
    let again = plugin.clone().named("throughline-again");
    let stage = Stage::start_with(release, &plugin, |proxy| {
        proxy.each_listener(|listener| listener.plugin(&again))
    })?;
    for case in [
        case("").sends("traceparent", TRACEPARENT),
        case("")
            .sends("x-b3-traceid", TRACE)
            .sends("x-b3-spanid", SPAN)
            .sends("x-b3-flags", "1"),
        case("").sends("b3", "d"),
        case("")
            .sends("traceparent", TRACEPARENT)
            .sends("b3", "stale"),
        case(""),
    ] {
        let case = case
            .forwards(Forward::ISTIO)
            .counts("throughline_conflicts", 0)
            .one_trace();
        let complaints = stage.play(&case)?.complaints(&case);
        ensure!(
            complaints.is_empty(),
            "{:?}\n{}\n{}",
            case.request.headers,
            complaints.join("\n"),
            stage.logs()
        );
    }
    stage.check_health()
}

/// One was there first, and another comes before it in the chain: until the first knows, both act. The one that exports is no
/// tracer of Envoy's for the other.
pub fn joined_by_another(release: Release, module: &Path) -> Result<()> {
    let (app, receiver) = (App::start()?, Receiver::start()?);
    let export = json!({"export": {"cluster": "collector", "batch": {"scheduleDelay": "100ms"}}});
    let first = Plugin::new(module, &export).named("throughline-first");
    let second = Plugin::new(module, &json!({})).named("throughline-second");
    let one = |name| {
        Listener::inbound(name)
            .plugin(&first)
            .route(Route::any("app"))
    };
    let both = Listener::inbound("inbound")
        .plugin(&second)
        .plugin(&first)
        .route(Route::any("app"));
    let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        // Beside it the first plugin stays as it is, whatever becomes of the other listener.
        .listener(one("alone"))
        .withdrawable(one("inbound"), 1)
        .cluster(Cluster::new("app", app.address()))
        .cluster(receiver.cluster("collector", Protocol::OtlpHttp))
        .concurrency(1)
        .start(&release.binary()?)?;
    let address = envoy.listener("inbound")?;
    client::send(address, &Request::get("/"))?;
    app.take_seen();
    replace(&envoy, &[both])?;
    let (mut sent, mut stood_aside) = (0, 0);
    poll::until("the first to stand aside", || {
        let answer = client::send(address, &Request::get("/"))?;
        ensure!(answer.status == 200, "{answer:?}");
        let seen = app.take_seen().pop().context("no request arrived")?;
        ensure!(
            seen.headers.get("traceparent").is_some(),
            "request {sent}: {:?}\n{}",
            seen.headers,
            envoy.log()
        );
        sent += 1;
        stood_aside = envoy.stat("wasmcustom.throughline.stood_aside")?;
        Ok((stood_aside > 20).then_some(()))
    })?;
    // Else both knew of each other from the beginning, and this shows nothing.
    ensure!(
        sent > stood_aside,
        "{sent} requests, {stood_aside} stood aside"
    );
    check_health(&envoy)
}

pub fn workers(release: Release, module: &Path) -> Result<()> {
    const WORKERS: usize = 4;
    let stage = Stage::start_with(release, &Plugin::new(module, &json!({})), |proxy| {
        proxy.concurrency(WORKERS as u32)
    })?;
    let clients = workers::on_each(&stage.envoy, "inbound", WORKERS)?;
    for (worker, mut client) in clients.into_iter().enumerate() {
        let answer = client.send(&Request::get("/").header("traceparent", TRACEPARENT))?;
        ensure!(answer.status == 200, "worker {worker}: {answer:?}");
        let seen = stage.app.take_seen().pop().context("no request arrived")?;
        ensure!(
            seen.headers.get("x-b3-traceid") == Some(TRACE.as_bytes()),
            "worker {worker}: {:?}",
            seen.headers
        );
    }
    stage.check_health()
}
