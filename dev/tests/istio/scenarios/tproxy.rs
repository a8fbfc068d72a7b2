//! A sidecar that takes its traffic by TPROXY instead of REDIRECT: both of its sides are traced.

use crate::bookinfo::{PORT, Service};
use crate::stage::{MODULE, Stage, wait_for_plugin};
use anyhow::{Result, ensure};
use serde_json::json;
use std::process::Command;
use throughline_dev::app::{Call, Forward};
use throughline_dev::http::{Request, client};
use throughline_dev::poll;
use throughline_dev::receiver::{Kind, Span};

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    let pod = stage.cluster.pod(
        "bookinfo",
        "transparent",
        &json!({
            "labels": {"app": "transparent"},
            "annotations": {"sidecar.istio.io/interceptionMode": "TPROXY"},
        }),
    )?;
    let rules = pod.inside(|| {
        let output = Command::new("iptables")
            .args(["--table", "mangle", "--list-rules"])
            .output()?;
        Ok(String::from_utf8(output.stdout)?)
    })?;
    ensure!(rules.contains("-j TPROXY --on-port 15006"), "{rules}");
    let app = pod.app(PORT)?;
    let Service { address, .. } = &stage.bookinfo.ratings;
    let host = format!("ratings:{PORT}");
    app.calls(vec![Call::new(*address, &host, "/ratings/0")]);
    app.forward(Forward::ISTIO);
    pod.wait_until_ready()?;
    wait_for_plugin(&pod, "the module", |plugin| {
        plugin.is_some_and(|plugin| plugin.contains(MODULE))
    })?;

    let answer = client::send(pod.at(PORT), &Request::get("/transparent"))?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    let seen = stage.bookinfo.ratings.app.take_seen();
    let header = seen.last().and_then(|last| last.headers.get("traceparent"));
    let header = String::from_utf8_lossy(header.unwrap_or_default()).into_owned();
    let trace = header.split('-').nth(1).unwrap_or_default();
    let spans = poll::until("its spans and that of ratings", || {
        let spans = stage.spans(trace);
        Ok((spans.len() >= 3).then_some(spans))
    })?;
    let ours = |kind| {
        let of = |span: &&Span| span.service == "transparent.bookinfo" && span.kind == kind;
        spans.iter().filter(of).count()
    };
    ensure!(
        (ours(Kind::Server), ours(Kind::Client), spans.len()) == (1, 1, 3),
        "{spans:#?}"
    );
    let kubectl = stage.cluster.kubectl();
    kubectl.run("delete pod transparent --namespace bookinfo --force")?;
    Ok(())
}
