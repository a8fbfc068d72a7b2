//! What `throughline doctor` says of a pod while a scenario plays.

use anyhow::{Result, anyhow, ensure};
use throughline_cli::doctor::{Code, Report, Severity, diagnose};
use throughline_cli::source::Text;
use throughline_dev::istio::Pod;

/// What Envoy's statistics count since it started: an earlier scenario may have left it.
const HISTORY: [Code; 3] = [Code::SpansDropped, Code::SpansFailed, Code::RequestsMissed];

/// That it finds all of these in a pod, and no other error or warning but such as an earlier scenario may have left.
pub fn finds(pod: &Pod, expected: &[Code]) -> Result<()> {
    let report = examine(pod)?;
    let found: Vec<_> = report.findings.iter().map(|finding| finding.code).collect();
    let missing: Vec<_> = expected
        .iter()
        .filter(|code| !found.contains(code))
        .collect();
    let others: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note)
        .map(|finding| finding.code)
        .filter(|code| !expected.contains(code) && !HISTORY.contains(code))
        .collect();
    ensure!(
        missing.is_empty() && others.is_empty(),
        "{}: the doctor does not find {missing:?}, and finds {others:?}: {:#?}",
        pod.name(),
        report.findings
    );
    Ok(())
}

/// All that it reads of a pod's Envoy, and the log.
fn examine(pod: &Pod) -> Result<Report> {
    let pages = [
        "/stats/prometheus",
        "/config_dump?include_eds",
        "/clusters?format=json",
    ];
    let texts: Vec<_> = pages
        .into_iter()
        .map(|page| Ok(text(page, pod.admin(page)?)))
        .collect::<Result<_>>()?;
    diagnosed(&texts, Some(&text("log", pod.log())))
}

/// What it says of these texts.
pub fn diagnosed(texts: &[Text], log: Option<&Text>) -> Result<Report> {
    diagnose(texts, log).map_err(|failure| anyhow!("{failure}"))
}

/// A text under a name.
pub fn text(name: &str, text: String) -> Text {
    Text {
        name: name.to_owned(),
        bytes: text.into_bytes(),
    }
}
