//! Both families at once: who wins, what is decided, and which headers are written for it ("Deciding" and "Writing" in
//! docs/propagation.md).
//!
//! A row gives every known header that leaves, value by value, the exact number of writes, and whether a conflict is
//! counted.

mod strict;
mod support;
mod table;

#[path = "composition/decisions.rs"]
mod decisions;
#[path = "composition/every_order.rs"]
mod every_order;
#[path = "composition/exporters.rs"]
mod exporters;
#[path = "composition/hosts.rs"]
mod hosts;
#[path = "composition/precedence.rs"]
mod precedence;
#[path = "composition/samplers.rs"]
mod samplers;
#[path = "composition/writing.rs"]
mod writing;

use strict::Leaves;
use support::Outcome;
use table::{Header, Report, config, expand, request, run, same, settled, show, untouched};

struct Row {
    why: &'static str,
    /// In the words of [`table::config`]; empty is the default.
    config: &'static str,
    request: &'static [Header],
    /// Every known header that leaves. `{N}` is a new trace id, `{n}` a new span id.
    leaves: &'static [Header],
    writes: usize,
    conflicts: u64,
}

const fn row(
    why: &'static str,
    config: &'static str,
    request: &'static [Header],
    leaves: &'static [Header],
    writes: usize,
    conflicts: u64,
) -> Row {
    Row {
        why,
        config,
        request,
        leaves,
        writes,
        conflicts,
    }
}

fn check(rows: &[Row], at_least: usize) {
    let mut report = Report::default();
    for row in rows {
        let name = format!("{} [{}] {:?}", row.why, row.config, row.request);
        report.row(&name, check_row(row));
    }
    report.finish(at_least);
}

fn check_row(row: &Row) -> Result<(), String> {
    let (config, request) = (config(row.config), request(row.request));
    let outcome = run(&config, &request)?;
    check_outcome(row, &request, &outcome)
        .and_then(|()| untouched(&request, &outcome))
        .and_then(|()| settled(&config, &outcome))
        .map_err(|e| format!("{e}\n      {}", show(&outcome.headers)))
}

fn check_outcome(
    row: &Row,
    request: &[(String, Vec<u8>)],
    outcome: &Outcome,
) -> Result<(), String> {
    let agreed = Leaves::read(outcome)?.agreed()?;
    let (trace, span) = (
        format!("{:032x}", agreed.ids.trace),
        format!("{:016x}", agreed.ids.span),
    );
    let came_in: String = request
        .iter()
        .map(|(_, v)| String::from_utf8_lossy(v) + "\n")
        .collect();
    let mut wanted: Vec<(String, String)> = Vec::new();
    for (name, value) in row.leaves {
        for (placeholder, id) in [("{N}", &trace), ("{n}", &span)] {
            if value.contains(placeholder) && came_in.contains(id.as_str()) {
                return Err(format!("{placeholder} is {id}, which came in"));
            }
        }
        let value = value.replace("{N}", &trace).replace("{n}", &span);
        wanted.push((name.to_string(), expand(&value)));
    }
    wanted.sort();
    let known = outcome
        .headers
        .iter()
        .filter(|(name, _)| strict::known(name));
    let mut leaving: Vec<(String, String)> = known
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    leaving.sort();
    same("leaves", leaving, wanted)?;
    same("writes", outcome.writes, row.writes)?;
    same(
        "conflicts",
        table::counted(outcome, "throughline.conflicts"),
        row.conflicts,
    )?;
    same(
        "requests",
        table::counted(outcome, "throughline.requests{"),
        1,
    )?;
    same(
        "abstained",
        table::counted(outcome, "throughline.abstained"),
        0,
    )?;
    for (name, value) in [
        ("throughline.trace_id", trace),
        ("throughline.span_id", span),
        ("throughline.sampled", agreed.sampled.to_string()),
    ] {
        let state = outcome
            .filter_state
            .get(name)
            .map(|v| String::from_utf8_lossy(v));
        same(name, state.as_deref(), Some(value.as_str()))?;
    }
    Ok(())
}
