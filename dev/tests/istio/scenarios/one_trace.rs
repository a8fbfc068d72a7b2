//! `kubectl apply -k wasmplugin/overlays/dev`: a request through the gateway and three sidecars is one trace.

use crate::stage::Stage;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use throughline_dev::receiver::Kind;

pub fn play(stage: &Stage) -> Result<()> {
    stage.wait_until_served()?;
    ensure!(stage.receiver.count() == 0, "spans without the plugin");
    stage.apply("overlays/dev")?;
    stage.receiver.take();
    let answer = stage.get("/productpage", &[])?;
    ensure!(answer.status == 200, "{} {}", answer.status, answer.text());
    // The gateway's two, and one for each side of each sidecar that saw it.
    let spans = stage.receiver.wait_for(7)?;
    let traces: BTreeSet<_> = spans.iter().map(|span| &span.trace_id).collect();
    ensure!(traces.len() == 1, "several traces: {spans:#?}");
    let of = |kind| spans.iter().filter(|span| span.kind == kind).count();
    ensure!((of(Kind::Server), of(Kind::Client)) == (4, 3), "{spans:#?}");
    ensure!(
        stage.receiver.invalid().is_empty(),
        "{:?}",
        stage.receiver.invalid()
    );
    Ok(())
}
