//! B3, single and multi, read by the rules of docs/propagation.md.
//!
//! The inputs are facts gathered from the published tests of the implementations that B3 meets in a mesh; each group
//! names its source. Where implementations differ, the contract decides, and the row says so.

mod strict;
mod support;
mod table;

#[path = "b3/both.rs"]
mod both;
#[path = "b3/multi.rs"]
mod multi;
#[path = "b3/multi_rejected.rs"]
mod multi_rejected;
#[path = "b3/single.rs"]
mod single;
#[path = "b3/single_rejected.rs"]
mod single_rejected;

use strict::Leaves;
use support::Outcome;
use table::{Header, Report, expand, rejected, request, run, same, settled, show, untouched};

/// The sampling state that the input says. `Defer` leaves as the sampler decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Defer,
    Deny,
    Accept,
    Debug,
}
use State::{Accept, Debug, Defer, Deny};

enum Want {
    /// The trace id and the span id go on, in this state.
    Kept(&'static str, &'static str, State),
    /// As `Kept`, and the header that holds the parent keeps it.
    Child(&'static str, &'static str, State, &'static str),
    /// A new trace in this state: no ids could be read.
    Started(State),
}
use Want::{Child, Kept, Started};

/// What the row shows, the request, what becomes of it.
struct Row(&'static str, &'static [Header], Want);

struct Group {
    source: &'static str,
    /// The formats that are counted as rejected, in every row.
    rejects: &'static [&'static str],
    rows: &'static [Row],
}

/// Every format is written; the default; only the single header leaves.
const CONFIGS: [&str; 3] = [
    r#"{"propagation": {"extract": ["b3"], "inject": ["tracecontext", "b3multi", "b3"]}, "sampling": {"sampler": "SAMPLER"}}"#,
    r#"{"sampling": {"sampler": "SAMPLER"}}"#,
    r#"{"propagation": {"extract": ["b3"], "inject": ["b3"], "staleHeaders": "remove"}, "sampling": {"sampler": "SAMPLER"}}"#,
];

fn check(groups: &[Group], at_least: usize) {
    let mut report = Report::default();
    for group in groups {
        for row in group.rows {
            let name = format!("{} {:?} ({})", row.0, row.1, group.source);
            report.row(&name, check_row(group, row));
        }
    }
    report.finish(at_least);
}

/// Under both samplers: what defers follows them, what is decided does not.
fn check_row(group: &Group, Row(_, headers, want): &Row) -> Result<(), String> {
    let request = request(headers);
    for config in CONFIGS {
        for (sampler, deferred) in [
            ("parentbased_always_on", Accept),
            ("parentbased_always_off", Deny),
        ] {
            let config = config.replace("SAMPLER", sampler);
            let outcome = run(&config, &request)?;
            let resolve = |state| if state == Defer { deferred } else { state };
            check_outcome(group, &request, want, &outcome, resolve)
                .and_then(|()| untouched(&request, &outcome))
                .and_then(|()| settled(&config, &outcome))
                .map_err(|e| format!("{e}\n      {config}\n      {}", show(&outcome.headers)))?;
        }
    }
    Ok(())
}

fn check_outcome(
    group: &Group,
    request: &[(String, Vec<u8>)],
    want: &Want,
    outcome: &Outcome,
    resolve: impl Fn(State) -> State,
) -> Result<(), String> {
    let leaves = Leaves::read(outcome)?;
    let agreed = leaves.agreed()?;
    let (state, parent) = match want {
        Kept(trace, span, state) | Child(trace, span, state, _) => {
            let id = |text| u128::from_str_radix(&expand(text), 16).ok();
            same("trace id", Some(agreed.ids.trace), id(trace))?;
            same("span id", Some(u128::from(agreed.ids.span)), id(span))?;
            let parent = if let Child(.., parent) = want {
                Some(expand(parent))
            } else {
                None
            };
            (*state, parent)
        }
        Started(state) => {
            for (name, value) in request {
                let trace = format!("{:032x}", agreed.ids.trace);
                let value = String::from_utf8_lossy(value).to_lowercase();
                if [&trace[..16], &trace[16..]]
                    .iter()
                    .any(|half| value.contains(half))
                {
                    return Err(format!("the trace id of {name}: {value} lives on"));
                }
            }
            (*state, None)
        }
    };
    let resolved = resolve(state);
    same("sampled", agreed.sampled, resolved != Deny)?;
    same("debug", agreed.debug, Some(resolved == Debug))?;
    check_parent(request, &leaves, parent)?;
    for format in ["tracecontext", "b3", "b3multi"] {
        let want = u64::from(group.rejects.contains(&format));
        same(
            &format!("rejected {format}"),
            rejected(outcome, format),
            want,
        )?;
    }
    let started = matches!(want, Started(_));
    let count = outcome
        .counters
        .get("throughline.requests{origin=started}")
        .copied()
        .unwrap_or(0);
    same("counted as started", count, u64::from(started))
}

/// The parent stays in the header that brought it; none is invented in the other.
fn check_parent(
    request: &[(String, Vec<u8>)],
    leaves: &Leaves,
    parent: Option<String>,
) -> Result<(), String> {
    let brought = |header: &str, parent: &str| {
        let value = |(name, value): &(String, Vec<u8>)| {
            name == header && String::from_utf8_lossy(value).contains(parent)
        };
        request.iter().any(value)
    };
    for (header, format) in [
        (strict::PARENT, &leaves.multi),
        (strict::B3, &leaves.single),
    ] {
        if let Some(b3) = format {
            let kept = parent.as_deref().filter(|parent| brought(header, parent));
            let want = kept.and_then(|text| strict::span(text.as_bytes()));
            same(&format!("parent in {header}"), b3.parent, want)?;
        }
    }
    Ok(())
}

#[test]
fn single_headers_that_say_something() {
    check(single::GROUPS, 70);
}

#[test]
fn single_headers_that_are_rejected() {
    check(single_rejected::GROUPS, 100);
}

#[test]
fn several_headers_that_say_something() {
    check(multi::GROUPS, 80);
}

#[test]
fn several_headers_that_are_rejected() {
    check(multi_rejected::GROUPS, 70);
}

#[test]
fn single_and_several_headers_together() {
    check(both::GROUPS, 30);
}
