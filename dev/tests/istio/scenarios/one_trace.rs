//! `kubectl apply -k wasmplugin/overlays/dev`: a request through the gateway and three sidecars is one trace.

use crate::stage::Stage;
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use throughline_dev::receiver::Kind;

pub fn play(stage: &Stage) -> Result<()> {
    ensure!(
        stage.request("/productpage")?.is_empty(),
        "a trace without the plugin"
    );
    stage.install()?;
    is_seen(stage)?;
    stage.keep("healthy")
}

/// The gateway's two spans, and one for each side of each sidecar that saw the request, as one tree.
pub fn is_seen(stage: &Stage) -> Result<()> {
    let spans = stage.traced()?;
    let of = |kind| spans.iter().filter(|span| span.kind == kind).count();
    ensure!((of(Kind::Server), of(Kind::Client)) == (4, 3), "{spans:#?}");
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    let roots = spans.iter().filter(|span| span.parent_id.is_none()).count();
    let parents = spans.iter().filter_map(|span| span.parent_id.as_ref());
    let orphans = parents.filter(|parent| !ids.contains(parent)).count();
    ensure!((roots, orphans) == (1, 0), "no tree: {spans:#?}");
    ensure!(
        stage.receiver.invalid().is_empty(),
        "{:?}",
        stage.receiver.invalid()
    );
    Ok(())
}
