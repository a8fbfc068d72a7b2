//! What the host has to give: without randomness nothing is written where an id would have to be made up.

use crate::support::{FakeHost, Outcome, configure, run};
use crate::table::{config, request};

fn without_randomness(words: &str, headers: &[crate::Header]) -> (Outcome, Vec<(String, Vec<u8>)>) {
    let request = request(headers);
    let mut host = FakeHost::default();
    host.without_randomness = true;
    let filter = configure(&mut host, &config(words)).expect("a good configuration");
    host.headers.clone_from(&request);
    (run(&filter, &mut host), request)
}

#[test]
fn unsure_means_abstain() {
    for (why, words, headers) in [
        ("a new trace", "", &[][..]),
        (
            "a state without ids",
            "extract b3; inject b3",
            &[("b3", "1")][..],
        ),
        (
            "a rejected context",
            "",
            &[("traceparent", "00-{T}-{S}"), ("tracestate", "foo=1")],
        ),
        (
            "a turned decision",
            "always_off",
            &[("traceparent", "00-{T}-{S}-01")],
        ),
        (
            "a stale header too",
            "inject tracecontext; stale remove",
            &[("b3", "nonsense")],
        ),
    ] {
        let (outcome, request) = without_randomness(words, headers);
        assert_eq!(outcome.writes, 0, "{why}: nothing is written");
        assert_eq!(outcome.headers, request, "{why}: everything passes");
        assert_eq!(
            outcome.counters.get("throughline.abstained"),
            Some(&1),
            "{why}: counted"
        );
        let continued = outcome
            .counters
            .keys()
            .any(|name| name.starts_with("throughline.requests"));
        assert!(
            !continued,
            "{why}: not counted as decided: {:?}",
            outcome.counters
        );
    }
}

#[test]
fn a_context_that_came_in_needs_no_randomness() {
    for (why, words, headers) in [
        ("W3C", "", &[("traceparent", "00-{T}-{S}-01")][..]),
        ("B3 that defers", "", &[("b3", "{T}-{S}")]),
        (
            "a decision that the sampler shares",
            "always_on",
            &[("b3", "{T}-{S}-1")],
        ),
    ] {
        let (outcome, _) = without_randomness(words, headers);
        assert_eq!(outcome.counters.get("throughline.abstained"), None, "{why}");
        let traceparent = outcome.one("traceparent").unwrap_or_default();
        assert!(
            traceparent.contains(crate::table::T),
            "{why}: {:?}",
            outcome.headers
        );
    }
}
