//! The start of a pod in a mesh that has the plugin: the proxy serves nothing before it has the module, so that the first
//! request that is answered is traced.

use crate::bookinfo::PORT;
use crate::doctor::finds;
use crate::stage::Stage;
use anyhow::{Result, ensure};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use throughline_dev::http::{Request, client};
use throughline_dev::poll;

/// How long the registry gives no answer, while the pod starts.
const STALL: Duration = Duration::from_secs(5);

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    first(stage, "late", false)
}

pub fn slow_registry(stage: &Stage) -> Result<()> {
    stage.install()?;
    first(stage, "later", true)
}

fn first(stage: &Stage, name: &str, stalls: bool) -> Result<()> {
    let mut paused = stalls.then(|| stage.registry.pause()).transpose()?;
    let begun = Instant::now();
    let pod = stage
        .cluster
        .pod("bookinfo", name, &json!({"labels": {"app": name}}))?;
    let app = pod.app(PORT)?;
    stage
        .cluster
        .service("bookinfo", name, "http", PORT, &[pod.at(PORT)])?;
    let mut answers = BTreeMap::new();
    let within = Duration::from_secs(180);
    let seen = poll::until_within(within, "the first request to arrive", || {
        let answer = client::send(pod.at(PORT), &Request::get("/first"));
        let answer = answer.map_or("none".to_owned(), |answer| answer.status.to_string());
        *answers.entry(answer).or_insert(0) += 1;
        if begun.elapsed() > STALL {
            paused = None;
        }
        std::thread::sleep(Duration::from_millis(20));
        Ok(app.take_seen().into_iter().next())
    })?;
    let took = begun.elapsed();
    println!("  the first request arrived after {took:.1?}; before: {answers:?}");
    let answered_otherwise = answers
        .keys()
        .any(|answer| answer != "none" && answer != "200");
    ensure!(!answered_otherwise, "{answers:?}");
    ensure!(
        seen.headers.contains("traceparent"),
        "the first request has no trace: {seen:?}"
    );
    ensure!(!stalls || took > STALL, "it did not wait for the module");
    // The first call of the application, too.
    let through = stage.bookinfo.ratings.address;
    pod.inside(|| {
        let mut request = Request::get("/ratings/0");
        request.headers.push("host", format!("ratings:{PORT}"));
        client::send(through, &request).map(drop)
    })?;
    let called = stage.bookinfo.ratings.app.take_seen();
    ensure!(
        called
            .first()
            .is_some_and(|request| request.headers.contains("traceparent")),
        "the first call has no trace: {called:?}"
    );
    finds(&pod, &[])?;
    let kubectl = stage.cluster.kubectl();
    kubectl.run(&format!("delete pod {name} --namespace bookinfo --force"))?;
    kubectl.run(&format!("delete service {name} --namespace bookinfo"))?;
    Ok(())
}
