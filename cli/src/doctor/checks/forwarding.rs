//! Whether the application behind a sidecar forwards what it got, which no proxy can do for it.

use super::count;
use crate::doctor::case::Case;
use crate::doctor::finding::{Code, Finding};

/// Of so many calls one: background work that falls into a request counts, too.
const SELDOM: u64 = 10;

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    let Some(stats) = &case.stats else { return };
    let gap = stats.sum("propagation_gap", &[]);
    let requests = stats.sum("requests", &[]);
    if gap == 0 || gap < requests / SELDOM {
        return;
    }
    let settings = case.settings().next();
    let service = settings.map(|settings| case.service(settings));
    let application = match service {
        Some(service) => format!("The application of {service}"),
        None => "The application".to_owned(),
    };
    found.push(Finding::new(
        Code::NotForwarding,
        format!(
            "{application} does not forward: {} of its own carried no trace header {}",
            count(gap, "call"),
            case.since
        ),
        "It made them while it served a request (throughline_propagation_gap): each begins a trace of its own, and the trace of the \
         request ends here.",
        "Let it copy the headers of the request that it serves onto its calls, or give it an SDK that does; docs/interop.md says \
         which need a setting. (Work of its own that falls into a request counts, too: a gap while it is busy, none while it is idle.)",
    ));
}
