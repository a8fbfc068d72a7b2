//! The commands of the README and of docs/install.md, as they stand there, by somebody who has just cloned the repository.

use crate::checkout::Checkout;
use crate::commands::the_one;
use crate::scenarios::one_trace;
use crate::stage::{MODULE, SPANS, Stage, wait_for_texts, wait_until_gone};
use anyhow::{Context, Result, ensure};
use throughline_dev::poll;

const REGISTRY: &str = "registry.test:5000/team/throughline";

pub fn play(stage: &Stage) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    let checkout = Checkout::make()?;
    let apply = the_one("README.md", "kubectl apply")?;
    let error = match checkout.run(kubectl, &apply) {
        Ok(said) => anyhow::bail!("the API server took a forgotten digest: {said}"),
        Err(error) => format!("{error:#}"),
    };
    ensure!(error.contains("spec.sha256"), "{error}");

    for words in ["make push", "make pin"] {
        checkout.make_target(&here(&the_one("README.md", words)?))?;
    }
    checkout.run(kubectl, &apply)?;
    wait_for_texts(stage, &[MODULE, "\\\"arg\\\":0.05,"])?;
    is_told(stage)?;

    // Every request, to see one.
    checkout.run(kubectl, &apply.replace("overlays/prod", "overlays/dev"))?;
    wait_for_texts(stage, &[MODULE, "\\\"arg\\\":1,"])?;
    stage.wait_until_whole(SPANS)?;
    one_trace::is_seen(stage)?;

    let delete = the_one("docs/upgrade.md", "kubectl delete -k wasmplugin")?;
    checkout.run(kubectl, &delete)?;
    wait_until_gone(stage)?;

    // Or the chart, in which the image is pinned too.
    checkout.run(kubectl, &the_one("README.md", "helm install")?)?;
    wait_for_texts(stage, &[MODULE])?;
    poll::until("a request with a header", || {
        Ok((!stage.request("/productpage")?.is_empty()).then_some(()))
    })?;
    checkout.run(kubectl, &the_one("docs/upgrade.md", "helm uninstall")?)?;
    wait_until_gone(stage)
}

/// The line that docs/install.md says to look for.
fn is_told(stage: &Stage) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let line = format!(
        "throughline {version} on sidecar: service.name=productpage.bookinfo sampler=parentbased_traceidratio(0.05)"
    );
    let productpage = &stage.bookinfo.productpage.pod;
    poll::until("the start-up line", || {
        Ok(productpage.log().contains(&line).then_some(()))
    })
    .with_context(|| line.clone())
}

/// A command with the registry that is here in place of the example's.
pub fn here(command: &str) -> String {
    command.replace("registry.example/team/throughline", REGISTRY)
}
