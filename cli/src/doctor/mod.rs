//! `throughline doctor`: what is wrong with the filter in an Envoy, and what to change.
//!
//! - [`input`]: what Envoy, its admin and istioctl print
//! - [`case`]: all of it together: one proxy
//! - [`checks`], [`finding`]: what may be wrong
//! - [`report`], [`text`]: what is said of it, to machines and people

mod case;
mod checks;
mod finding;
mod input;
mod report;
mod text;

pub use self::finding::{Code, Severity};
pub use self::report::Report;

use self::case::Evidence;
use self::input::{Document, Log};
use crate::Failure;
use crate::output;
use crate::source::{Source, Text, Url};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const EXAMPLES: &str = "\
Give it one proxy: the address of Envoy's admin, which has all that is needed, or files with what is behind these:
  config_dump, stats/prometheus (or stats), clusters        of Envoy's admin (pilot-agent request GET …)
  proxy-config all|listener|cluster|endpoint|ecds|bootstrap  of istioctl, with -o json
in any number and order; each is known by what it holds. Listeners are needed, statistics say whether the filter runs. Of two
statistics the first is the earlier reading.

Examples:
  kubectl port-forward -n NAMESPACE POD 15000 & throughline doctor http://localhost:15000
  throughline doctor <(kubectl exec -n NAMESPACE POD -c istio-proxy -- pilot-agent request GET config_dump) \\
    <(kubectl exec -n NAMESPACE POD -c istio-proxy -- pilot-agent request GET stats/prometheus)
  istioctl proxy-config all -n NAMESPACE POD -o json | throughline doctor -
    (says nothing of whether the filter runs: that takes the statistics, too)
  throughline doctor config_dump.json stats.txt clusters.json --log proxy.log

Exit code: 0 where nothing is wrong (notes apart), 1 where something is, 2 where that cannot be told: a wrong command
line, something that cannot be read, or nothing wrong in what has no statistics.";

/// Say what is wrong with the filter in an Envoy, and what to change
///
/// Reads what Envoy says of itself, and changes nothing: is the filter there, where, with which configuration; does it
/// run, which no statistic of Envoy's shows; does another tracer fight with it; do spans arrive. Every finding comes with
/// the change that fixes it.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The address of Envoy's admin (http://localhost:15000), a file with what it or istioctl printed, or - for standard input
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<Source>,
    /// Envoy's log, such as kubectl logs -n NAMESPACE POD -c istio-proxy gives
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Read the statistics twice, so many seconds apart: shows whether the filter still counts what comes
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// Print one JSON object (docs/doctor.md describes it) instead of text
    #[arg(long)]
    json: bool,
}

/// Does it, and says so.
pub fn run(arguments: &Arguments) -> ExitCode {
    match examine(arguments).and_then(|report| print(&report, arguments.json).map(|()| report)) {
        Ok(report) => match report.healthy {
            Some(true) => ExitCode::SUCCESS,
            Some(false) => ExitCode::FAILURE,
            None => ExitCode::from(output::CANNOT_TELL),
        },
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(output::CANNOT_TELL)
        }
    }
}

/// What these texts, and this log, say of a proxy.
pub fn diagnose(texts: &[Text], log: Option<&Text>) -> Result<Report, Failure> {
    let mut evidence = Evidence::default();
    for text in texts {
        evidence.add(&text.name, Document::read(text)?)?;
    }
    if let Some(log) = log {
        evidence.log(Log::read(&String::from_utf8_lossy(&log.bytes)));
    }
    Ok(Report::of(&evidence.close()?))
}

fn examine(arguments: &Arguments) -> Result<Report, Failure> {
    let is_admin = |source: &Source| matches!(source, Source::Url(url) if url.is_admin());
    if arguments.seconds.is_some() && !arguments.sources.iter().any(is_admin) {
        return Err(Failure::new(
            "--for needs the address of Envoy's admin, as http://localhost:15000: a file does not change",
        ));
    }
    let mut texts = Vec::new();
    for source in &arguments.sources {
        match source {
            Source::Url(url) if url.is_admin() => texts.extend(admin(url, arguments.seconds)?),
            other => texts.push(other.read().map_err(|failure| hinted(other, failure))?),
        }
    }
    let log = arguments
        .log
        .clone()
        .map(|path| Source::File(path).read())
        .transpose()?;
    diagnose(&texts, log.as_ref())
}

/// With what to write, where no file is called so and an address may be.
fn hinted(source: &Source, failure: Failure) -> Failure {
    let path = match source {
        Source::File(path) if !path.exists() => path.display().to_string(),
        _ => return failure,
    };
    let authority = path.split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    match port.is_some_and(|port| port.parse::<u16>().is_ok()) {
        true => Failure::new(format!(
            "{failure}; is it the address of Envoy's admin? Write http://{path}"
        )),
        false => failure,
    }
}

/// All of the admin's pages that matter.
fn admin(url: &Url, seconds: Option<u64>) -> Result<Vec<Text>, Failure> {
    const STATS: &str = "/stats/prometheus";
    let mut texts = Vec::new();
    if let Some(seconds) = seconds {
        texts.push(url.get(STATS)?);
        std::thread::sleep(Duration::from_secs(seconds));
    }
    for page in [STATS, "/config_dump?include_eds", "/clusters?format=json"] {
        texts.push(url.get(page)?);
    }
    Ok(texts)
}

fn print(report: &Report, json: bool) -> Result<(), Failure> {
    let text = if json {
        report.json()
    } else {
        text::of(report)
    };
    output::print(&text)
}
