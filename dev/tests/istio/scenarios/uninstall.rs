//! `kubectl delete -k`: no filter is left in any proxy, and traffic passes as before.

use crate::stage::{Stage, wait_until_gone};
use anyhow::Result;
use throughline_dev::poll;

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    let path = stage.manifests.path("overlays/dev");
    stage
        .cluster
        .kubectl()
        .run(&format!("delete --kustomize {}", path.display()))?;
    wait_until_gone(stage)?;
    // Those on connections that were there before still pass the old listeners.
    poll::until("requests without a header", || {
        Ok(stage.request("/productpage")?.is_empty().then_some(()))
    })
}
