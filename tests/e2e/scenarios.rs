//! What is more than one request and its headers.

use crate::case::case;
use crate::stage::Stage;
use anyhow::{Result, ensure};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use throughline_dev::app::Forward;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Client, Headers, Request};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::{http2, poll};

/// A scenario plays on one release, with the module.
pub type Scenario = fn(Release, &Path) -> Result<()>;

/// Every scenario.
pub const ALL: [(&str, Scenario); 3] = [
    (
        "a new configuration takes effect on a live Envoy without a dropped request",
        reload,
    ),
    (
        "a bad configuration lets requests pass untouched, and says so",
        bad_configuration,
    ),
    (
        "gRPC over HTTP/2 keeps its trailers and stays on its trace",
        grpc,
    ),
];

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const B3: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1";

fn reload(release: Release, module: &Path) -> Result<()> {
    let stage = Stage::start(release, module, &json!({}))?;
    let inbound = stage.envoy.listener("inbound")?;
    let (done, request) = (
        AtomicBool::new(false),
        Request::get("/").header("traceparent", TRACEPARENT),
    );
    std::thread::scope(|scope| -> Result<()> {
        // Requests all the while, over one connection that must never break.
        let traffic = scope.spawn(|| -> Result<u32> {
            let mut client = Client::connect(inbound)?;
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                let answer = client.send(&request)?;
                ensure!(answer.status == 200, "request {sent}: {answer:?}");
                sent += 1;
            }
            Ok(sent)
        });
        let changes = (|| {
            for round in 0..3 {
                let formats = if round % 2 == 0 {
                    json!(["b3"])
                } else {
                    json!(["tracecontext"])
                };
                Plugin::new(module, &json!({"propagation": {"inject": formats}}))
                    .reload(&stage.envoy)?;
                // The worker takes it over a moment after the main thread has.
                poll::until("the new configuration to write its headers", || {
                    let seen = stage.app.take_seen();
                    let b3 = seen
                        .last()
                        .is_some_and(|request| request.headers.get("b3") == Some(B3.as_bytes()));
                    Ok((!seen.is_empty() && b3 == (round % 2 == 0)).then_some(()))
                })?;
            }
            Ok(())
        })();
        done.store(true, Ordering::Relaxed);
        let sent = traffic
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        ensure!(sent > 0, "no request was sent during the reloads");
        changes
    })?;
    stage.check_health()
}

fn bad_configuration(release: Release, module: &Path) -> Result<()> {
    let stage = Stage::start(
        release,
        module,
        &json!({"propagation": {"extract": ["b4"]}}),
    )?;
    let sent = Headers::new()
        .with("traceparent", "nonsense")
        .with("b3", "stale");
    let case = case("")
        .sends("traceparent", "nonsense")
        .sends("b3", "stale")
        .forwards(Forward::Everything);
    let outcome = stage.play(&case)?;
    let passed = |seen: &Headers| seen.filtered(|name| sent.contains(name)) == sent;
    ensure!(
        passed(&outcome.app) && passed(&outcome.callee),
        "not untouched:\n{:?}\n{}",
        outcome.app,
        stage.logs()
    );
    ensure!(
        !outcome.app.contains("x-b3-traceid"),
        "trace headers were added:\n{:?}",
        outcome.app
    );
    ensure!(
        stage.envoy.log().contains("propagation.extract[0]"),
        "the log does not say where:\n{}",
        stage.envoy.log_tail(20)
    );
    let rejected = outcome
        .after
        .lines()
        .any(|line| line.starts_with("throughline_config_rejected") && line.ends_with(" 1"));
    ensure!(rejected, "no gauge says so");
    stage.check_health()
}

fn grpc(release: Release, module: &Path) -> Result<()> {
    let (seen, requests) = std::sync::mpsc::channel();
    let service = http2::Server::start(move |request| {
        // Nobody listens only when the test has failed already.
        let _ = seen.send(request);
        http2::grpc_answer(b"answer")
    })?;
    let listener = Listener::inbound("inbound")
        .plugin(&Plugin::new(module, &json!({})))
        .route(Route::any("app"));
    let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(listener)
        .cluster(Cluster::new("app", service.address()).http2())
        .start(&release.binary()?)?;
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
    ensure!(
        seen.headers.get("traceparent") == Some(TRACEPARENT.as_bytes()),
        "{:?}",
        seen.headers
    );
    ensure!(
        seen.headers.get("x-b3-sampled") == Some(b"1"),
        "{:?}",
        seen.headers
    );
    Ok(())
}
