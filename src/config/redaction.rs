//! `redaction`, in the words of the OpenTelemetry Collector's redaction processor.

use super::{Problem, reader::Object, requests};
use crate::policy::{pattern::Pattern, redaction::Redaction};

pub const FIELDS: [&str; 2] = ["blockedKeyPatterns", "blockedValues"];

pub fn load(section: Option<&Object<'_>>) -> Result<Redaction, Problem> {
    let patterns = |name: &str| {
        requests::patterns(section.and_then(|section| section.get(name)), Pattern::new)
    };
    Ok(Redaction {
        keys: patterns("blockedKeyPatterns")?,
        values: patterns("blockedValues")?,
    })
}
