//! More than plain requests: gRPC, trailers, streams that are handed over.

use super::{TRACE, TRACEPARENT};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Client, Headers, Request, Response, Server, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::{http2, poll};

fn inbound(module: &Path) -> Listener {
    Listener::inbound("inbound")
        .plugin(&Plugin::new(module, &json!({})))
        .route(Route::any("app"))
}

fn sidecar(listener: Listener, app: Cluster) -> Proxy {
    Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(listener)
        .cluster(app)
}

pub fn grpc(release: Release, module: &Path) -> Result<()> {
    let (seen, requests) = mpsc::channel();
    let service = http2::Server::start(move |request| {
        // Nobody listens only when the test has failed already.
        let _ = seen.send(request);
        http2::grpc_answer(b"answer")
    })?;
    let app = Cluster::new("app", service.address()).http2();
    let envoy = sidecar(inbound(module), app).start(&release.binary()?)?;
    let call =
        http2::grpc_call("/bookinfo.Reviews/Get", b"call").header("traceparent", TRACEPARENT);
    let answer = http2::send(envoy.listener("inbound")?, &call)?;
    let seen = requests.recv_timeout(poll::PATIENCE)?;
    ensure!(answer.body == http2::grpc_message(b"answer"), "{answer:?}");
    ensure!(
        answer.trailers.get("grpc-status") == Some(b"0"),
        "{:?}",
        answer.trailers
    );
    ensure!(
        seen.body == http2::grpc_message(b"call"),
        "the call's body changed"
    );
    on_the_trace(&seen)
}

pub fn trailers(release: Release, module: &Path) -> Result<()> {
    let (seen, requests) = mpsc::channel();
    let trailers = Headers::new()
        .with("x-end", b"\xff")
        .with("traceparent", "not ours");
    let answered = trailers.clone();
    let service = Server::start(move |request| {
        let _ = seen.send(request);
        let mut response = Response::ok("x".repeat(100_000));
        (response.chunked, response.trailers) = (true, answered.clone());
        response
    })?;
    let manager = json!({"http_protocol_options": {"enable_trailers": true}});
    let protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let app = Cluster::new("app", service.address()).merge(
        &json!({"typed_extension_protocol_options": {protocol: {
            "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}},
        }}}),
    );
    let envoy = sidecar(inbound(module).merge(&manager), app).start(&release.binary()?)?;
    let request = Request::post("/", "y".repeat(100_000))
        .header("traceparent", TRACEPARENT)
        .header("te", "trailers");
    let request = request.chunked(trailers.clone());
    let answer = client::send(envoy.listener("inbound")?, &request)?;
    let seen = requests.recv_timeout(poll::PATIENCE)?;
    ensure!(
        answer.body.len() == 100_000 && seen.body == request.body,
        "a body changed"
    );
    ensure!(
        seen.trailers == trailers,
        "the request's trailers became {:?}",
        seen.trailers
    );
    ensure!(
        answer.trailers == trailers,
        "the response's trailers became {:?}",
        answer.trailers
    );
    on_the_trace(&seen)
}

pub fn upgrades(release: Release, module: &Path) -> Result<()> {
    let (seen, requests) = mpsc::channel();
    let service = Server::start(move |request| {
        let status = if request.method == "CONNECT" {
            200
        } else {
            101
        };
        let _ = seen.send(request);
        Response::new(status)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .then(echo)
    })?;
    let plugin = Plugin::new(module, &json!({}));
    // Without connect_config the CONNECT itself goes on, as through a waypoint: its headers can be looked at.
    let connect = Route::connect("app")
        .merge(&json!({"route": {"upgrade_configs": [{"upgrade_type": "CONNECT"}]}}));
    let listener = Listener::inbound("inbound")
        .plugin(&plugin)
        .upgrade("websocket")
        .route(Route::any("app"));
    let connects = Listener::inbound("connects")
        .plugin(&plugin)
        .upgrade("CONNECT")
        .route(connect);
    let envoy = sidecar(listener, Cluster::new("app", service.address()))
        .listener(connects)
        .start(&release.binary()?)?;
    let websocket = Request::get("/")
        .header("connection", "upgrade")
        .header("upgrade", "websocket");
    for (listener, request) in [
        ("inbound", websocket),
        ("connects", Request::new("CONNECT", "reviews:9080")),
    ] {
        let mut client = Client::connect(envoy.listener(listener)?)?;
        let answer = client.send(&request.header("traceparent", TRACEPARENT))?;
        ensure!(matches!(answer.status, 101 | 200), "{listener}: {answer:?}");
        client.send_raw(b"hello")?;
        let mut echoed = [0; 5];
        client
            .into_stream()
            .read_exact(&mut echoed)
            .context(listener)?;
        ensure!(&echoed == b"hello", "{listener}: the stream changed");
        on_the_trace(&requests.recv_timeout(poll::PATIENCE)?)?;
    }
    Ok(())
}

fn echo(mut stream: TcpStream) {
    let mut bytes = [0; 5];
    // When this fails the client notices.
    let _ = stream
        .read_exact(&mut bytes)
        .and_then(|()| stream.write_all(&bytes));
}

fn on_the_trace(seen: &Request) -> Result<()> {
    let (headers, is) = (&seen.headers, |name, value: &str| {
        seen.headers.get(name) == Some(value.as_bytes())
    });
    ensure!(
        is("traceparent", TRACEPARENT) && is("x-b3-traceid", TRACE),
        "not on the trace:\n{headers:?}"
    );
    Ok(())
}
