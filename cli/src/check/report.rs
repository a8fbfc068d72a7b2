//! What is said of all that was checked. Its JSON is an interface: docs/cli.md describes it, and fields are only ever added.

use super::problems::MOST_PROBLEMS;
use crate::Failure;
use crate::yaml::Place;
use serde::Serialize;
use std::collections::BTreeMap;
use throughline::config::Problem;
use throughline::text::one_line;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Of this shape.
    pub format: u32,
    pub errors: usize,
    pub warnings: usize,
    /// Whether a configuration has as many errors as are looked for.
    pub may_have_more: bool,
    /// Configurations that were loaded.
    pub checked: Vec<Checked>,
    /// Other objects beside them, by kind.
    pub skipped: BTreeMap<String, usize>,
    /// What is wrong, in the order of the texts.
    pub diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    pub file: String,
    pub line: usize,
    /// `WasmPlugin istio-system/throughline`; `null` of a configuration by itself.
    pub object: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    pub file: String,
    /// From 1, as is the column, which counts characters.
    pub line: usize,
    pub column: usize,
    pub severity: Severity,
    pub object: Option<String>,
    /// The field, or the variable; empty where it is all of the text.
    pub path: String,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The filter would be inert with it.
    Error,
    /// It works, and is seldom what was meant.
    Warning,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            format: 1,
            errors: 0,
            warnings: 0,
            may_have_more: false,
            checked: Vec::new(),
            skipped: BTreeMap::new(),
            diagnostics: Vec::new(),
        }
    }
}

/// What nobody reads to its end.
const MOST_DIAGNOSTICS: usize = 1024;
/// Several times the plugins of a mesh.
const MOST_CONFIGURATIONS: usize = 16 * 1024;

impl Report {
    /// Whether there is no use in looking further.
    pub fn is_full(&self) -> bool {
        self.diagnostics.len() >= MOST_DIAGNOSTICS || self.checked.len() >= MOST_CONFIGURATIONS
    }

    pub fn say(
        &mut self,
        severity: Severity,
        file: &str,
        object: Option<&str>,
        place: Place,
        problem: Problem,
    ) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count = count.saturating_add(1);
        self.diagnostics.push(Diagnostic {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            severity,
            object: object.map(str::to_owned),
            path: problem.path,
            message: problem.message,
        });
    }

    /// A file of which nothing else can be said.
    pub fn cannot_tell(&mut self, file: &str, failure: &Failure) {
        let said = failure.to_string();
        let message = said.strip_prefix(&format!("{file}: ")).unwrap_or(&said);
        let problem = Problem::new("", message);
        self.say(
            Severity::Error,
            file,
            None,
            Place { line: 1, column: 1 },
            problem,
        );
    }

    /// How many of kustomize's files were skipped.
    pub fn kustomizations(&self) -> usize {
        self.skipped
            .get("Kustomization")
            .copied()
            .unwrap_or_default()
    }

    /// One object.
    pub fn json(&self) -> String {
        // Nothing in it has a key that is no text, which is all that could fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// A line for each problem, as compilers write them, and one for all.
    pub fn text(&self) -> String {
        let lines = self.diagnostics.iter().map(|diagnostic| {
            let severity = match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let Diagnostic {
                file,
                line,
                column,
                path,
                message,
                ..
            } = diagnostic;
            let field = if path.is_empty() { "" } else { ": " };
            let line = format!("{file}:{line}:{column}: {severity}: {path}{field}{message}");
            one_line(&line) + "\n"
        });
        lines.collect::<String>() + &self.summary() + "\n"
    }

    fn summary(&self) -> String {
        let checked = count(self.checked.len(), "configuration");
        let verdict = match (self.errors, self.warnings) {
            (0, 0) if self.checked.is_empty() => "nothing to say".to_owned(),
            (0, 0) => "nothing is wrong".to_owned(),
            (errors, 0) => count(errors, "error"),
            (0, warnings) => count(warnings, "warning"),
            (errors, warnings) => {
                format!("{}, {}", count(errors, "error"), count(warnings, "warning"))
            }
        };
        let more = match self.may_have_more {
            true => format!("; there may be more, {MOST_PROBLEMS} of one configuration are told"),
            false => String::new(),
        };
        let skipped: Vec<String> = self
            .skipped
            .iter()
            .map(|(kind, number)| format!("{number} {kind}"))
            .collect();
        let skipped = match skipped.is_empty() {
            true => String::new(),
            false => format!(" (skipped: {})", skipped.join(", ")),
        };
        one_line(&format!("{checked} checked: {verdict}{more}{skipped}"))
    }
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
