//! What the README promises: with a Tempo where the manifests expect one, TraceQL finds a whole trace within half a minute of
//! the first request.

use crate::stage::{SPANS, Stage};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};
use throughline_dev::backends::Tempo;
use throughline_dev::istio::NODE;
use throughline_dev::poll;

const PROMISED: Duration = Duration::from_secs(30);

const QUERY: &str =
    r#"{resource.service.name="ratings.bookinfo" && span.http.response.status_code=200}"#;

pub fn play(stage: &Stage) -> Result<()> {
    let tempo = Tempo::start_on(NODE.into(), None)?;
    let collector = |address| {
        let cluster = &stage.cluster;
        cluster.endpoints("monitoring", "tempo", "grpc-otlp", address)
    };
    collector(tempo.otlp_grpc().0)?;
    let found = is_found(stage, &tempo);
    collector(stage.receiver.grpc())?;
    found.with_context(|| tempo.log())
}

fn is_found(stage: &Stage, tempo: &Tempo) -> Result<()> {
    stage.apply("overlays/dev")?;
    let begun = Instant::now();
    let mut first = None;
    let whole = poll::until_within(PROMISED, "TraceQL to find a whole trace", || {
        // As somebody reloads the page: the first may pass connections that are older than the plugin.
        stage.get("/productpage", &[])?;
        std::thread::sleep(Duration::from_millis(500));
        let traces = tempo.search(QUERY)?;
        if !traces.is_empty() && first.is_none() {
            first = Some(begun.elapsed());
        }
        for trace in traces {
            let spans = tempo.trace(&trace)?;
            if spans.len() as u64 == SPANS {
                return Ok(Some(spans));
            }
        }
        Ok(None)
    })?;
    println!(
        "  TraceQL finds a trace {:.1?} after the first request, and a whole one after {:.1?}",
        first.unwrap_or_default(),
        begun.elapsed()
    );
    let roots = whole.iter().filter(|span| span.parent_id.is_none()).count();
    ensure!(roots == 1, "{whole:#?}");
    Ok(())
}
