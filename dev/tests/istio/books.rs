//! Whatever a scenario did: no span is lost without being counted.

use crate::stage::{Stage, number};
use anyhow::{Context, Result};
use std::time::Duration;
use throughline_dev::istio::Pod;
use throughline_dev::poll;

/// Longer than Envoy drains the listeners that had the plugin: what waits for a collector goes with them.
const DRAINED_WITHIN: Duration = Duration::from_secs(120);

/// Takes the plugin away, and waits until every proxy has counted what became of each span that it finished.
pub fn balance(stage: &Stage) -> Result<()> {
    stage.reset()?;
    for pod in stage.proxies() {
        let name = pod.name();
        poll::until_within(
            DRAINED_WITHIN,
            &format!("{name} to account for every span"),
            || {
                std::thread::sleep(Duration::from_millis(100));
                let (finished, accounted) = books(pod)?;
                Ok((finished == accounted).then_some(()))
            },
        )
        .with_context(|| format!("{name}: finished and accounted for: {:?}", books(pod)))?;
    }
    Ok(())
}

fn books(pod: &Pod) -> Result<(f64, f64)> {
    Ok((
        number(pod, "throughline_finished_spans")?,
        number(pod, "throughline_spans")?,
    ))
}
