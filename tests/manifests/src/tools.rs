//! kustomize, Helm, promtool and compose, as dev/manifests/install.py built them.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program of that name. Only the installer knows where it is, as the place is named for what it pins.
fn program(name: &str) -> Result<PathBuf> {
    let answer = Command::new("python3")
        .arg(crate::path("dev/manifests/install.py"))
        .args(["--installed", name])
        .output()
        .context("python3, which knows where the tools are")?;
    if !answer.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&answer.stderr).trim());
    }
    Ok(String::from_utf8(answer.stdout)?.trim_end().into())
}

/// What a tool printed; an error with what it complained of.
fn run(command: &mut Command) -> Result<String> {
    let answer = command.output().with_context(|| format!("{command:?}"))?;
    let printed = String::from_utf8(answer.stdout)?;
    if !answer.status.success() {
        bail!("{printed}{}", String::from_utf8_lossy(&answer.stderr));
    }
    Ok(printed)
}

/// `kustomize build` of a directory of the repository.
pub fn kustomize(directory: &str) -> Result<String> {
    run(Command::new(program("kustomize")?)
        .arg("build")
        .arg(crate::path(directory)))
}

/// Helm, with nothing of the user's own: neither a cluster nor settings.
fn helm(home: &Path) -> Result<Command> {
    let mut command = Command::new(program("helm")?);
    command
        .env_clear()
        .env("HOME", home)
        .env("KUBECONFIG", home.join("none"));
    Ok(command)
}

/// `helm template` of the chart, in that namespace, with those values.
pub fn helm_template(namespace: &str, values: &Path) -> Result<String> {
    let mut helm = helm(Path::new("/nonexistent"))?;
    helm.args(["template", "throughline"])
        .arg(crate::path("charts/throughline"))
        .args(["--namespace", namespace, "--values"])
        .arg(values);
    run(&mut helm)
}

/// `helm lint --strict` of the chart with those values.
pub fn helm_lint(values: &Path) -> Result<String> {
    let mut helm = helm(Path::new("/nonexistent"))?;
    helm.args(["lint", "--strict"])
        .arg(crate::path("charts/throughline"))
        .args(["--namespace", "istio-system", "--values"])
        .arg(values);
    run(&mut helm)
}

/// promtool with those arguments, in a directory of the repository.
pub fn promtool(directory: &str, arguments: &[&str]) -> Result<String> {
    run(Command::new(program("promtool")?)
        .args(arguments)
        .current_dir(crate::path(directory)))
}

/// A compose file, as Docker Compose's own library loads it.
pub fn compose(file: &Path) -> Result<String> {
    let mut compose = Command::new(program("compose")?);
    // What it mounts is looked for where it runs.
    if let Some(folder) = file.parent() {
        compose.current_dir(folder);
    }
    run(compose.arg(file))
}
