//! `spans`, and OTEL_SEMCONV_STABILITY_OPT_IN.

use super::{Environment, Problem, environment::non_empty, reader::Object};
use crate::span::{Semconv, SpanSettings, WhenMirroring};

pub const FIELDS: [&str; 4] = [
    "semconv",
    "maxPathTagLength",
    "redactQuery",
    "whenMirroring",
];

const STABLE: Semconv = Semconv {
    stable: true,
    legacy: false,
};
const SEMCONVS: [(&str, Semconv); 3] = [
    (
        "both",
        Semconv {
            stable: true,
            legacy: true,
        },
    ),
    ("stable", STABLE),
    (
        "legacy",
        Semconv {
            stable: false,
            legacy: true,
        },
    ),
];

const WHEN_MIRRORING: [(&str, WhenMirroring); 2] = [
    ("drop", WhenMirroring::Drop),
    ("export", WhenMirroring::Export),
];

pub fn load(
    section: Option<&Object<'_>>,
    environment: &impl Environment,
) -> Result<SpanSettings, Problem> {
    let mut settings = SpanSettings::default();
    let get = |name| section.and_then(|section: &Object<'_>| section.get(name));
    match get("semconv") {
        Some(node) => settings.semconv = node.choice(&SEMCONVS)?,
        None => {
            if let Some(semconv) = opted_in(environment) {
                settings.semconv = semconv;
            }
        }
    }
    if let Some(node) = get("maxPathTagLength") {
        settings.max_path = node.integer(1, 4096)?;
    }
    if let Some(node) = get("redactQuery") {
        settings.redact_query = node.bool()?;
    }
    if let Some(node) = get("whenMirroring") {
        settings.when_mirroring = node.choice(&WHEN_MIRRORING)?;
    }
    Ok(settings)
}

/// A list whose other words are for other instrumentations; `http/dup` counts before `http` (semantic conventions,
/// http/README.md).
fn opted_in(environment: &impl Environment) -> Option<Semconv> {
    let list = non_empty(environment, "OTEL_SEMCONV_STABILITY_OPT_IN")?;
    let has = |word| list.split(',').any(|item| item.trim() == word);
    if has("http/dup") {
        Some(Semconv::default())
    } else {
        has("http").then_some(STABLE)
    }
}
