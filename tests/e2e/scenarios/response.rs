//! What the caller learns of its trace.

use super::{SPAN, TRACE, TRACEPARENT};
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Request, Response, Server, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::poll;
use throughline_dev::receiver::{Kind, Receiver, Span};

/// Gateway and sidecar tell; the caller sees what the gateway says, once.
pub fn headers(release: Release, module: &Path) -> Result<()> {
    let receiver = Receiver::start()?;
    let app = Server::start(|_| {
        Response::ok("")
            .header("server-timing", "db;dur=5, app;desc=\"a, b\"")
            .header("server-timing", "cache")
            .header("x-trace-id", "the application's own")
    })?;
    let config = json!({
        "response": {"serverTiming": true, "traceId": "X-Trace-Id"},
        "export": {"cluster": "collector", "batch": {"scheduleDelay": "10ms"}},
    });
    let plugin = Plugin::new(module, &config);
    let none = Plugin::new(module, &json!({"response": {"serverTiming": false}})).named("none");
    let fault = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"http_status": 418, "percentage": {"numerator": 100}},
        "headers": [{"name": "x-deny", "present_match": true}],
    });
    let collector = || Cluster::new("collector", receiver.http());
    let sidecar = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(
            Listener::inbound("inbound")
                .plugin(&plugin)
                .route(Route::any("app")),
        )
        .listener(
            Listener::outbound("outbound")
                .plugin(&plugin)
                .route(Route::any("app")),
        )
        .listener(
            Listener::inbound("none")
                .plugin(&none)
                .route(Route::any("app")),
        )
        .cluster(Cluster::new("app", app.address()))
        .cluster(collector())
        .start(&release.binary()?)?;
    let gateway = Proxy::new(Node::gateway("edge", "istio-system"))
        .listener(
            Listener::outbound("main")
                .plugin(&plugin)
                .later_filter("fault", &fault)
                .route(Route::any("next").prefix("/up"))
                .route(Route::answer(404, "").prefix("/answered")),
        )
        .cluster(Cluster::new("next", sidecar.listener("inbound")?))
        .cluster(collector())
        .start(&release.binary()?)?;
    let main = gateway.listener("main")?;
    let told = |answer: &Response| -> (Vec<String>, Vec<String>) {
        let all = |name| {
            let values = answer.headers.all(name).map(String::from_utf8_lossy);
            values.map(|value| value.into_owned()).collect()
        };
        (all("x-trace-id"), all("server-timing"))
    };
    // Of an application, of Envoy's own routes, of a filter behind ours, and of nobody at all.
    for (what, request, status, before) in [
        (
            "an application",
            Request::get("/up"),
            200,
            "db;dur=5, app;desc=\"a, b\", cache, ",
        ),
        ("a route", Request::get("/answered"), 404, ""),
        (
            "a later filter",
            Request::get("/up").header("x-deny", "1"),
            418,
            "",
        ),
        ("no route", Request::get("/nowhere"), 404, ""),
    ] {
        let answer = client::send(main, &request.header("traceparent", TRACEPARENT))?;
        ensure!(answer.status == status, "{what}: {answer:?}");
        let server = server(&receiver, status)?;
        let traceparent = format!("00-{TRACE}-{}-01", server.span_id);
        let expected = (
            vec![TRACE.to_owned()],
            vec![format!("{before}traceparent;desc=\"{traceparent}\"")],
        );
        ensure!(
            told(&answer) == expected,
            "{what}: {:?}, not {expected:?}",
            told(&answer)
        );
    }
    let denied = format!("00-{TRACE}-{SPAN}-00");
    let answer = client::send(
        main,
        &Request::get("/answered").header("traceparent", &denied),
    )?;
    let expected = (
        vec![TRACE.to_owned()],
        vec![format!("traceparent;desc=\"{denied}\"")],
    );
    ensure!(told(&answer) == expected, "{answer:?}");
    // As the application said it: an exporter's call, an application's own call, and where nobody asked.
    let untouched = (
        vec!["the application's own".to_owned()],
        vec!["db;dur=5, app;desc=\"a, b\"".to_owned(), "cache".to_owned()],
    );
    for (listener, request) in [
        ("inbound", Request::get("/").header("b3", "0")),
        ("outbound", Request::get("/").header("traceparent", &denied)),
        ("none", Request::get("/").header("traceparent", &denied)),
    ] {
        let answer = client::send(sidecar.listener(listener)?, &request)?;
        ensure!(
            answer.status == 200 && told(&answer) == untouched,
            "{listener}: {answer:?}"
        );
    }
    check_health(&gateway).and_then(|()| check_health(&sidecar))
}

/// The gateway's server span of the request that just ended with that status.
fn server(receiver: &Receiver, status: u16) -> Result<Span> {
    let mut spans = Vec::new();
    let is_it = |span: &Span| {
        span.kind == Kind::Server
            && span.attribute("node_id").starts_with("router~")
            && span.attribute("http.response.status_code") == status.to_string()
    };
    poll::until("the gateway's server span", || {
        spans.extend(receiver.take());
        Ok(spans.iter().any(is_it).then_some(()))
    })?;
    // The spans of the hops behind it may come later; none of them is asked for.
    spans.into_iter().find(is_it).context("it was there")
}
