//! `redaction`, in the words of the OpenTelemetry Collector's redaction processor.

use super::{
    Problem,
    reader::{Object, quoted},
    requests,
};
use crate::policy::{
    pattern::{MAX_PATTERN, Pattern},
    redaction::Redaction,
};

pub const FIELDS: [&str; 2] = ["blockedKeyPatterns", "blockedValues"];

pub fn load(section: Option<&Object<'_>>) -> Result<Redaction, Problem> {
    let patterns = |name: &str| {
        let node = section.and_then(|section| section.get(name));
        requests::list(node, &|item| {
            let text = item.text(MAX_PATTERN)?;
            // The Collector's are; taken for a glob, such a one would hide nothing.
            if is_regex(&text) {
                return Err(item.problem(format!(
                    "{} is a regular expression; patterns here are text in which * stands for anything, such as *token*",
                    quoted(&text)
                )));
            }
            Ok(Pattern::new(&text))
        })
    };
    Ok(Redaction {
        keys: patterns("blockedKeyPatterns")?,
        values: patterns("blockedValues")?,
    })
}

fn is_regex(text: &str) -> bool {
    const PARTS: [&str; 6] = ["[0-9", "[a-z", "[A-Z", "[^", "(?", "\\"];
    text.starts_with('^')
        || text.starts_with(".*")
        || text.ends_with('$')
        || PARTS.iter().any(|part| text.contains(part))
}
