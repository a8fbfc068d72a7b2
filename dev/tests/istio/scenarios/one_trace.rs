//! `kubectl apply -k wasmplugin/overlays/dev`: a request through the gateway and three sidecars is one trace.

use crate::stage::Stage;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use throughline_dev::receiver::Kind;

pub fn play(stage: &Stage) -> Result<()> {
    stage.wait_until_served()?;
    ensure!(stage.receiver.count() == 0, "spans without the plugin");
    stage.apply("overlays/dev")?;
    is_seen(stage)?;
    stage.keep("healthy")
}

/// The gateway's two spans, and one for each side of each sidecar that saw the request.
pub fn is_seen(stage: &Stage) -> Result<()> {
    stage.settled()?;
    stage.receiver.take();
    let answer = stage.get("/productpage", &[])?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    let spans = stage.receiver.wait_for(7)?;
    let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace_id).collect();
    ensure!(traces.len() == 1, "several traces: {spans:#?}");
    let of = |kind| spans.iter().filter(|span| span.kind == kind).count();
    ensure!((of(Kind::Server), of(Kind::Client)) == (4, 3), "{spans:#?}");
    let roots = spans.iter().filter(|span| span.parent_id.is_none()).count();
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    let orphans = spans.iter().filter_map(|span| span.parent_id.as_ref());
    let orphans = orphans.filter(|parent| !ids.contains(parent)).count();
    ensure!((roots, orphans) == (1, 0), "no tree: {spans:#?}");
    ensure!(
        stage.receiver.invalid().is_empty(),
        "{:?}",
        stage.receiver.invalid()
    );
    Ok(())
}
