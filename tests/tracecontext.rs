//! W3C Trace Context Level 2, read by the rules of docs/propagation.md.
//!
//! The inputs are facts gathered from the conformance suite (w3c/trace-context, test/test.py: all 41 tests, as far as
//! they apply to one hop) and from the published tests of other implementations; each group names its source. Where
//! implementations differ, the specification decides, and the row says so.

mod strict;
mod support;
mod table;

#[path = "tracecontext/rejected.rs"]
mod rejected;
#[path = "tracecontext/traceparent.rs"]
mod traceparent;
#[path = "tracecontext/tracestate.rs"]
mod tracestate;

use std::collections::BTreeSet;

use strict::{Leaves, TRACEPARENT, TRACESTATE};
use support::Outcome;
use table::{Header, Report, expand, request, run, same, settled, show, untouched};

enum Want {
    /// The traceparent leaves as it came, no byte changed and no header written.
    Unchanged,
    /// It goes on as this text.
    Becomes(&'static str),
    /// A new trace starts.
    Restarted,
}

/// What the row shows, the section of the specification, the request, what becomes of the traceparent.
struct Row(&'static str, &'static str, &'static [Header], Want);

/// What the row shows, the section of the specification, the fields of the tracestate.
struct List(&'static str, &'static str, &'static [&'static str]);

struct Group<R: 'static> {
    source: &'static str,
    rows: &'static [R],
}

/// The traceparent beside which every tracestate is read.
const BESIDE: &str = "00-12345678901234567890123456789012-1234567890123456-00";

const DEFAULT: &str = "{}";
const W3C_ALONE: &str =
    r#"{"propagation": {"extract": ["tracecontext"], "inject": ["tracecontext"]}}"#;

fn check(groups: &[Group<Row>], at_least: usize) {
    let mut report = Report::default();
    for group in groups {
        for Row(why, section, headers, want) in group.rows {
            let name = format!("{why} {section} {headers:?} ({})", group.source);
            let request = request(headers);
            let result = [DEFAULT, W3C_ALONE]
                .iter()
                .try_for_each(|config| check_row(config, &request, want));
            report.row(&name, result);
        }
    }
    report.finish(at_least);
}

fn check_row(config: &str, request: &[(String, Vec<u8>)], want: &Want) -> Result<(), String> {
    let outcome = run(config, request)?;
    check_outcome(config, request, want, &outcome)
        .and_then(|()| untouched(request, &outcome))
        .and_then(|()| settled(config, &outcome))
        .map_err(|e| format!("{e}\n      {config}\n      {}", show(&outcome.headers)))
}

fn check_outcome(
    config: &str,
    request: &[(String, Vec<u8>)],
    want: &Want,
    outcome: &Outcome,
) -> Result<(), String> {
    let agreed = Leaves::read(outcome)?.agreed()?;
    let leaving = outcome.one(TRACEPARENT).unwrap_or_default().to_owned();
    let came_in = values(request, TRACEPARENT);
    let continued = match want {
        Want::Unchanged => came_in.first().cloned(),
        Want::Becomes(text) => Some(expand(text)),
        Want::Restarted => None,
    };
    let refused = table::rejected(outcome, "tracecontext");
    let states = values(request, TRACESTATE);
    if let Some(text) = continued {
        same("traceparent", leaving, text)?;
        same("rejected", refused, 0)?;
        same("tracestate", values(&outcome.headers, TRACESTATE), states)?;
        if matches!(want, Want::Unchanged) && config == W3C_ALONE {
            same("writes", outcome.writes, 0)?;
        }
    } else {
        let ids = format!("{:032x}{:016x}", agreed.ids.trace, agreed.ids.span);
        for half in [&ids[..16], &ids[16..32], &ids[32..]] {
            let lives_on = |(_, value): &(String, Vec<u8>)| {
                String::from_utf8_lossy(value).to_lowercase().contains(half)
            };
            if request.iter().any(lives_on) {
                return Err(format!("{half} lives on"));
            }
        }
        same("flags of a trace that starts here", &leaving[52..], "-01")?;
        same("tracestate", values(&outcome.headers, TRACESTATE), vec![])?;
        same("rejected", refused, u64::from(!came_in.is_empty()))?;
    }
    let started = matches!(want, Want::Restarted);
    let origin = if started { "started" } else { "tracecontext" };
    let counter = format!("throughline.requests{{origin={origin}}}");
    same(&counter, outcome.counters.get(&counter), Some(&1))
}

fn values(headers: &[(String, Vec<u8>)], wanted: &str) -> Vec<String> {
    let named = headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    named
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}

/// A list that is kept leaves byte for byte, field for field; a bad one leaves altogether, and the traceparent stays.
fn check_lists(groups: &[Group<List>], kept: bool, at_least: usize) {
    let mut report = Report::default();
    for group in groups {
        for List(why, section, fields) in group.rows {
            let name = format!("{why} {section} {fields:?} ({})", group.source);
            let mut request = vec![(TRACEPARENT.to_owned(), BESIDE.into())];
            request.extend(
                fields
                    .iter()
                    .map(|f| (TRACESTATE.to_owned(), expand(f).into_bytes())),
            );
            let result = [DEFAULT, W3C_ALONE]
                .iter()
                .try_for_each(|config| check_list(config, &request, kept));
            report.row(&name, result);
        }
    }
    report.finish(at_least);
}

fn check_list(config: &str, request: &[(String, Vec<u8>)], kept: bool) -> Result<(), String> {
    let outcome = run(config, request)?;
    Leaves::read(&outcome)?.agreed()?;
    same("traceparent", outcome.one(TRACEPARENT), Some(BESIDE))?;
    let want = if kept {
        values(request, TRACESTATE)
    } else {
        vec![]
    };
    same("tracestate", values(&outcome.headers, TRACESTATE), want)?;
    same(
        "rejected",
        table::rejected(&outcome, "tracecontext"),
        u64::from(!kept),
    )?;
    if config == W3C_ALONE {
        same("writes", outcome.writes, usize::from(!kept))?;
    }
    settled(config, &outcome)
}

#[test]
fn contexts_that_go_on() {
    check(traceparent::GROUPS, 50);
}

#[test]
fn contexts_that_are_rejected() {
    check(rejected::GROUPS, 90);
}

#[test]
fn lists_that_pass() {
    check_lists(tracestate::KEPT, true, 40);
}

#[test]
fn lists_that_are_removed() {
    check_lists(tracestate::REMOVED, false, 30);
}

/// Suite: test_multiple_requests_without_traceparent and _with_illegal_traceparent.
#[test]
fn every_new_trace_has_new_ids() {
    for value in [
        None,
        Some("00-00000000000000000000000000000000-1234567890123456-01"),
    ] {
        let request: Vec<_> = value
            .map(|v| (TRACEPARENT.to_owned(), v.into()))
            .into_iter()
            .collect();
        let ids: BTreeSet<String> = (0..100)
            .map(|_| run(W3C_ALONE, &request).expect("no panic"))
            .flat_map(|outcome| {
                let traceparent = outcome.one(TRACEPARENT).expect("a traceparent").to_owned();
                [
                    traceparent[3..35].to_owned(),
                    traceparent[36..52].to_owned(),
                ]
            })
            .collect();
        assert_eq!(
            ids.len(),
            200,
            "100 requests with {value:?}: trace and span ids repeat"
        );
    }
}
