//! `propagation`, and `OTEL_PROPAGATORS`.

use super::{
    Environment, Problem,
    environment::non_empty,
    reader::{Node, Object, choose},
};
use crate::propagation::{Format, Propagation, StaleHeaders};

const FORMATS: [(&str, Format); 3] = [
    ("tracecontext", Format::TraceContext),
    ("b3", Format::B3),
    ("b3multi", Format::B3Multi),
];

const STALE_HEADERS: [(&str, StaleHeaders); 2] = [
    ("rewrite", StaleHeaders::Rewrite),
    ("remove", StaleHeaders::Remove),
];

pub fn load(
    section: Option<&Object<'_>>,
    environment: &impl Environment,
) -> Result<Propagation, Problem> {
    let formats =
        |name: &str, default: &[Format]| match section.and_then(|section| section.get(name)) {
            Some(node) => list(&node),
            None => Ok(propagators(environment)?.unwrap_or_else(|| default.to_vec())),
        };
    let extract = formats("extract", &[Format::TraceContext, Format::B3])?;
    let inject = formats("inject", &[Format::TraceContext, Format::B3Multi])?;
    let stale_headers = match section.and_then(|section| section.get("staleHeaders")) {
        Some(node) => node.choice(&STALE_HEADERS)?,
        None => StaleHeaders::Rewrite,
    };
    Ok(Propagation::new(&extract, &inject, stale_headers))
}

pub const FIELDS: [&str; 3] = ["extract", "inject", "staleHeaders"];

fn list(node: &Node<'_>) -> Result<Vec<Format>, Problem> {
    let mut formats = Vec::new();
    for item in node.list()? {
        let format = item.choice(&FORMATS)?;
        if formats.contains(&format) {
            return Err(item.problem(format!("{} is there twice", format.name())));
        }
        formats.push(format);
    }
    if formats.is_empty() {
        return Err(node.problem("expected at least one of tracecontext, b3, b3multi"));
    }
    Ok(formats)
}

/// The formats in `OTEL_PROPAGATORS`, each once. `baggage` always passes, so it may be named and changes nothing.
fn propagators(environment: &impl Environment) -> Result<Option<Vec<Format>>, Problem> {
    const NAME: &str = "OTEL_PROPAGATORS";
    let Some(value) = non_empty(environment, NAME) else {
        return Ok(None);
    };
    let mut formats = Vec::new();
    for word in value.split(',').map(str::trim) {
        if word == "baggage" {
            continue;
        }
        let format = choose(word, &FORMATS).map_err(|message| Problem::new(NAME, message))?;
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    if formats.is_empty() {
        return Err(Problem::new(
            NAME,
            "expected at least one of tracecontext, b3, b3multi beside baggage",
        ));
    }
    Ok(Some(formats))
}
