//! The commands of the documentation, typed by a user of this mesh: page by page, first those of kubectl and then those of Helm,
//! in a repository of theirs in which one commit pins an image, and the next one another.

use crate::manifests::root;
use crate::scenarios::uninstall::objects;
use crate::stage::{MODULE, Stage, wait_for_texts, wait_until_gone};
use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;
use throughline_dev::documentation::{Runner, commands};
use throughline_dev::image::Digest;
use throughline_dev::image::pin::{Pin, pin_files, yaml_files};
use throughline_dev::poll;

const HELM_INSTALL: &str = "helm install throughline charts/throughline -n istio-system";
const HELM_UPGRADE: &str =
    "helm upgrade throughline charts/throughline -n istio-system --reset-then-reuse-values";

/// The commands of one tool in a page.
struct Story {
    page: String,
    tool: &'static str,
    steps: Vec<(String, Runner)>,
}

impl Story {
    /// Whether the last of its commands that change something takes away what the others made.
    fn uninstalls(&self) -> bool {
        let commands = self.steps.iter().map(|(command, _)| command);
        let mut changes = commands.filter(|command| !command.starts_with("kubectl get "));
        changes
            .next_back()
            .is_some_and(|last| last.starts_with("helm uninstall "))
    }
}

pub fn play(stage: &Stage) -> Result<()> {
    let second = stage.push_another()?;
    let stories = stories()?;
    ensure!(
        stories.iter().any(Story::uninstalls),
        "no page ends with `helm uninstall`: whether it leaves anything was not seen"
    );
    for story in stories {
        stage.reset()?;
        let before = objects(stage)?;
        let Story { page, tool, steps } = &story;
        println!("  {page}: {} commands of {tool}", steps.len());
        let user = User::new(stage, &second)?;
        let played = user.play(&story);
        let left = objects(stage)?;
        user.leave()?;
        played.with_context(|| page.clone())?;
        if story.uninstalls() {
            let others: Vec<_> = left.symmetric_difference(&before).collect();
            ensure!(
                others.is_empty(),
                "{page}: other objects than before: {others:?}"
            );
        }
    }
    Ok(())
}

fn stories() -> Result<Vec<Story>> {
    let mut stories: Vec<Story> = Vec::new();
    for command in commands()? {
        let Some(runner @ (Runner::Mesh | Runner::Rehearsal)) = Runner::of(&command.text)? else {
            continue;
        };
        let is_helms = command.text.starts_with("helm ");
        let tool = if is_helms { "helm" } else { "kubectl" };
        let step = (command.text, runner);
        let known = stories
            .iter_mut()
            .find(|story| story.page == command.page && story.tool == tool);
        match known {
            Some(story) => story.steps.push(step),
            None => stories.push(Story {
                page: command.page,
                tool,
                steps: vec![step],
            }),
        }
    }
    ensure!(!stories.is_empty(), "no page has a command for a mesh");
    Ok(stories)
}

/// Who types them.
struct User<'a> {
    stage: &'a Stage,
    repository: TempDir,
    /// The directories of the programs.
    path: String,
    digests: [&'a str; 2],
}

impl<'a> User<'a> {
    /// With the first image pinned.
    fn new(stage: &'a Stage, second: &'a str) -> Result<Self> {
        let repository = tempfile::tempdir()?;
        let mut copy = Command::new("cp");
        copy.arg("-r");
        for folder in ["wasmplugin", "charts", "examples"] {
            copy.arg(root().join(folder));
        }
        ensure!(copy.arg(repository.path()).status()?.success(), "cp");
        let kubectl = stage.cluster.kubectl().command();
        let programs = [
            PathBuf::from(kubectl.get_program()),
            tools::manifests("helm")?,
        ];
        let folders = programs.iter().filter_map(|program| program.parent());
        let folders: Vec<_> = folders.map(|folder| folder.display().to_string()).collect();
        let path = format!("{}:{}", folders.join(":"), std::env::var("PATH")?);
        let user = Self {
            stage,
            repository,
            path,
            digests: [&stage.digest, second],
        };
        user.run("git init --quiet")?;
        user.pin(&stage.digest)?;
        Ok(user)
    }

    /// `make pin`, and a commit of it.
    fn pin(&self, digest: &str) -> Result<()> {
        let digest = Digest::parse(&format!("sha256:{digest}"))?;
        let pin = Pin::new("registry.test:5000/throughline", None, &digest);
        let folders = ["wasmplugin", "charts"].map(|folder| self.repository.path().join(folder));
        pin_files(&yaml_files(&folders)?, &pin)?;
        self.run("git add --all")?;
        self.run("git commit --quiet --message pin")?;
        Ok(())
    }

    fn play(&self, story: &Story) -> Result<()> {
        // A page that begins with an upgrade or a rollback has an installation before it.
        let first = story.steps.first().map(|(command, _)| command.as_str());
        let first = first.unwrap_or_default();
        if story.tool == "helm" && !first.starts_with("helm install ") {
            self.step(HELM_INSTALL, Runner::Mesh)?;
        }
        self.pin(self.digests[1])?;
        if first.starts_with("helm rollback ") {
            self.step(HELM_UPGRADE, Runner::Mesh)?;
        }
        for (command, runner) in &story.steps {
            self.step(command, *runner)?;
        }
        Ok(())
    }

    /// Types a command, and waits for what it is meant to do.
    fn step(&self, command: &str, runner: Runner) -> Result<()> {
        let typed = command.replace("<the upgrade>", "HEAD");
        if runner == Runner::Rehearsal {
            let absent = if typed.starts_with("kubectl delete ") {
                " --ignore-not-found"
            } else {
                ""
            };
            self.run(&format!("{typed} --dry-run=server{absent}"))?;
            return Ok(());
        }
        let newer = ["overlays/traffic-extension", " patch trafficextension "]
            .iter()
            .any(|text| typed.contains(text));
        if newer && !self.stage.cluster.line().has_traffic_extensions() {
            ensure!(self.run(&typed).is_err(), "{typed}: a kind of Istio 1.30");
            return Ok(());
        }
        // Who types this has the overlay with a plugin for waypoints.
        if typed.starts_with("kubectl patch wasmplugin throughline-waypoints ") {
            self.run("kubectl apply -k wasmplugin/overlays/ambient")?;
        }
        self.run(&typed)?;
        let begins = |begin: &str| typed.starts_with(begin);
        if typed.contains(r#""enabled": false"#) || typed.contains("config.enabled=false") {
            wait_for_texts(self.stage, &[MODULE, r#"\"enabled\":false"#])?;
            return self.requests_have_a_trace(false);
        }
        if typed.contains("config.sampling.arg=0.05") {
            wait_for_texts(self.stage, &[MODULE, r#"\"arg\":0.05,"#])?;
        }
        if begins("helm install ") || begins("helm upgrade ") {
            wait_for_texts(self.stage, &[MODULE, &self.image()?])?;
            return self.requests_have_a_trace(true);
        }
        if begins("kubectl apply ") {
            return wait_for_texts(self.stage, &[MODULE, &self.image()?]);
        }
        if begins("helm rollback ") {
            return wait_for_texts(self.stage, &[MODULE, self.digests[0]]);
        }
        // Of two kinds one is left, and another may be at work where there was nothing to delete.
        if begins("kubectl delete -k ") || begins("helm uninstall ") {
            return wait_until_gone(self.stage);
        }
        Ok(())
    }

    fn requests_have_a_trace(&self, expected: bool) -> Result<()> {
        // Those on older connections still pass the listeners of before.
        poll::until("what requests bring to be as it should", || {
            let trace = self.stage.request("/productpage")?;
            Ok((trace.is_empty() != expected).then_some(()))
        })
    }

    /// The digest in the manifests as they are now.
    fn image(&self) -> Result<String> {
        let base = self
            .repository
            .path()
            .join("wasmplugin/base/throughline.yaml");
        let text = std::fs::read_to_string(base)?;
        let pinned = self.digests.iter().find(|digest| text.contains(**digest));
        Ok((*pinned.context("no image is pinned")?).to_owned())
    }

    /// Runs a line in the repository, as a shell does.
    fn run(&self, line: &str) -> Result<()> {
        let mut shell = Command::new("sh");
        let kubectl = self.stage.cluster.kubectl().command();
        for (name, value) in kubectl.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        for who in ["AUTHOR", "COMMITTER"] {
            shell.env(format!("GIT_{who}_NAME"), "someone");
            shell.env(format!("GIT_{who}_EMAIL"), "someone@example.com");
        }
        let output = shell
            .args(["-c", line])
            .current_dir(self.repository.path())
            .env("PATH", &self.path)
            // A message that git proposes is taken as it is.
            .env("GIT_EDITOR", "true")
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{line}: {}", said.trim());
        }
        Ok(())
    }

    /// Takes back what a page left.
    fn leave(&self) -> Result<()> {
        let kubectl = self.stage.cluster.kubectl();
        // Helm remembers releases here.
        kubectl.run("delete secrets --namespace istio-system --selector owner=helm")?;
        Ok(())
    }
}
