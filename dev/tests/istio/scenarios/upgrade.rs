//! Another image, then the first again, by digest, while requests pass: none fails. Envoy ends the old module's
//! virtual machine with what it had queued; those spans, and no others, are missing, and counted.

use crate::stage::{SPANS, Stage, image, labelled, wait_for_texts};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use throughline_dev::http::{Request, client};
use throughline_dev::poll;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

const CLIENTS: u64 = 4;

/// Asked for by nobody else.
const PATH: &str = "/productpage/upgrade";

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    let second = stage.push_another()?;
    let dropped_before = dropped(stage)?;
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
    let ours = traces(stage, sent)?;
    let found = || -> u64 {
        let spans = stage.receiver.spans();
        let ours = spans.iter().filter(|span| ours.contains(&span.trace_id));
        ours.count() as u64
    };
    let missing = poll::until("their spans", || {
        let missing = all.saturating_sub(found());
        let dropped = dropped(stage)? - dropped_before;
        Ok((missing as f64 <= dropped).then_some(missing))
    })
    .with_context(|| format!("{sent} requests, {} spans of {all}", found()))?;
    println!(
        "  {sent} requests during two changes of the image; {missing} of {all} spans are missing"
    );
    Ok(())
}

/// The traces of the requests, as the gateway's access log has them: each has a line there, whatever became of its spans.
fn traces(stage: &Stage, sent: u64) -> Result<BTreeSet<String>> {
    poll::until("the access log of the gateway", || {
        let entries = stage.gateway.access_log().into_iter();
        let ours = entries.filter(|entry| entry["path"] == PATH);
        let traces: BTreeSet<_> = ours
            .filter_map(|entry| Some(entry["trace.id"].as_str()?.to_owned()))
            .collect();
        Ok((traces.len() as u64 == sent).then_some(traces))
    })
}

/// How many spans went with a virtual machine, in all proxies.
fn dropped(stage: &Stage) -> Result<f64> {
    let proxies = stage.proxies().into_iter();
    let counts = proxies.map(|pod| {
        Ok(labelled(pod, "throughline_spans", "reason")?
            .remove("shutdown")
            .unwrap_or(0.0))
    });
    Ok(counts.collect::<Result<Vec<f64>>>()?.into_iter().sum())
}

fn change_to(stage: &Stage, digest: &str) -> Result<()> {
    stage
        .cluster
        .kubectl()
        .patch(PLUGIN, &json!({"spec": image(digest)}))?;
    // Envoy is told where the agent keeps the module: in a file that is named for what was asked for.
    wait_for_texts(stage, &[digest])
}
