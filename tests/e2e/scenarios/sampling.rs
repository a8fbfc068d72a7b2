//! Whose decision it is: rules, the limit that all workers share, and who may force.

use super::TRACEPARENT;
use crate::stage::Stage;
use crate::workers;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use throughline_dev::envoy::Release;
use throughline_dev::http::{Client, Request, client};
use throughline_dev::mesh::Plugin;

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

/// Four workers at once never sample more than the limit of each second of the clock.
pub fn limit(release: Release, module: &Path) -> Result<()> {
    const WORKERS: usize = 4;
    const MOST: u64 = 5;
    const REQUESTS: usize = 200;
    let config = json!({"sampling": {"sampler": "parentbased_always_on", "maxPerSecond": MOST}});
    let stage = Stage::start_with(release, &Plugin::new(module, &config), |proxy| {
        proxy.concurrency(WORKERS as u32)
    })?;
    let clients = workers::on_each(&stage.envoy, "inbound", WORKERS)?;
    let before = second()?;
    let send = |mut client: Client| -> Result<()> {
        for _ in 0..REQUESTS {
            let answer = client.send(&Request::get("/"))?;
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
    let seen = stage.app.take_seen();
    ensure!(seen.len() == REQUESTS * WORKERS, "{} arrived", seen.len());
    let sampled = seen.iter().filter(|request| {
        let traceparent = request.headers.get("traceparent");
        traceparent.is_some_and(|value| value.ends_with(b"-01"))
    });
    let sampled = sampled.count() as u64;
    // Were the limit each worker's own, four times as many would pass; 800 requests fill some second, of whose limit the
    // stage may have had one when it asked whether the workers are there.
    ensure!(
        (MOST - 1..=MOST * seconds).contains(&sampled),
        "{sampled} sampled in {seconds} s, with at most {MOST} in each"
    );
    stage.check_health()
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
