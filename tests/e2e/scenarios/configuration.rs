//! Configurations that change, and configurations that are wrong.

use super::{SPAN, TRACE, TRACEPARENT};
use crate::case::case;
use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use throughline_dev::app::Forward;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Client, Headers, Request};
use throughline_dev::mesh::Plugin;
use throughline_dev::poll;

pub fn reload(release: Release, module: &Path) -> Result<()> {
    let stage = Stage::start(release, module, &json!({}))?;
    let inbound = stage.envoy.listener("inbound")?;
    let b3 = format!("{TRACE}-{SPAN}-1");
    let inject = |formats: &[&str]| json!({"propagation": {"inject": formats}});
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
            // A bad configuration in between: it lets requests pass untouched, and the next good one takes over.
            for (config, written) in [
                (inject(&["b3"]), &["b3"][..]),
                (inject(&["tracecontext", "b3multi"]), &["x-b3-traceid"]),
                (inject(&["ottrace"]), &[]),
                (
                    inject(&["tracecontext", "b3", "b3multi"]),
                    &["b3", "x-b3-traceid"],
                ),
                (json!({"propagation": "b3"}), &[]),
                (inject(&["b3"]), &["b3"]),
            ] {
                Plugin::new(module, &config).reload(&stage.envoy)?;
                let all = [
                    ("traceparent", TRACEPARENT),
                    ("b3", &b3),
                    ("x-b3-traceid", TRACE),
                ];
                let wanted = all.map(|(name, value)| {
                    (name == "traceparent" || written.contains(&name)).then_some(value.as_bytes())
                });
                // The worker takes it over a moment after the main thread has.
                poll::until("the new configuration to write its headers", || {
                    let seen = stage.app.take_seen().pop();
                    let now = seen
                        .as_ref()
                        .map(|seen| all.map(|(name, _)| seen.headers.get(name)));
                    Ok((now == Some(wanted)).then_some(()))
                })
                .with_context(|| config.to_string())?;
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

pub fn bad(release: Release, module: &Path) -> Result<()> {
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
