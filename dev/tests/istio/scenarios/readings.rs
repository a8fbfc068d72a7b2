//! The doctor on what Istio's own tools print of a proxy, as its users pipe it.

use crate::doctor::{diagnosed, text};
use crate::stage::Stage;
use anyhow::{Result, ensure};
use std::path::PathBuf;
use std::process::Command;
use throughline_cli::doctor::{Report, Severity};
use throughline_cli::source::Text;

pub fn play(stage: &Stage) -> Result<()> {
    stage.install()?;
    let pod = &stage.bookinfo.productpage.pod;
    let programs = stage.cluster.line().directory()?;
    let agent = |page: &str| -> Result<Text> {
        let mut command = Command::new(programs.join("pilot-agent"));
        command.args(["request", "GET", page]);
        let printed = pod.inside(|| printed(&mut command))?;
        Ok(text(page, printed))
    };
    let dump = agent("config_dump")?;
    sees_the_filter(&diagnosed(std::slice::from_ref(&dump), None)?)?;
    let all = [dump, agent("stats/prometheus")?, agent("clusters")?];
    let report = diagnosed(&all, None)?;
    sees_the_filter(&report)?;
    ensure!(report.spans.is_some(), "no statistics: {report:#?}");

    // istioctl reads files of what it would ask the admin for.
    let keep = |page: &str| -> Result<PathBuf> {
        let file = stage.cluster.directory().join("page.json");
        std::fs::write(&file, pod.admin(page)?)?;
        Ok(file)
    };
    let istioctl = |what: &str, page: &str| -> Result<Text> {
        let mut command = Command::new(programs.join("istioctl"));
        command
            .args(["proxy-config", what, "--output", "json", "--file"])
            .arg(keep(page)?);
        Ok(text(what, printed(&mut command)?))
    };
    let dump = "/config_dump?include_eds";
    sees_the_filter(&diagnosed(&[istioctl("all", dump)?], None)?)?;
    let parts = ["listener", "cluster", "ecds", "bootstrap"].map(|what| istioctl(what, dump));
    let endpoints = istioctl("endpoint", "/clusters?format=json");
    let parts: Vec<_> = parts
        .into_iter()
        .chain([endpoints])
        .collect::<Result<_>>()?;
    sees_the_filter(&diagnosed(&parts, None)?)
}

fn printed(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

/// On every chain, with its configuration, and no error.
fn sees_the_filter(report: &Report) -> Result<()> {
    let everywhere =
        !report.chains.is_empty() && report.chains.iter().all(|chain| chain.has_filter);
    let exports = report.filter.instances.iter().any(|instance| {
        let config = instance.config.as_ref();
        config.is_some_and(|config| config.export.is_some())
    });
    let mut findings = report.findings.iter();
    let errors = findings.any(|finding| finding.severity == Severity::Error);
    ensure!(everywhere && exports && !errors, "{report:#?}");
    Ok(())
}
