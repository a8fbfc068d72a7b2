//! The chart by Helm itself, with the commands of docs/install.md and docs/upgrade.md: installed, upgraded by digest, rolled
//! back, switched off, uninstalled without a trace of it.

use crate::checkout::Checkout;
use crate::commands::{documented, the_one};
use crate::scenarios::uninstall::objects;
use crate::stage::{MODULE, Stage, wait_for_texts, wait_until_gone};
use anyhow::{Context, Result, ensure};
use throughline_dev::poll;

pub fn play(stage: &Stage) -> Result<()> {
    let kubectl = stage.cluster.kubectl();
    let checkout = Checkout::make()?;
    let before = objects(stage)?;
    let second = stage.push_another()?;
    let run = |command: &str, digest: &str| {
        let command = command
            .replace(
                "registry.example/team/throughline",
                "registry.test:5000/throughline",
            )
            .replace("<digest>", digest);
        checkout.run(kubectl, &command)
    };
    let upgrades = documented("docs/upgrade.md", "helm upgrade")?;
    let upgrade = |word: &str| {
        let mut those = upgrades.iter().filter(|command| command.contains(word));
        those
            .next()
            .with_context(|| format!("no helm upgrade with {word}"))
    };

    run(&the_one("docs/install.md", "helm install")?, &stage.digest)?;
    wait_for_texts(stage, &[MODULE, &stage.digest, "\\\"arg\\\":0.05,"])?;
    poll::until("requests with a header", || {
        Ok((!stage.request("/productpage")?.is_empty()).then_some(()))
    })?;

    run(upgrade("image.sha256")?, &second)?;
    // The ratio is the one that was installed.
    wait_for_texts(stage, &[MODULE, &second, "\\\"arg\\\":0.05,"])?;
    ensure!(!stage.request("/productpage")?.is_empty(), "no trace");
    run(&the_one("docs/upgrade.md", "helm rollback")?, "")?;
    wait_for_texts(stage, &[MODULE, &stage.digest, "\\\"arg\\\":0.05,"])?;
    ensure!(!stage.request("/productpage")?.is_empty(), "no trace");

    run(upgrade("enabled=false")?, "")?;
    wait_for_texts(stage, &[MODULE, "\\\"enabled\\\":false"])?;
    poll::until("requests without a header", || {
        Ok(stage.request("/productpage")?.is_empty().then_some(()))
    })?;

    run(&the_one("docs/upgrade.md", "helm uninstall")?, "")?;
    wait_until_gone(stage)?;
    let left: Vec<_> = objects(stage)?
        .symmetric_difference(&before)
        .cloned()
        .collect();
    ensure!(left.is_empty(), "other objects than before: {left:?}");
    Ok(())
}
