//! Requests that never reach an application, and bring no context: each is one span, and its line in the access log has the
//! same trace id.

use crate::bookinfo::PORT;
use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;
use throughline_dev::app::App;
use throughline_dev::http::{Request, client};
use throughline_dev::istio::{NODE, Pod};
use throughline_dev::poll;

pub fn by_policy(stage: &Stage) -> Result<()> {
    stage.install()?;
    let productpage = &stage.bookinfo.productpage.pod;
    stage.cluster.kubectl().apply_json(&json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "no-secrets", "namespace": "bookinfo"},
        "spec": {
            "selector": {"matchLabels": {"app": "productpage"}},
            "action": "DENY",
            "rules": [{"to": [{"operation": {"paths": ["/secret"]}}]}],
        },
    }))?;
    one_span_and_line(stage, productpage, productpage.at(PORT), "/secret", 403)
}

pub fn by_ext_authz(stage: &Stage) -> Result<()> {
    let authorizer = App::start_on((NODE, 0).into())?;
    authorizer.answers(403);
    stage.cluster.service(
        "monitoring",
        "ext-authz",
        "http",
        8000,
        &[authorizer.address()],
    )?;
    stage.install()?;
    let productpage = &stage.bookinfo.productpage.pod;
    stage.cluster.kubectl().apply_json(&json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "ask", "namespace": "bookinfo"},
        "spec": {
            "selector": {"matchLabels": {"app": "productpage"}},
            "action": "CUSTOM",
            "provider": {"name": "test-ext-authz"},
            "rules": [{"to": [{"operation": {"paths": ["/asked"]}}]}],
        },
    }))?;
    one_span_and_line(stage, productpage, productpage.at(PORT), "/asked", 403)?;
    let asked = authorizer.take_seen();
    ensure!(!asked.is_empty(), "nobody asked the authorizer");
    Ok(())
}

pub fn unrouted(stage: &Stage) -> Result<()> {
    stage.install()?;
    one_span_and_line(stage, &stage.gateway, stage.entrance(), "/nowhere", 404)
}

/// Asks `pod` for `path` until it answers `status`, and once more.
fn one_span_and_line(
    stage: &Stage,
    pod: &Pod,
    at: SocketAddr,
    path: &str,
    status: u16,
) -> Result<()> {
    let lines = || -> Vec<Value> {
        let entries = pod.access_log().into_iter();
        entries.filter(|entry| entry["path"] == path).collect()
    };
    let before = lines().len();
    let mut asked = 0;
    // The line of the last request, and its trace, of which a span has come.
    let mut last = || -> Result<(Value, String)> {
        poll::until(&format!("{path} to be answered {status}"), || {
            asked += 1;
            let answer = client::send(at, &Request::get(path))?;
            Ok((answer.status == status).then_some(()))
        })?;
        // Each has its line.
        let line = poll::until("the access log", || {
            Ok(lines().get(before + asked - 1).cloned())
        })?;
        let trace = line["trace.id"]
            .as_str()
            .with_context(|| line.to_string())?
            .to_owned();
        poll::until("its span", || {
            Ok((!stage.spans(&trace).is_empty()).then_some(()))
        })?;
        Ok((line, trace))
    };
    let (line, trace) = last()?;
    // Later than a second span of the first would have come.
    last()?;
    let spans = stage.spans(&trace);
    ensure!(spans.len() == 1, "{spans:#?}");
    ensure!(line["response_code"] == status, "{line}");
    ensure!(
        line["span.id"] == spans[0].span_id.as_str(),
        "{line} and {}",
        spans[0]
    );
    Ok(())
}
