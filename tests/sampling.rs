//! Whose decision it is: rules by request, the limit for each second, and the header of peers that are trusted.

#[path = "sampling/consistent.rs"]
mod consistent;
#[path = "sampling/limit.rs"]
mod limit;
#[path = "sampling/ratios.rs"]
mod ratios;
#[path = "sampling/rules.rs"]
mod rules;
mod support;
#[path = "sampling/tags.rs"]
mod tags;
#[path = "sampling/trusted.rs"]
mod trusted;

use support::{FakeHost, configure, run};
use throughline::filter::Filter;

const SAMPLED: &[u8] = b"true";

fn filter(host: &mut FakeHost, config: &str) -> Filter {
    configure(host, config).expect("a good configuration")
}

/// Whether a request with these headers is sampled.
fn is_sampled(filter: &Filter, host: &mut FakeHost, headers: &[(&str, &str)]) -> bool {
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    host.set_request(&headers);
    let outcome = run(filter, host);
    outcome.filter_state["throughline.sampled"] == SAMPLED
}
