//! What may be wrong, a file for each matter. A check looks at the case and says what it finds.

mod configuration;
mod delivery;
mod destination;
mod forwarding;
mod placement;
mod running;
mod tracer;
mod visibility;

pub use self::running::{NOT_GIVEN, Seen};
use super::case::Case;

use super::finding::Finding;
use std::collections::BTreeSet;

/// Every finding once, the worst first.
pub fn all(case: &Case) -> Vec<Finding> {
    let checks = [
        placement::check,
        configuration::check,
        running::check,
        tracer::check,
        forwarding::check,
        destination::check,
        delivery::check,
        visibility::check,
    ];
    let mut findings = Vec::new();
    for check in checks {
        check(case, &mut findings);
    }
    findings.sort_by_key(|finding| finding.code);
    let mut each: Vec<Finding> = Vec::new();
    for finding in findings {
        if !each.contains(&finding) {
            each.push(finding);
        }
    }
    each
}

/// Up to four of them by name, and how many more there are.
pub fn some<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 4;
    let mut all = BTreeSet::new();
    let mut shown = Vec::new();
    for name in names {
        if all.insert(name) && shown.len() < MOST {
            shown.push(name);
        }
    }
    let shown = shown.join(", ");
    match all.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `1 request`, `2 requests`.
fn count(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
