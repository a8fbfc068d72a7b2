//! A configuration with a mistake, pushed to a running mesh: traffic passes, nothing is traced, and the error says what to do.

use crate::doctor::finds;
use crate::page::quotes;
use crate::stage::{Stage, number};
use anyhow::{Result, ensure};
use serde_json::json;
use throughline_cli::doctor::Code;
use throughline_dev::poll;

const PLUGIN: &str = "wasmplugin throughline --namespace istio-system";
const TOLD: &str = "samplng: unknown field, did you mean sampling?";

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    let kubectl = stage.cluster.kubectl();
    kubectl.patch(
        PLUGIN,
        &json!({"spec": {"pluginConfig": {"samplng": {"arg": 1}}}}),
    )?;
    for pod in stage.proxies() {
        poll::until(
            &format!("{} to refuse the configuration", pod.name()),
            || {
                let rejected = number(pod, "throughline_config_rejected")? > 0.0;
                Ok((rejected && pod.log().contains(TOLD)).then_some(()))
            },
        )?;
    }
    let worked = || -> Result<Vec<f64>> {
        let proxies = stage.proxies().into_iter();
        proxies
            .map(|pod| number(pod, "throughline_requests"))
            .collect()
    };
    let before = worked()?;
    ensure!(
        stage.request("/productpage")?.is_empty(),
        "an inert filter wrote a header"
    );
    ensure!(worked()? == before, "an inert filter counted a request");
    quotes(
        "The configuration has a mistake",
        "configuration rejected, requests pass untouched: samplng: unknown field, did you mean sampling?",
        &stage.gateway.log(),
    )?;
    finds(&stage.gateway, &[Code::ConfigRejected])?;
    stage.keep("config-rejected")?;

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
    stage.traced()?;
    Ok(())
}
