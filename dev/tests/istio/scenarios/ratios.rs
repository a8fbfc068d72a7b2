//! The overlays with a ratio, as they are: of the requests that bring no context the gateway samples that share, and every
//! trace that is sampled is whole.

use crate::share::Requests;
use crate::stage::{MODULE, SPANS, Stage, wait_for_texts};
use anyhow::Result;

pub fn play(stage: &Stage) -> Result<()> {
    // Traces everything, so that no connection is left with a listener without the plugin.
    stage.install()?;
    for (overlay, ratio, count) in [
        ("overlays/dev", 1.0, 200),
        ("overlays/staging", 0.5, 1000),
        ("overlays/prod", 0.05, 2000),
    ] {
        stage.apply(overlay)?;
        wait_for_texts(stage, &[MODULE, &format!("\\\"arg\\\":{ratio},")])?;
        let requests = Requests {
            pod: &stage.gateway,
            at: stage.entrance(),
            path: &format!("/productpage/{overlay}"),
            count,
        };
        requests.are_sampled(stage, ratio, SPANS as usize)?;
        stage.receiver.take();
    }
    Ok(())
}
