//! `trust` in a mesh with Istio's own identities and clusters: a trace begins at the ingress gateway and goes on behind it; who
//! comes another way without a certificate begins one too; what leaves for a host outside brings no trace, known to the mesh or not.

use crate::bookinfo::PORT;
use crate::stage::{MODULE, SPANS, Stage, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use throughline_dev::app::App;
use throughline_dev::http::{Headers, Request, TRACE_HEADERS, client};
use throughline_dev::istio::{NODE, OUTSIDE};
use throughline_dev::poll;
use throughline_dev::receiver::Kind;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
/// A host that no ServiceEntry names.
const UNKNOWN: &str = "unknown.test";

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    stage.cluster.kubectl().patch(
        "wasmplugin throughline --namespace istio-system",
        &json!({"spec": {"pluginConfig": {"trust": [
            {"match": {"proxy": "gateway", "labels": {"istio": "ingressgateway"}}, "action": "restart"},
            {"match": {"proxy": "sidecar-inbound", "peer": "unauthenticated"}, "action": "restart"},
            {"match": {"external": true}, "action": "strip"},
        ]}}}),
    )?;
    wait_for_texts(stage, &[MODULE, "unauthenticated"])?;
    stage.wait_until_whole(SPANS)?;
    at_the_gateway(stage)?;
    past_the_gateway(stage)?;
    outside(stage)
}

/// What a stranger sends is linked to, and reaches nobody.
fn at_the_gateway(stage: &Stage) -> Result<()> {
    let app = &stage.bookinfo.ratings.app;
    app.take_seen();
    let traceparent = format!("00-{TRACE}-{SPAN}-00");
    let sent = [
        ("traceparent", traceparent.as_str()),
        ("tracestate", "stranger=1"),
        ("baggage", "user=alice"),
        ("x-datadog-sampling-priority", "2"),
    ];
    let answer = stage.get("/productpage", &sent)?;
    ensure!(answer.status == 200, "{}", answer.text());
    let seen = app.take_seen().pop().context("nothing arrived")?;
    let trace = trace_of(&seen.headers).context("no trace at the last application")?;
    ensure!(trace != TRACE, "the stranger's trace went on: {seen:?}");
    for name in ["baggage", "x-datadog-sampling-priority"] {
        ensure!(!seen.headers.contains(name), "{name}: {seen:?}");
    }
    // The new trace has one of its own: it was begun by a ratio.
    let list = seen.headers.get("tracestate");
    ensure!(list == Some(b"ot=th:0".as_slice()), "tracestate: {seen:?}");
    poll::until("its spans", || {
        Ok((stage.spans(&trace).len() as u64 >= SPANS).then_some(()))
    })?;
    let spans = stage.spans(&trace);
    let root = spans.iter().find(|span| span.parent_id.is_none());
    let root = root.with_context(|| format!("no root: {spans:#?}"))?;
    ensure!(
        root.links == [(TRACE.to_owned(), SPAN.to_owned())],
        "{root:#?}"
    );
    Ok(())
}

/// A pod takes plain text too, and then knows nobody.
fn past_the_gateway(stage: &Stage) -> Result<()> {
    let productpage = &stage.bookinfo.productpage;
    productpage.app.take_seen();
    let request =
        Request::get("/productpage").header("traceparent", format!("00-{TRACE}-{SPAN}-01"));
    let answer = client::send(productpage.pod.at(PORT), &request)?;
    ensure!(answer.status == 200, "{}", answer.text());
    let seen = productpage
        .app
        .take_seen()
        .pop()
        .context("nothing arrived")?;
    let trace = trace_of(&seen.headers).context("no trace at the application")?;
    ensure!(trace != TRACE, "a stranger's trace went on: {seen:?}");
    Ok(())
}

/// A service that is MESH_EXTERNAL, and a destination that nobody declared.
fn outside(stage: &Stage) -> Result<()> {
    let server = App::start_on((NODE, 80).into())?;
    stage.cluster.kubectl().apply_json(&json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "outside", "namespace": "bookinfo"},
        "spec": {
            "hosts": [OUTSIDE],
            "location": "MESH_EXTERNAL",
            "resolution": "STATIC",
            "endpoints": [{"address": NODE}],
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        },
    }))?;
    let productpage = &stage.bookinfo.productpage.pod;
    for (host, cluster) in [
        (OUTSIDE, format!("outbound|80||{OUTSIDE}")),
        (UNKNOWN, "PassthroughCluster".to_owned()),
    ] {
        let path = format!("/of-{host}");
        let request = Request::get(&path)
            .header("host", host)
            .header("traceparent", format!("00-{TRACE}-{SPAN}-01"))
            .header("b3", format!("{TRACE}-{SPAN}-1"))
            .header("uber-trace-id", format!("{TRACE}:{SPAN}:0:1"))
            .header("baggage", "user=alice");
        let call = || productpage.inside(|| client::send((NODE, 80).into(), &request));
        // Before the sidecar knows the port, the connection passes as TCP.
        poll::until(&format!("a call to pass by {cluster}"), || {
            let answered = call().is_ok_and(|answer| answer.status == 200);
            let line = productpage
                .access_log()
                .into_iter()
                .rfind(|line| line["path"] == path.as_str());
            let by = line.and_then(|line| line["upstream_cluster"].as_str().map(str::to_owned));
            Ok((answered && by.is_some_and(|by| by.starts_with(&cluster))).then_some(()))
        })?;
        server.take_seen();
        stage.receiver.take();
        ensure!(call()?.status == 200, "{host}");
        let seen = server.take_seen().pop().context("nothing arrived")?;
        for name in TRACE_HEADERS.into_iter().chain(["baggage"]) {
            ensure!(!seen.headers.contains(name), "{host}: {name}: {seen:?}");
        }
        let span = poll::until("its span", || {
            let of_call = |span: &throughline_dev::receiver::Span| {
                span.kind == Kind::Client && span.trace_id == TRACE
            };
            Ok(stage.receiver.spans().into_iter().find(of_call))
        })?;
        ensure!(span.parent_id.as_deref() == Some(SPAN), "{span:#?}");
    }
    Ok(())
}

fn trace_of(headers: &Headers) -> Option<String> {
    let header = String::from_utf8_lossy(headers.get("traceparent")?).into_owned();
    header.split('-').nth(1).map(str::to_owned)
}
