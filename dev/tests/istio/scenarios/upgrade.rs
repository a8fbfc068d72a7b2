//! Another image, then the first again, by digest, while requests pass: none fails, and no span is missing.

use crate::stage::{Stage, image, wait_for_texts};
use anyhow::{Result, ensure};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use throughline_dev::http::{Request, client};

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

pub fn play(stage: &Stage) -> Result<()> {
    stage.apply("overlays/dev")?;
    stage.wait_until_served()?;
    stage.settled()?;
    stage.receiver.take();
    let second = stage.push_another()?;
    let stop = AtomicBool::new(false);
    let sent = AtomicU64::new(0);
    let requests = || -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let answer = client::send(stage.entrance(), &Request::get("/productpage"))?;
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
    let spans = stage.receiver.wait_for(7 * sent)?;
    let mut sizes = BTreeMap::new();
    for span in &spans {
        *sizes.entry(&span.trace_id).or_insert(0) += 1;
    }
    ensure!(
        sizes.len() as u64 == sent && sizes.values().all(|size| *size == 7),
        "{sent} requests, {} traces, sizes {:?}",
        sizes.len(),
        sizes.values()
    );
    println!("  {sent} requests during two changes of the image");
    Ok(())
}

fn change_to(stage: &Stage, digest: &str) -> Result<()> {
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": image(digest)}))?;
    // Envoy is told where the agent keeps the module: in a file that is named for what was asked for.
    wait_for_texts(stage, &[digest])
}
