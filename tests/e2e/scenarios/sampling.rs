//! Whose decision it is: rules, the limit that all workers share, and who may force.

use super::TRACEPARENT;
use crate::stage::{Stage, check_health};
use crate::workers;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use throughline_dev::envoy::Release;
use throughline_dev::http::{Client, Request, Response, Server, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};

/// The first rule that matches decides, and only where no decision came in.
pub fn rules(release: Release, module: &Path) -> Result<()> {
    let stage = start(
        release,
        module,
        &json!({
            "sampler": "parentbased_always_off",
            "forceHeader": "x-trace-force",
            "rules": [
                {"match": {"paths": ["/healthz"], "userAgents": ["kube-probe/*"]}, "ratio": 0},
                {"match": {"methods": ["POST"], "paths": ["/checkout/*"]}, "ratio": 1},
                {"match": {"hosts": ["*.shop.example"]}, "ratio": 1},
                {"match": {"headers": {"x-tenant": ["gold"]}}, "ratio": 1},
                {"match": {"paths": ["/healthz"]}, "ratio": 1},
            ],
        }),
    )?;
    let inbound = stage.envoy.listener("inbound")?;
    let denied = TRACEPARENT.replace("-01", "-00");
    for (expected, what, request) in [
        (false, "no rule", Request::get("/")),
        (
            true,
            "a header",
            Request::get("/").header("x-tenant", "gold"),
        ),
        (
            false,
            "the caller said no",
            Request::get("/")
                .header("x-tenant", "gold")
                .header("traceparent", &denied),
        ),
        (
            false,
            "the first that matches",
            Request::get("/healthz").header("user-agent", "kube-probe/1.31"),
        ),
        (true, "the next one", Request::get("/healthz?full=1")),
        (
            true,
            "a host with a port",
            Request::get("/").header("host", "a.shop.example:80"),
        ),
        (true, "a method", Request::new("POST", "/checkout/1")),
        (false, "another method", Request::get("/checkout/1")),
        (
            false,
            "a stranger forces nothing",
            Request::get("/").header("x-trace-force", "1"),
        ),
    ] {
        let answer = client::send(inbound, &request)?;
        ensure!(answer.status == 200, "{what}: {answer:?}");
        ensure!(is_sampled(&stage)? == expected, "{what}");
    }
    stage.check_health()
}

/// The application behind a sidecar may force.
pub fn forced(release: Release, module: &Path) -> Result<()> {
    let config = json!({"sampler": "parentbased_always_off", "forceHeader": "x-trace-force"});
    let stage = start(release, module, &config)?;
    let outbound = stage.envoy.listener("outbound")?;
    for (forced, expected) in [("1", true), ("0", false)] {
        let request = Request::get("/").header("x-trace-force", forced);
        let answer = client::send(outbound, &request)?;
        ensure!(answer.status == 200, "{answer:?}");
        let seen = stage.callee.take_seen().pop().context("nothing arrived")?;
        let traceparent = seen.headers.get("traceparent").unwrap_or_default().to_vec();
        ensure!(traceparent.ends_with(b"-01") == expected, "{forced}");
    }
    stage.check_health()
}

/// Four workers, whose first requests come at once, never sample more than the limit of each second of the clock, and no less
/// where enough comes.
pub fn limit(release: Release, module: &Path) -> Result<()> {
    const WORKERS: usize = 4;
    const MOST: u64 = 5;
    /// Some of them are whole.
    const SECONDS: u64 = 4;
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let app = Server::start({
        let arrived = Arc::clone(&arrived);
        move |request| {
            let header = |name| request.headers.get(name).unwrap_or_default().to_vec();
            let is_sampled = header("traceparent").ends_with(b"-01");
            if let (Ok(mut arrived), Ok(second)) = (arrived.lock(), second()) {
                arrived.push((header("sent"), second, is_sampled));
            }
            Response::ok("")
        }
    })?;
    let config = json!({"sampling": {"sampler": "parentbased_always_on", "maxPerSecond": MOST}});
    let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .concurrency(WORKERS as u32)
        .listener(
            Listener::inbound("inbound")
                .plugin(&Plugin::new(module, &config))
                .route(Route::any("app")),
        )
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)?;
    let clients = workers::on_each(&envoy, "inbound", WORKERS)?;
    let before = second()?;
    let start = Barrier::new(WORKERS);
    let send = |mut client: Client| -> Result<()> {
        start.wait();
        loop {
            let now = second()?;
            if now >= before + SECONDS {
                break;
            }
            let request = Request::get("/").header("sent", now.to_string());
            let answer = client.send(&request)?;
            ensure!(answer.status == 200, "{answer:?}");
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Result<()> {
        let sending: Vec<_> = clients
            .into_iter()
            .map(|client| scope.spawn(|| send(client)))
            .collect();
        for client in sending {
            client
                .join()
                .map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        Ok(())
    })?;
    let seconds = second()?.saturating_sub(before).saturating_add(1);
    let arrived = arrived
        .lock()
        .map_err(|_| anyhow::anyhow!("the application panicked"))?;
    let of_all = arrived.iter().filter(|(.., is_sampled)| *is_sampled);
    // Those whose decision was certainly made in that second: they were sent in it, and arrived in it.
    for second in before..before + SECONDS {
        let sent = second.to_string().into_bytes();
        let of_second = of_all
            .clone()
            .filter(|(of, at, _)| *of == sent && *at == second);
        let sampled = of_second.count() as u64;
        ensure!(sampled <= MOST, "{sampled} sampled in {second}");
    }
    let (arrived, sampled) = (arrived.len() as u64, of_all.count() as u64);
    // Were the limit each worker's own, four times as many would pass.
    ensure!(
        (MOST..=MOST * seconds).contains(&sampled),
        "{sampled} of {arrived} sampled in {seconds} s, with at most {MOST} in each"
    );
    ensure!(
        arrived > 4 * MOST * seconds,
        "only {arrived} arrived in {seconds} s: the limit was not tried"
    );
    check_health(&envoy)
}

fn start(release: Release, module: &Path, sampling: &Value) -> Result<Stage> {
    Stage::start(release, module, &json!({"sampling": sampling}))
}

fn is_sampled(stage: &Stage) -> Result<bool> {
    let seen = stage.app.take_seen().pop().context("nothing arrived")?;
    let traceparent = seen.headers.get("traceparent").context("no traceparent")?;
    Ok(traceparent.ends_with(b"-01"))
}

fn second() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}
