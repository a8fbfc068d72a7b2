//! `overlays/everything` at work: the trace begins at the edge whatever a stranger sends, spans leave by TLS to a collector
//! outside of the mesh, and say which environment their proxy was started in.

use crate::bookinfo::PORT;
use crate::stage::{MODULE, SPANS, Stage, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use throughline_dev::http::{Request, client};
use throughline_dev::istio::{NODE, OUTSIDE};
use throughline_dev::poll;
use throughline_dev::receiver::{Span, Value};
use throughline_dev::tls::Terminator;

const STRANGER: &str = "0af7651916cd43dd8448eb211c80319c";

/// What the component `pull-secret` names.
const SECRET: &str = "throughline-registry --namespace istio-system";

pub fn play(stage: &Stage) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    let port = SocketAddr::from((NODE, 4317));
    let outside = Terminator::start(port, OUTSIDE, stage.receiver.grpc())?;
    kubectl.run(&format!(
        "create secret docker-registry {SECRET} --docker-server registry.test:5000 --docker-username user --docker-password password"
    ))?;
    let played = apply(stage, &outside).and_then(|()| is_seen(stage));
    kubectl.run(&format!("delete secret {SECRET}"))?;
    played
}

/// As users take it: with their collector's name and the authority that signed for it, and here every request traced.
fn apply(stage: &Stage, outside: &Terminator) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    let path = stage.manifests.path("overlays/everything");
    let rendered = kubectl.run(&format!("kustomize {}", path.display()))?;
    ensure!(
        rendered.contains("otlp.example.com"),
        "no collector outside"
    );
    kubectl.apply(&rendered.replace("otlp.example.com", OUTSIDE))?;
    let authority = stage.cluster.directory().join("collector.pem");
    fs::write(&authority, outside.authority())?;
    kubectl.patch(
        "destinationrule throughline-collector --namespace istio-system",
        &json!({"spec": {"trafficPolicy": {"tls": {"caCertificates": authority}}}}),
    )?;
    kubectl.patch(
        "wasmplugin throughline --namespace istio-system",
        &json!({"spec": {"pluginConfig": {
            "sampling": {"arg": 1},
            "export": {"service": OUTSIDE, "port": 4317},
        }}}),
    )?;
    wait_for_texts(stage, &[MODULE, "\\\"arg\\\":1,", OUTSIDE])?;
    stage.wait_until_whole(SPANS)
}

fn is_seen(stage: &Stage) -> Result<()> {
    let ratings = &stage.bookinfo.ratings.app;
    ratings.take_seen();
    let theirs = format!("00-{STRANGER}-b7ad6b7169203331-00");
    let answer = stage.get("/productpage", &[("traceparent", &theirs)])?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    let seen = ratings.take_seen();
    let header = seen
        .first()
        .and_then(|request| request.headers.get("traceparent"))
        .context("no trace at the last application")?;
    let header = String::from_utf8_lossy(header).into_owned();
    ensure!(!header.contains(STRANGER), "a stranger's trace: {header}");
    let trace = header.split('-').nth(1).context("no trace")?;
    poll::until("its spans", || {
        Ok((stage.spans(trace).len() as u64 == SPANS).then_some(()))
    })?;
    let spans = stage.spans(trace);
    let roots = spans.iter().filter(|span| span.parent_id.is_none()).count();
    ensure!(roots == 1, "no trace of its own: {spans:#?}");
    // These were started before there was one.
    ensure!(
        spans.iter().all(|span| environment(span) == "unknown"),
        "{spans:#?}"
    );
    new_pod(stage)
}

/// A proxy has its environment from its start on.
fn new_pod(stage: &Stage) -> Result<()> {
    let labels = json!({"labels": {"app": "production"}});
    let pod = stage.cluster.pod("bookinfo", "production", &labels)?;
    let _app = pod.app(PORT)?;
    pod.wait_until_ready()?;
    let answer = client::send(pod.at(PORT), &Request::get("/"))?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    let span = poll::until("its span", || {
        let mut spans = stage.receiver.spans().into_iter();
        Ok(spans.find(|span| span.service == "production.bookinfo"))
    })?;
    ensure!(environment(&span) == "production", "{span:#?}");
    stage
        .cluster
        .kubectl()
        .run("delete pod production --namespace bookinfo --force")?;
    Ok(())
}

fn environment(span: &Span) -> String {
    let value = span.resource.get("deployment.environment.name");
    value.map(Value::to_string).unwrap_or_default()
}
