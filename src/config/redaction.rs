//! `redaction`, in the words of the OpenTelemetry Collector's redaction processor.

use super::{Problem, reader::Object, requests};
use crate::policy::redaction::Redaction;

pub const FIELDS: [&str; 2] = ["blockedKeyPatterns", "blockedValues"];

pub fn load(section: Option<&Object<'_>>) -> Result<Redaction, Problem> {
    let patterns = |name: &str| {
        let node = section.and_then(|section| section.get(name));
        node.map(|node| requests::list(&node)).transpose()
    };
    Ok(Redaction {
        keys: patterns("blockedKeyPatterns")?.unwrap_or_default(),
        values: patterns("blockedValues")?.unwrap_or_default(),
    })
}
