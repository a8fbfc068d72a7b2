//! What `auto` finds out, when, and how it says so.

use super::cell::{b3, w3c};
use super::setup::{COLLECTOR, at_once};
use crate::stage::check_health;
use crate::workers;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Client, Headers, Request};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, Tracing, replace};
use throughline_dev::poll;
use throughline_dev::receiver::{Protocol, Receiver};

/// More than the requests in a row that a tracer may leave alone before it is taken for gone.
const GONE_AFTER: usize = 8;

struct Stage {
    app: App,
    // The tracer's collector, which must outlive it.
    receiver: Receiver,
}

impl Stage {
    fn start() -> Result<Self> {
        Ok(Self {
            app: App::start()?,
            receiver: Receiver::start()?,
        })
    }

    fn listener(&self, name: &str, module: &Path, tracing: Tracing) -> Listener {
        Listener::inbound(name)
            .plugin(&Plugin::new(module, &json!({})))
            .tracing(tracing)
            .log(
                "trace.id",
                "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%",
            )
            .route(Route::any("app"))
    }

    fn proxy(&self) -> Proxy {
        Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
            .cluster(Cluster::new("app", self.app.address()))
            .cluster(self.receiver.cluster(COLLECTOR, Protocol::Zipkin))
            .merge(&at_once())
            .stats_tag("format")
    }

    /// What arrives of a request, when its end has been logged.
    fn send(&self, envoy: &Envoy, client: &mut Client) -> Result<(Headers, Value)> {
        let before = envoy.access_log("inbound")?.len();
        let answer = client.send(&Request::get("/"))?;
        ensure!(answer.status == 200, "{answer:?}");
        let seen = self.app.take_seen().pop().context("no request arrived")?;
        let entry = poll::until("the access log", || {
            Ok(envoy.access_log("inbound")?.get(before).cloned())
        })?;
        Ok((seen.headers, entry))
    }
}

/// The first response of one worker is enough for all of them, and tells of its listener alone.
pub fn learns(release: Release, module: &Path) -> Result<()> {
    const WORKERS: usize = 4;
    let stage = Stage::start()?;
    let envoy = stage
        .proxy()
        .listener(stage.listener("inbound", module, Tracing::zipkin(COLLECTOR, 100.0)))
        .listener(stage.listener("bare", module, Tracing::without_provider()))
        .concurrency(WORKERS as u32)
        .start(&release.binary()?)?;
    for (worker, mut client) in workers::on_each(&envoy, "inbound", WORKERS)?
        .into_iter()
        .enumerate()
    {
        let (seen, entry) = stage.send(&envoy, &mut client)?;
        let tracers = b3(&seen)?.context("the tracer writes")?.trace_id;
        ensure!(
            entry["trace.id"] == tracers,
            "worker {worker}: {entry:#}\n{seen:?}"
        );
        let others = w3c(&seen)?;
        ensure!(
            others.is_some() == (worker == 0),
            "worker {worker}: {seen:?}"
        );
    }
    let mut bare = Client::connect(envoy.listener("bare")?)?;
    let answer = bare.send(&Request::get("/"))?;
    ensure!(answer.status == 200, "{answer:?}");
    let seen = stage.app.take_seen().pop().context("no request arrived")?;
    let (w3c, b3) = (w3c(&seen.headers)?, b3(&seen.headers)?);
    ensure!(w3c.is_some() && w3c == b3, "another listener: {seen:?}");
    let page = envoy.prometheus()?;
    for line in [
        "throughline_native_override{} 1",
        "throughline_native_tracer{format=\"b3multi\"} 1",
    ] {
        ensure!(page.contains(line), "no {line}");
    }
    ensure!(
        said(
            &envoy,
            "writes b3multi after the filter on inbound listeners"
        ) == 1,
        "{}",
        envoy.log()
    );
    check_health(&envoy)
}

/// A tracer that comes and goes while Envoy runs.
pub fn switched(release: Release, module: &Path) -> Result<()> {
    let stage = Stage::start()?;
    let without = stage.listener("inbound", module, Tracing::without_provider());
    let with = stage.listener("inbound", module, Tracing::zipkin(COLLECTOR, 100.0));
    let envoy = stage
        .proxy()
        .withdrawable(without.clone(), 1)
        .start(&release.binary()?)?;
    let address = envoy.listener("inbound")?;
    let send = || stage.send(&envoy, &mut Client::connect(address)?);
    let (seen, _) = send()?;
    ensure!(w3c(&seen)? == b3(&seen)?, "{seen:?}");
    for round in 0..2 {
        replace(&envoy, std::slice::from_ref(&with))?;
        poll::until("the tracer to write", || {
            let (seen, entry) = send()?;
            let (w3c, b3) = (w3c(&seen)?, b3(&seen)?.context("x-b3-*")?);
            ensure!(entry["trace.id"] == b3.trace_id, "{entry:#}\n{seen:?}");
            Ok(w3c
                .is_none_or(|w3c| w3c.trace_id != b3.trace_id)
                .then_some(()))
        })?;
        let (seen, _) = send()?;
        ensure!(w3c(&seen)?.is_none(), "round {round}, the second: {seen:?}");
        replace(&envoy, std::slice::from_ref(&without))?;
        let mut bare = 0;
        poll::until("the filter to write again", || {
            let (seen, _) = send()?;
            bare += usize::from(b3(&seen)?.is_none());
            Ok(w3c(&seen)?.is_some().then_some(()))
        })?;
        ensure!(
            bare <= GONE_AFTER,
            "round {round}: {bare} without a context"
        );
    }
    let page = envoy.prometheus()?;
    ensure!(
        page.contains("throughline_native_tracer{format=\"b3multi\"} 0"),
        "{page}"
    );
    ensure!(
        said(
            &envoy,
            "writes no trace headers on inbound listeners any more"
        ) == 2,
        "{}",
        envoy.log()
    );
    check_health(&envoy)
}

fn said(envoy: &Envoy, what: &str) -> usize {
    envoy.log().matches(what).count()
}
