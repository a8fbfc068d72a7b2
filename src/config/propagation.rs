//! `propagation`, and `OTEL_PROPAGATORS`.

use super::{
    Environment, Problem,
    environment::non_empty,
    reader::{Node, Object, choose},
};
use crate::propagation::{Format, Propagation, RandomFlag, StaleHeaders};

const FORMATS: [(&str, Format); 7] = [
    ("tracecontext", Format::TraceContext),
    ("b3", Format::B3),
    ("b3multi", Format::B3Multi),
    ("jaeger", Format::Jaeger),
    ("xray", Format::XRay),
    ("datadog", Format::Datadog),
    ("gcp", Format::Gcp),
];

const STALE_HEADERS: [(&str, StaleHeaders); 2] = [
    ("rewrite", StaleHeaders::Rewrite),
    ("remove", StaleHeaders::Remove),
];

const RANDOM_FLAGS: [(&str, RandomFlag); 3] = [
    ("preserve", RandomFlag::Preserve),
    ("set", RandomFlag::Set),
    ("drop", RandomFlag::Drop),
];

/// Whether baggage stays.
const BAGGAGE: [(&str, bool); 2] = [("preserve", true), ("drop", false)];

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
    let field = |name: &str| section.and_then(|section| section.get(name));
    let stale_headers = field("staleHeaders").map(|node| node.choice(&STALE_HEADERS));
    let random_flag = field("randomFlag").map(|node| node.choice(&RANDOM_FLAGS));
    let keeps_baggage = field("baggage").map(|node| node.choice(&BAGGAGE));
    Ok(Propagation {
        readers: Propagation::readers(&extract),
        inject,
        stale_headers: stale_headers.transpose()?.unwrap_or(StaleHeaders::Rewrite),
        random_flag: random_flag.transpose()?.unwrap_or(RandomFlag::Preserve),
        keeps_baggage: keeps_baggage.transpose()?.unwrap_or(true),
    })
}

pub const FIELDS: [&str; 5] = ["extract", "inject", "staleHeaders", "randomFlag", "baggage"];

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
        return Err(node.problem(format!("expected at least one of {}", names())));
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
            format!("expected at least one of {} beside baggage", names()),
        ));
    }
    Ok(Some(formats))
}

fn names() -> String {
    FORMATS.map(|(name, _)| name).join(", ")
}
