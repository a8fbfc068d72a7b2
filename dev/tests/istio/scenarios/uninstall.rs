//! `kubectl delete -k`: no filter is left in any proxy, and traffic passes as before.

use crate::stage::{Stage, wait_until_gone};
use anyhow::{Result, ensure};

pub fn play(stage: &Stage) -> Result<()> {
    stage.apply("overlays/dev")?;
    stage.wait_until_served()?;
    let path = stage.manifests.path("overlays/dev");
    stage
        .cluster
        .kubectl()
        .run(&format!("delete --kustomize {}", path.display()))?;
    wait_until_gone(stage)?;
    stage.bookinfo.ratings.app.take_seen();
    let before = stage.settled()?;
    ensure!(
        stage.get("/productpage", &[])?.status == 200,
        "traffic does not pass"
    );
    let seen = stage.bookinfo.ratings.app.take_seen();
    ensure!(seen.len() == 1, "{seen:?}");
    for header in ["traceparent", "x-b3-traceid"] {
        ensure!(
            seen.iter().all(|request| !request.headers.contains(header)),
            "{header} is written"
        );
    }
    ensure!(stage.settled()? == before, "spans of a filter that is gone");
    Ok(())
}
