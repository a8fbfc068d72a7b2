//! Another image, then the first again, by digest, while requests pass: none fails, and no span is missing.

use crate::stage::{SPANS, Stage, image, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use throughline_dev::http::{Request, client};
use throughline_dev::poll;
use throughline_dev::receiver::Span;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

const CLIENTS: u64 = 4;
const CHANGES: u64 = 2;

/// Asked for by nobody else.
const PATH: &str = "/productpage/upgrade";

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    let second = stage.push_another()?;
    let stop = AtomicBool::new(false);
    let sent = AtomicU64::new(0);
    let requests = || -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let answer = client::send(stage.entrance(), &Request::get(PATH))?;
            ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
            sent.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    thread::scope(|scope| -> Result<()> {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(requests)).collect();
        let changed = [second.as_str(), &stage.digest]
            .into_iter()
            .try_for_each(|digest| change_to(stage, digest));
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client
                .join()
                .map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        changed
    })?;
    let sent = sent.load(Ordering::Relaxed);
    ensure!(sent > 0, "nothing was sent");
    let all = SPANS * sent;
    // A span whose request was under way as a proxy changed may be the old module's, which ends before it could send it.
    let under_way = SPANS * CLIENTS * CHANGES;
    let found = poll::until("their spans", || {
        let found = found(&stage.receiver.spans());
        let enough = found.traces == sent && found.spans + under_way >= all;
        Ok(enough.then_some(found))
    })
    .with_context(|| format!("{sent} requests, {:?}", found(&stage.receiver.spans())))?;
    let missing = all - found.spans;
    println!(
        "  {sent} requests during two changes of the image; {missing} of {all} spans are missing"
    );
    Ok(())
}

/// What came of these requests.
#[derive(Debug)]
struct Found {
    traces: u64,
    spans: u64,
}

fn found(spans: &[Span]) -> Found {
    let ours = spans
        .iter()
        .filter(|span| span.attribute("url.path") == PATH);
    let traces: BTreeSet<_> = ours.map(|span| &span.trace_id).collect();
    let spans = spans.iter().filter(|span| traces.contains(&span.trace_id));
    Found {
        spans: spans.count() as u64,
        traces: traces.len() as u64,
    }
}

fn change_to(stage: &Stage, digest: &str) -> Result<()> {
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": image(digest)}))?;
    // Envoy is told where the agent keeps the module: in a file that is named for what was asked for.
    wait_for_texts(stage, &[digest])
}
