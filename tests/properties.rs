//! What holds for every request and every configuration, whatever bytes come in.
//!
//! A counterexample becomes a row in a table.

mod strict;
mod support;
mod table;

#[path = "properties/configs.rs"]
mod configs;
#[path = "properties/incoming.rs"]
mod incoming;
#[path = "properties/recording.rs"]
mod recording;
#[path = "properties/requests.rs"]
mod requests;
#[path = "properties/untrusted.rs"]
mod untrusted;

use std::collections::BTreeSet;

use proptest::{
    prelude::{ProptestConfig, TestCaseError},
    proptest,
    test_runner::TestCaseResult,
};

use configs::Config;
use incoming::{Incoming, Said, same_trace};
use strict::{Agreed, Decision, Ids, Leaves, TRACEPARENT, TRACESTATE};
use support::Outcome;
use table::{counted, run, same, settled, show, untouched};

/// A request that a failure prints as headers, not as lists of bytes.
#[derive(Clone)]
struct Request(Vec<(String, Vec<u8>)>);

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&show(&self.0))
    }
}

type Headers = [(String, Vec<u8>)];

/// `PROPTEST_CASES` may ask for more.
fn cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(3000),
        failure_persistence: None,
        ..default
    }
}

proptest! {
    #![proptest_config(cases())]

    /// Headers that often agree, often conflict, are repeated, cut and broken.
    #[test]
    fn any_mixture(config in configs::any(), request in requests::mixture()) {
        holds(&config, &request.0)?;
    }

    /// One change to a request on which all formats agree.
    #[test]
    fn a_small_fault(config in configs::any(), request in requests::one_fault()) {
        holds(&config, &request.0)?;
    }

    /// No structure at all.
    #[test]
    fn any_bytes(config in configs::any(), request in requests::noise()) {
        holds(&config, &request.0)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases().cases / 3, ..cases() })]

    /// Where who sends is not trusted.
    #[test]
    fn any_stranger(config in configs::any(), request in requests::mixture(), noise in requests::noise()) {
        untrusted::holds(&config, &request.0)?;
        untrusted::holds(&config, &noise.0)?;
    }

    /// Where spans are exported.
    #[test]
    fn any_span(config in configs::any(), request in requests::mixture(), hop in recording::hop()) {
        recording::holds(&config, &request.0, &hop)?;
    }
}

fn holds(config: &Config, request: &Headers) -> TestCaseResult {
    let json = config.json();
    run(&json, request)
        .and_then(|outcome| {
            let left = show(&outcome.headers);
            check(config, &json, request, &outcome).map_err(|e| format!("{e}\n  left {left}"))
        })
        .map_err(|e| TestCaseError::fail(format!("{e}\n  came {}\n  {json}", show(request))))
}

fn check(config: &Config, json: &str, request: &Headers, outcome: &Outcome) -> Result<(), String> {
    if strict::is_exporters(request) {
        return passes(request, outcome);
    }
    let incoming = Incoming::read(request);
    let leaves = Leaves::read(outcome)?;
    let agreed = leaves.agreed()?;
    untouched(request, outcome)?;
    every_write_changes_something(request, outcome)?;
    formats_leave(config, &incoming, &leaves)?;
    let said = incoming.in_order(&config.readers());
    the_first_goes_on(config, &said, request, &agreed)?;
    conflicts_are_counted(&said, outcome)?;
    the_parent_belongs_to_the_span(&incoming, &leaves)?;
    the_list_belongs_to_the_traceparent(&incoming, &leaves, request)?;
    the_random_flag_stays(config, &incoming, &leaves)?;
    let is_debug = said
        .iter()
        .any(|said| said.decision == Some(Decision::Debug))
        && agreed.debug != Some(false);
    // B3 cannot tell of OpenTelemetry's explicit randomness: without the list, the trace id decides next.
    let is_other_randomness =
        !config.is_parent_based() && leaves.tracestate.is_empty() && show(request).contains("ot=");
    if config.reads_back(&leaves, is_debug) && !is_other_randomness {
        settled(json, outcome)?;
    }
    Ok(())
}

/// As it came, seen by nobody but one counter.
fn passes(request: &Headers, outcome: &Outcome) -> Result<(), String> {
    same("headers", show(&outcome.headers), show(request))?;
    same("writes", outcome.writes, 0)?;
    same("filter state", outcome.filter_state.len(), 0)?;
    let counter = "throughline.requests{origin=exporter}";
    let counted: Vec<_> = outcome.counters.clone().into_iter().collect();
    same("counters", counted, vec![(counter.to_owned(), 1)])
}

/// As many writes as there are known headers that left otherwise than they came.
fn every_write_changes_something(request: &Headers, outcome: &Outcome) -> Result<(), String> {
    let values = |headers: &Headers, name: &str| -> Vec<Vec<u8>> {
        headers
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| value.clone())
            .collect()
    };
    let names: BTreeSet<&String> = request
        .iter()
        .chain(&outcome.headers)
        .map(|(n, _)| n)
        .collect();
    let changed = names
        .iter()
        .filter(|name| values(request, name) != values(&outcome.headers, name))
        .count();
    same("writes", outcome.writes, changed)
}

fn formats_leave(config: &Config, incoming: &Incoming, leaves: &Leaves) -> Result<(), String> {
    for (format, came_in, is_there) in [
        (
            "tracecontext",
            incoming.has_traceparent,
            leaves.traceparent.is_some(),
        ),
        ("b3multi", incoming.has_multi, leaves.multi.is_some()),
        ("b3", incoming.has_single, leaves.single.is_some()),
    ] {
        let want = config.inject.contains(&format) || came_in && !config.remove;
        same(format, is_there, want)?;
    }
    Ok(())
}

/// The trace id is never lost; the span id and the decision change only as the sampler may change them.
fn the_first_goes_on(
    config: &Config,
    said: &[&Said],
    request: &Headers,
    agreed: &Agreed,
) -> Result<(), String> {
    if agreed.debug == Some(true) && !said.iter().any(|said| said.is_debug()) {
        return Err("debug was invented".into());
    }
    let Some((winner, ids)) = said.iter().find_map(|said| Some((said, said.ids?))) else {
        return is_new(agreed.ids.trace, request);
    };
    let mut traces = said
        .iter()
        .filter_map(|said| said.ids)
        .map(|other| other.trace);
    let wider = traces.find(|other| same_trace(ids.trace, *other) && other >> 64 != 0);
    let wider = wider.unwrap_or(ids.trace);
    // Rule 2 speaks of B3's 64-bit ids. What becomes of W3C's padded ones is open: either id is one that came in.
    if agreed.ids.trace != wider && !(winner.is_w3c && agreed.ids.trace == ids.trace) {
        let (got, want) = (agreed.ids.trace, wider);
        return Err(format!("trace id: got {got:032x}, want {want:032x}"));
    }
    let own = winner.decision.map(|decision| decision != Decision::Deny);
    if has_state_alone(said) {
        return Ok(());
    }
    if config.is_parent_based() || winner.is_debug() {
        same("sampled", own.unwrap_or(agreed.sampled), agreed.sampled)?;
    }
    if winner.is_debug() {
        same("debug", agreed.debug.unwrap_or(true), true)?;
    }
    // One that deferred may have taken the decision of another format, which a sampler may turn too.
    if config.is_parent_based() || own.is_some() {
        let turned = own.is_some_and(|own| own != agreed.sampled);
        let kept = agreed.ids.span == newest(said, ids).0;
        same(
            "the span id stays, but where a decision is turned",
            kept,
            !turned,
        )?;
    }
    Ok(())
}

/// The span id that goes on from `first`, and whether any of what was said disagrees with what came before it.
fn newest(said: &[&Said], first: Ids) -> (u64, bool) {
    let contexts = said.iter().filter_map(|said| {
        Some((
            said.ids?,
            said.decision.map(|said| said != Decision::Deny),
            said.parent,
        ))
    });
    let (
        Ids {
            mut trace,
            mut span,
        },
        mut decided,
        mut differ,
    ) = (first, None, false);
    for (ids, decision, parent) in contexts {
        if !same_trace(trace, ids.trace) {
            differ = true;
            continue;
        }
        if trace >> 64 == 0 {
            trace = ids.trace;
        }
        if parent == Some(span) {
            span = ids.span;
        }
        differ |= span != ids.span
            || decided
                .zip(decision)
                .is_some_and(|(a, b): (bool, bool)| a != b);
        decided = decided.or(decision);
    }
    (span, differ)
}

fn is_new(trace: u128, request: &Headers) -> Result<(), String> {
    let trace = format!("{trace:032x}");
    for (name, value) in request {
        let value = String::from_utf8_lossy(value).to_lowercase();
        if value.contains(&trace[..16]) || value.contains(&trace[16..]) {
            return Err(format!("the rejected trace id of {name} lives on"));
        }
    }
    Ok(())
}

/// A sampling state without ids may complete or overrule the winner's decision: what it does is for the tables.
fn has_state_alone(said: &[&Said]) -> bool {
    said.iter().any(|said| said.ids.is_none())
}

fn conflicts_are_counted(said: &[&Said], outcome: &Outcome) -> Result<(), String> {
    if has_state_alone(said) {
        return Ok(());
    }
    let Some(first) = said.iter().find_map(|said| said.ids) else {
        return same("conflicts", counted(outcome, "throughline.conflicts"), 0);
    };
    let want = u64::from(newest(said, first).1);
    same("conflicts", counted(outcome, "throughline.conflicts"), want)
}

/// In each spelling of B3 by itself.
fn the_parent_belongs_to_the_span(incoming: &Incoming, leaves: &Leaves) -> Result<(), String> {
    for (format, said, leaving) in [
        ("b3multi", &incoming.multi, &leaves.multi),
        ("b3", &incoming.single, &leaves.single),
    ] {
        let Some(leaving) = leaving else { continue };
        let stays = said.as_ref().filter(|said| {
            let is_there =
                |ids: Ids| ids.span == leaving.ids.span && same_trace(ids.trace, leaving.ids.trace);
            said.ids.is_some_and(is_there)
        });
        same(
            &format!("parent in {format}"),
            leaving.parent,
            stays.and_then(|said| said.parent),
        )?;
    }
    Ok(())
}

fn the_list_belongs_to_the_traceparent(
    incoming: &Incoming,
    leaves: &Leaves,
    request: &Headers,
) -> Result<(), String> {
    let list: Vec<Vec<u8>> = request
        .iter()
        .filter(|(name, _)| name == TRACESTATE)
        .map(|(_, value)| value.clone())
        .collect();
    let came = incoming.w3c.as_ref().and_then(|w3c| w3c.ids);
    let Some(leaving) = &leaves.traceparent else {
        return same("tracestate", &leaves.tracestate, &vec![]);
    };
    let is_same = came.is_some_and(|came| same_trace(came.trace, leaving.ids.trace));
    let list = if is_same && strict::tracestate(&list) {
        list
    } else {
        vec![]
    };
    let decided = incoming.w3c.as_ref().and_then(|w3c| w3c.decision);
    let is_decided = decided.is_some_and(|said| (said != Decision::Deny) == leaving.sampled);
    if came == Some(leaving.ids) && is_decided {
        return same("tracestate", &leaves.tracestate, &list);
    }
    // Beside a new parent id or flag OpenTelemetry's threshold may be new, and nothing else.
    let (got, want) = (
        strict::without_threshold(&leaves.tracestate),
        strict::without_threshold(&list),
    );
    same("tracestate but th", got, want)?;
    let is_consistent =
        strict::is_consistent(&leaves.tracestate, leaving.ids.trace, leaving.sampled);
    same("th agrees with the decision", is_consistent, true)
}

fn the_random_flag_stays(
    config: &Config,
    incoming: &Incoming,
    leaves: &Leaves,
) -> Result<(), String> {
    let Some(leaving) = &leaves.traceparent else {
        return Ok(());
    };
    let w3c = incoming
        .w3c
        .as_ref()
        .and_then(|w3c| Some((w3c.ids?.trace, w3c.is_random)));
    match w3c {
        Some((trace, _))
            if trace == leaving.ids.trace && !config.readers().contains(&"tracecontext") =>
        {
            Ok(()) // Not read: the contract leaves it open.
        }
        Some((trace, random)) if trace == leaving.ids.trace => {
            same("random flag", leaving.random, random)
        }
        Some((trace, random)) if same_trace(trace, leaving.ids.trace) && random => Ok(()),
        _ => same("random flag", leaving.random, false),
    }
    .map_err(|e| format!("{TRACEPARENT}: {e}"))
}
