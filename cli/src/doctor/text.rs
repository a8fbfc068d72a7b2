//! A report for people: the verdict first, then what is there, then what to do, the worst first.

use super::checks::{NOT_GIVEN, some};
use super::finding::{Finding, Severity};
use super::report::{ChainFacts, ConfigFacts, InstanceFacts, Report};
use std::fmt::Write as _;
use throughline::text::one_line;

const WIDTH: usize = 100;

/// Of chains that differ, so many are shown.
const MOST_CHAINS: usize = 4;

pub fn of(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write(report, &mut out);
    out
}

fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    let proxy = &report.proxy;
    let name = proxy.id.as_deref().map(name_of).unwrap_or_default();
    let envoy = proxy
        .envoy
        .as_deref()
        .map(|version| format!(", Envoy {version}"))
        .unwrap_or_default();
    let who = [&*proxy.kind, name].join(" ");
    writeln!(
        out,
        "{}{}: {}",
        one_line(who.trim_end()),
        one_line(&envoy),
        verdict(&report.findings)
    )?;
    facts(report, out)?;
    for finding in &report.findings {
        writeln!(out)?;
        write_finding(finding, out)?;
    }
    Ok(())
}

/// The pod's name and namespace of an Istio node id, else the id.
fn name_of(id: &str) -> &str {
    id.split('~').nth(2).unwrap_or(id)
}

fn verdict(findings: &[Finding]) -> String {
    let of = |severity, what: &str| {
        let number = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        match number {
            0 => None,
            1 => Some(format!("1 {what}")),
            _ => Some(format!("{number} {what}s")),
        }
    };
    let problems = [
        of(Severity::Error, "error"),
        of(Severity::Warning, "warning"),
    ];
    let mut parts: Vec<String> = problems.into_iter().flatten().collect();
    if parts.is_empty() {
        let unknown = |finding: &Finding| finding.what == NOT_GIVEN;
        let verdict = if findings.iter().any(unknown) {
            "nothing wrong in what was given"
        } else {
            "nothing is wrong"
        };
        parts.push(verdict.to_owned());
    }
    parts.extend(of(Severity::Note, "note"));
    parts.join(", ")
}

fn facts(report: &Report, out: &mut String) -> std::fmt::Result {
    let mut fact = |name: &str, value: &str| writeln!(out, "  {name:<9} {}", one_line(value));
    let with = report
        .chains
        .iter()
        .filter(|chain| chain.has_filter)
        .count();
    let version = report
        .filter
        .version
        .as_deref()
        .unwrap_or("of unknown version");
    fact(
        "filter",
        &format!(
            "{version}, on {with} of {} HTTP filter chains",
            report.chains.len()
        ),
    )?;
    let orders = orders(&report.chains);
    for (chain, more) in orders.iter().take(MOST_CHAINS) {
        let also = if *more > 0 {
            format!(" (and {more} more)")
        } else {
            String::new()
        };
        fact(
            "order",
            &format!(
                "{} {}{also}: {}",
                chain.place,
                chain.listener,
                chain.filters.join(" → ")
            ),
        )?;
    }
    if let Some(others) = orders
        .len()
        .checked_sub(MOST_CHAINS)
        .filter(|others| *others > 0)
    {
        fact(
            "",
            &format!("{others} other orders: --json lists every chain"),
        )?;
    }
    for (name, config, export) in configs(&report.filter.instances) {
        fact("config", &format!("{name}{config}"))?;
        if let Some(export) = export {
            fact("export", &format!("{name}{export}"))?;
        }
    }
    if let Some(requests) = &report.requests {
        fact(
            "requests",
            &format!(
                "{} came, the filter saw {}",
                requests.by_envoy, requests.by_filter
            ),
        )?;
    }
    if let Some(spans) = &report.spans {
        let waiting = spans
            .finished
            .saturating_sub(spans.exported)
            .saturating_sub(spans.dropped)
            .saturating_sub(spans.failed);
        fact(
            "spans",
            &format!(
                "{} finished: {} exported, {} dropped, {} failed, {waiting} waiting",
                spans.finished, spans.exported, spans.dropped, spans.failed
            ),
        )?;
    }
    Ok(())
}

/// The first chain of each place and order of filters, and how many others are like it.
fn orders(chains: &[ChainFacts]) -> Vec<(&ChainFacts, usize)> {
    let mut orders: Vec<(&ChainFacts, usize)> = Vec::new();
    for chain in chains {
        let same =
            |known: &ChainFacts| known.place == chain.place && known.filters == chain.filters;
        match orders.iter_mut().find(|(known, _)| same(known)) {
            Some((_, more)) => *more = more.saturating_add(1),
            None => orders.push((chain, 0)),
        }
    }
    orders
}

/// Of instances of one name that say the same only one: which, with a colon where there are several, its configuration, and where
/// its spans go.
fn configs(instances: &[InstanceFacts]) -> Vec<(String, String, Option<String>)> {
    let lines = |instance: &InstanceFacts| {
        let config = instance.config.as_ref().filter(|config| config.enabled);
        (of_instance(instance), config.map(of_export))
    };
    let mut told: Vec<(&str, String, Option<String>)> = Vec::new();
    let mut all = Vec::new();
    for instance in instances {
        let (config, export) = lines(instance);
        let entry = (&*instance.name, config, export);
        if told.contains(&entry) {
            continue;
        }
        let namesakes = instances.iter().filter(|other| other.name == instance.name);
        let of = namesakes
            .clone()
            .filter(|other| lines(other) == (entry.1.clone(), entry.2.clone()));
        let listeners = of.flat_map(|other| &other.listeners).map(String::as_str);
        let name = match (instances.len(), namesakes.count()) {
            (1, _) => String::new(),
            (_, 1) => format!("{}: ", instance.name),
            _ => format!("{} on {}: ", instance.name, some(listeners)),
        };
        all.push((name, entry.1.clone(), entry.2.clone()));
        told.push(entry);
    }
    all
}

fn of_instance(instance: &InstanceFacts) -> String {
    match &instance.config {
        Some(config) => of_config(config),
        None => instance.state.replace('-', " "),
    }
}

fn of_config(config: &ConfigFacts) -> String {
    if !config.enabled {
        return "switched off (enabled: false)".to_owned();
    }
    let ratio = config
        .ratio
        .map(|ratio| format!("({ratio})"))
        .unwrap_or_default();
    format!(
        "service.name={} sampler={}{ratio} extract={} inject={}",
        config.service_name,
        config.sampler,
        config.extract.join(","),
        config.inject.join(",")
    )
}

fn of_export(config: &ConfigFacts) -> String {
    match &config.export {
        Some(export) => format!("{} to {}", export.protocol, export.cluster),
        None => "none".to_owned(),
    }
}

fn write_finding(finding: &Finding, out: &mut String) -> std::fmt::Result {
    let label = match finding.severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Note => "note",
    };
    wrap(out, &format!("{label}: "), &finding.what)?;
    if !finding.why.is_empty() {
        wrap(out, "  ", &finding.why)?;
    }
    for (index, line) in finding.fix.lines().enumerate() {
        let first = if index == 0 { "  → " } else { "    " };
        // What is to be copied stays as it is.
        if line.starts_with(' ') || finding.fix.lines().count() > 1 && is_code(line) {
            writeln!(out, "{first}{}", one_line(line))?;
        } else {
            wrap(out, first, line)?;
        }
    }
    Ok(())
}

/// A command, or a key of YAML.
fn is_code(line: &str) -> bool {
    const COMMANDS: [&str; 3] = ["kubectl ", "istioctl ", "throughline "];
    COMMANDS.iter().any(|command| line.starts_with(command))
        || (line.ends_with(':') && !line.contains(' '))
}

/// Words, in lines of at most [`WIDTH`] that stand under `first`.
fn wrap(out: &mut String, first: &str, words: &str) -> std::fmt::Result {
    let words = one_line(words);
    let indent = first.chars().count();
    let (mut line, mut length) = (first.to_owned(), indent);
    let mut is_empty = true;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let needed = word.chars().count().saturating_add(1);
        if !is_empty && length.saturating_add(needed) > WIDTH {
            writeln!(out, "{line}")?;
            (line, length, is_empty) = (" ".repeat(indent), indent, true);
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        length = length.saturating_add(needed);
        is_empty = false;
    }
    writeln!(out, "{line}")
}
