//! An old image under a newer configuration is inert and says which field it does not know; `git revert` and one
//! `kubectl apply -k` roll both back.

use crate::manifests::Manifests;
use crate::stage::{MODULE, Stage, image, number, wait_for_texts};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use throughline_dev::poll;

/// A field of a later version. To this module it is as new as the fields of this version are to older ones.
const NEWER: &str = "ofALaterVersion";

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    let second = stage.push_another()?;
    // Their repository: what is applied is what is committed.
    let first = image(&stage.digest);
    let text = |field: &str| first[field].as_str().unwrap_or_default();
    let manifests = Manifests::copy(text("url"), text("sha256"))?;
    let repository = Repository(manifests.path(""));
    repository.git(&["init", "--quiet"])?;
    repository.commit("Throughline")?;
    repository.change("base/throughline.yaml", &stage.digest, &second)?;
    repository.change(
        "base/throughline.yaml",
        "  pluginConfig:\n",
        &format!("  pluginConfig:\n    {NEWER}: 1\n"),
    )?;
    repository.commit("Upgrade Throughline")?;
    let apply = || {
        let overlay = manifests.path("overlays/dev");
        let kubectl = stage.cluster.kubectl();
        kubectl.run(&format!("apply --kustomize {}", overlay.display()))
    };

    apply()?;
    wait_for_texts(stage, &[MODULE, &second, NEWER])?;
    for pod in stage.proxies() {
        poll::until(&format!("{} to refuse the field", pod.name()), || {
            let rejected = number(pod, "throughline_config_rejected")? > 0.0;
            let told = pod.log().contains(&format!("{NEWER}: unknown field"));
            Ok((rejected && told).then_some(()))
        })?;
    }
    ensure!(
        stage.request("/productpage")?.is_empty(),
        "an inert filter wrote a header"
    );

    repository.git(&["revert", "--no-edit", "HEAD"])?;
    apply()?;
    wait_for_texts(stage, &[MODULE, &stage.digest])?;
    for pod in stage.proxies() {
        poll::until(&format!("{} to work again", pod.name()), || {
            Ok((number(pod, "throughline_config_rejected")? == 0.0).then_some(()))
        })?;
    }
    stage.traced()?;
    Ok(())
}

struct Repository(PathBuf);

impl Repository {
    fn git(&self, arguments: &[&str]) -> Result<()> {
        let output = Command::new("git")
            .args(["-c", "user.name=user", "-c", "user.email=user@example.com"])
            .args(arguments)
            .current_dir(&self.0)
            // Not the settings of who runs the test.
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .context("git")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "git {arguments:?}: {error}");
        Ok(())
    }

    fn commit(&self, message: &str) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])
    }

    fn change(&self, file: &str, old: &str, new: &str) -> Result<()> {
        let file: &Path = &self.0.join(file);
        let text = fs::read_to_string(file)?;
        ensure!(text.contains(old), "{}: no {old}", file.display());
        Ok(fs::write(file, text.replace(old, new))?)
    }
}
