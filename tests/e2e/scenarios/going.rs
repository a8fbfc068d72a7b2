//! What becomes of queued spans when the last virtual machine of the filter goes, and when Envoy itself does.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::accounts::{Accounts, labelled};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::poll::{self, PATIENCE};
use throughline_dev::receiver::Receiver;

const LISTENER: &str = "inbound";
const REQUESTS: u64 = 3;

/// An Envoy whose spans wait in the queue, and its only plugin.
struct Waiting {
    envoy: Envoy,
    plugin: Plugin,
    receiver: Receiver,
}

fn config(delay: &str) -> Value {
    json!({"export": {"cluster": "collector", "batch": {"scheduleDelay": delay}}})
}

impl Waiting {
    fn start(release: Release, module: &Path) -> Result<Self> {
        let receiver = Receiver::start()?;
        let plugin = Plugin::new(module, &config("60s"));
        let listener = Listener::inbound(LISTENER)
            .route(Route::answer(200, "ok"))
            .plugin(&plugin);
        let proxy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
            .listener(listener)
            .cluster(Cluster::new("collector", receiver.http()));
        let envoy = labelled(proxy).start(&release.binary()?)?;
        for _ in 0..REQUESTS {
            let answer = client::send(envoy.listener(LISTENER)?, &Request::get("/"))?;
            ensure!(answer.status == 200, "{answer:?}");
        }
        Ok(Self {
            envoy,
            plugin,
            receiver,
        })
    }
}

/// Another environment is another virtual machine, and nothing is left of the old one. (Envoy 1.36 to 1.38 keep the old
/// one, with the old environment; then the spans are sent.)
pub fn virtual_machine(release: Release, module: &Path) -> Result<()> {
    let waiting = Waiting::start(release, module)?;
    let plugin = waiting
        .plugin
        .environment("ANOTHER", "one")
        .configured(&config("59s").to_string());
    plugin.reload(&waiting.envoy)?;
    // Envoy cancels the calls of a machine that goes; nobody may believe that they were answered.
    let accounts = Accounts::settled(&waiting.envoy, REQUESTS, PATIENCE)?;
    let dropped = accounts.dropped.get("shutdown").copied().unwrap_or(0);
    let arrived = waiting.receiver.tally().accepted;
    ensure!(
        arrived == accounts.exported && arrived + dropped == REQUESTS,
        "{accounts:?}, {arrived} arrived"
    );
    let is_another = release >= Release::find("1.39")?;
    ensure!(
        dropped == if is_another { REQUESTS } else { 0 },
        "{accounts:?}"
    );
    waiting.envoy.check_alive()
}

/// SIGTERM without a drain: Envoy ends in order, whatever becomes of the spans.
pub fn process(release: Release, module: &Path) -> Result<()> {
    let waiting = Waiting::start(release, module)?;
    waiting.envoy.terminate()?;
    let status = poll::until("Envoy to end", || waiting.envoy.ended())?;
    ensure!(status.success(), "{status}: {}", waiting.envoy.log_tail(20));
    let log = waiting.envoy.log();
    ensure!(!log.contains("[critical]"), "{log}");
    println!(
        "Envoy {release}: {} of {REQUESTS} spans arrived after SIGTERM",
        waiting.receiver.tally().accepted
    );
    Ok(())
}
