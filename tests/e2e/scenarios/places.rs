//! Where the filter runs.

use super::{SPAN, TRACE, TRACEPARENT};
use crate::case::case;
use crate::stage::Stage;
use crate::workers;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::{App, Forward};
use throughline_dev::envoy::Release;
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};

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
