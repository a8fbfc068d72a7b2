//! A configuration with a mistake, pushed to a running mesh: traffic passes, nothing is traced, and the error says what to do.

use crate::stage::{Stage, number};
use anyhow::{Result, ensure};
use serde_json::json;
use throughline_dev::poll;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";

pub fn play(stage: &Stage) -> Result<()> {
    stage.apply("overlays/dev")?;
    stage.wait_until_served()?;
    stage.receiver.wait_for(7)?;
    let kubectl = stage.cluster.kubectl();
    kubectl.patch(
        PLUGIN,
        &json!({"spec": {"pluginConfig": {"samplng": {"arg": 1}}}}),
    )?;
    for pod in stage.proxies() {
        let told = "samplng: unknown field, did you mean sampling?";
        poll::until(
            &format!("{} to refuse the configuration", pod.name()),
            || {
                let rejected = number(pod, "throughline_config_rejected")? > 0.0;
                Ok((rejected && pod.log().contains(told)).then_some(()))
            },
        )?;
    }
    stage.bookinfo.ratings.app.take_seen();
    let before = stage.settled()?;
    ensure!(
        stage.get("/productpage", &[])?.status == 200,
        "traffic does not pass"
    );
    let seen = stage.bookinfo.ratings.app.take_seen();
    ensure!(
        seen.len() == 1
            && seen
                .iter()
                .all(|request| !request.headers.contains("traceparent")),
        "an inert filter wrote a header: {seen:?}"
    );
    ensure!(stage.settled()? == before, "an inert filter reported spans");

    kubectl.patch(
        PLUGIN,
        &json!({"spec": {"pluginConfig": {"samplng": null}}}),
    )?;
    for pod in stage.proxies() {
        poll::until(
            &format!("{} to take the mended configuration", pod.name()),
            || Ok((number(pod, "throughline_config_rejected")? == 0.0).then_some(())),
        )?;
    }
    stage.receiver.take();
    ensure!(
        stage.get("/productpage", &[])?.status == 200,
        "traffic does not pass"
    );
    stage.receiver.wait_for(7)?;
    Ok(())
}
