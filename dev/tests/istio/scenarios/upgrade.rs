//! Another image, then the first again, by digest, while requests pass: none fails, and no span is missing.

use crate::stage::{SPANS, Stage, image, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use throughline_dev::http::{Request, client};
use throughline_dev::poll;
use throughline_dev::receiver::Span;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

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
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(requests)).collect();
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
    let sizes = poll::until("their spans", || {
        let spans = stage.receiver.spans();
        let sizes: BTreeMap<_, _> = sizes(&spans)
            .into_iter()
            .map(|(id, size)| (id.to_owned(), size))
            .collect();
        let all: u64 = sizes.values().sum();
        Ok((all >= SPANS * sent).then_some(sizes))
    })
    .with_context(|| format!("{sent} requests, {:?}", sizes(&stage.receiver.spans())))?;
    ensure!(
        sizes.len() as u64 == sent && sizes.values().all(|size| *size == SPANS),
        "{sent} requests, {} traces, of these sizes: {:?}",
        sizes.len(),
        sizes.values()
    );
    println!("  {sent} requests during two changes of the image");
    Ok(())
}

/// How many spans each trace of these requests has.
fn sizes(spans: &[Span]) -> BTreeMap<&str, u64> {
    let ours = spans
        .iter()
        .filter(|span| span.attribute("url.path") == PATH);
    let mut sizes: BTreeMap<_, _> = ours.map(|span| (span.trace_id.as_str(), 0)).collect();
    for span in spans {
        if let Some(size) = sizes.get_mut(span.trace_id.as_str()) {
            *size += 1;
        }
    }
    sizes
}

fn change_to(stage: &Stage, digest: &str) -> Result<()> {
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": image(digest)}))?;
    // Envoy is told where the agent keeps the module: in a file that is named for what was asked for.
    wait_for_texts(stage, &[digest])
}
