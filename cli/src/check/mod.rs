//! `throughline check`: whether the filter would take a configuration.
//!
//! - [`plugin`]: where configurations stand in manifests
//! - [`variables`]: those of vmConfig
//! - [`problems`]: what the module says of them
//! - [`overrides`]: those that are good one by one
//! - [`stranger`]: what is no configuration and has one in it
//! - [`refused`]: what an API server does not take
//! - [`targets`]: which proxies a manifest is for
//! - [`typos`]: what the module takes, and what then matches nothing or is sent nowhere
//! - [`warnings`]: what it takes, and is seldom meant
//! - [`report`]: what is said of it, to machines and people

pub mod overrides;
pub mod plugin;
pub mod problems;
mod refused;
mod report;
mod stranger;
mod targets;
mod typos;
mod variables;
mod warnings;

pub use self::report::Report;

use self::plugin::{Contents, Plugin};
use self::problems::MOST_PROBLEMS;
use self::report::{Checked, Severity};
use crate::Failure;
use crate::output::{self, Format};
use crate::proxy::Proxy;
use crate::source::{Source, Text};
use crate::yaml::{Documents, Node};
use clap::Args;
use std::process::ExitCode;
use throughline::config::Problem;

const EXAMPLES: &str = "\
A configuration by itself (pluginConfig), or manifests with WasmPlugins, TrafficExtensions and Envoy Gateway's
EnvoyExtensionPolicies, in YAML or JSON, several documents and Lists of them too. Other objects are skipped.

Examples:
  throughline check wasmplugin/base/throughline.yaml
  kubectl kustomize wasmplugin/overlays/prod | throughline check -
  throughline check --namespace bookinfo --label app=ratings pluginconfig.json

Exit code: 0 where nothing is wrong (warnings apart), 1 where something is, 2 where that cannot be told: a wrong command
line, something that cannot be read, or nothing to check in it.";

/// Say what is wrong with a configuration, before a mesh does
///
/// Loads it with the filter's own code: what is accepted here is accepted there. Every override is checked; for the proxy
/// that --namespace and --label describe, also all that are for it together.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Files, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<Source>,
    #[command(flatten)]
    proxy: Proxy,
    /// Exit with 1 for warnings, too
    #[arg(long)]
    deny_warnings: bool,
    /// For people, or for machines (docs/cli.md describes it)
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Does it, and says so.
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut report = Report::default();
    let mut is_readable = true;
    for file in &arguments.files {
        match file.read_manifest().and_then(|text| {
            let before = (report.checked.len(), report.errors);
            let kustomizations = report.kustomizations();
            check(&text, &arguments.proxy, &mut report)?;
            if (report.checked.len(), report.errors) != before {
                return Ok(());
            }
            let hint = match report.kustomizations() == kustomizations {
                true => String::new(),
                false => format!("; {}", stranger::kustomize(&file.folder())),
            };
            Err(Failure::new(format!(
                "{}: nothing to check: neither a configuration nor a plugin that is called throughline{hint}",
                text.name
            )))
        }) {
            Ok(()) => {}
            Err(failure) => {
                output::complain(&failure);
                if arguments.format == Format::Json {
                    report.cannot_tell(&file.to_string(), &failure);
                }
                is_readable = false;
            }
        }
    }
    let text = match arguments.format {
        Format::Text => report.text(),
        Format::Json => report.json(),
    };
    let is_good = report.errors == 0 && !(arguments.deny_warnings && report.warnings > 0);
    match output::print(&text) {
        Ok(()) if !is_readable => ExitCode::from(output::CANNOT_TELL),
        Ok(()) if is_good => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(output::CANNOT_TELL)
        }
    }
}

/// Adds to the report what is wrong with that text. It is an error if it is no text at all.
pub fn check(text: &Text, proxy: &Proxy, report: &mut Report) -> Result<(), Failure> {
    let name = &text.name;
    let utf_8 = utf_8(text)?;
    let documents = Documents::named(name, utf_8);
    let json = documents.json();
    for document in documents {
        if let (Ok(document), true) = (&document, report.is_full()) {
            let message = "there is too much to say already; from here on nothing is looked at";
            let problem = Problem::new("", message);
            report.say(Severity::Error, name, None, document.place, problem);
            break;
        }
        match document {
            Ok(document) if document.is_null() => {}
            Ok(document) => check_document(name, &document, json, proxy, report),
            Err(fault) => {
                let line = utf_8.lines().nth(fault.place.line.saturating_sub(1));
                let hint = match line.is_some_and(|line| line.contains("{{")) {
                    true => "; a template of Helm's? What it renders can be checked: helm template",
                    false => "",
                };
                let problem = Problem::new("", fault.message + hint);
                report.say(Severity::Error, name, None, fault.place, problem);
            }
        }
    }
    Ok(())
}

fn check_document(
    name: &str,
    document: &Node,
    json: Option<&str>,
    proxy: &Proxy,
    report: &mut Report,
) {
    let contents = Contents::of(document, json);
    for kind in contents.others {
        let number = report.skipped.entry(kind.to_owned()).or_default();
        *number = number.saturating_add(1);
    }
    for (object, missing) in contents.missing {
        let (place, problem) = (missing.place, missing.problem);
        report.say(Severity::Error, name, Some(&object), place, problem);
    }
    for plugin in contents.plugins {
        check_plugin(name, &plugin, proxy, report);
    }
}

fn check_plugin(name: &str, plugin: &Plugin<'_>, proxy: &Proxy, report: &mut Report) {
    let object = plugin.object.as_deref();
    report.checked.push(Checked {
        file: name.to_owned(),
        line: plugin.place.line,
        object: plugin.object.clone(),
    });
    let loaded = problems::load(plugin, proxy);
    let warned = warnings::of(plugin, loaded.as_deref().ok());
    let problems = loaded.err().unwrap_or_default();
    report.may_have_more |= problems.len() >= MOST_PROBLEMS;
    let errors = problems
        .into_iter()
        .map(|located| (Severity::Error, located.place, located.problem));
    let warnings = warned
        .into_iter()
        .map(|(place, problem)| (Severity::Warning, place, problem));
    let mut all: Vec<_> = errors.chain(warnings).collect();
    all.sort_by_key(|(_, place, _)| *place);
    for (severity, place, problem) in all {
        report.say(severity, name, object, place, problem);
    }
}

/// The text, or where it is none.
pub fn utf_8(text: &Text) -> Result<&str, Failure> {
    std::str::from_utf8(&text.bytes).map_err(|error| {
        let before = text.bytes.iter().take(error.valid_up_to());
        let line = before
            .filter(|byte| **byte == b'\n')
            .count()
            .saturating_add(1);
        Failure::new(format!("{}: not UTF-8 in line {line}", text.name))
    })
}
