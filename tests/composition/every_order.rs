//! Every order of `extract`, every set of `inject`, every combination of what comes in: by rule, not by row.

use crate::strict::Leaves;
use crate::table::{Header, Report, config, counted, request, run, same, settled, show};

/// Each format on a trace of its own, so that the trace id tells who won.
const W3C: (&str, u128) = ("tracecontext", 0x1111_1111_1111_1111_1111_1111_1111_1111);
const MULTI: (&str, u128) = ("b3multi", 0x2222_2222_2222_2222_2222_2222_2222_2222);
const SINGLE: (&str, u128) = ("b3", 0x3333_3333_3333_3333_3333_3333_3333_3333);
const FORMATS: [(&str, u128); 3] = [W3C, MULTI, SINGLE];

fn headers(format: &str) -> &'static [Header] {
    match format {
        "tracecontext" => &[
            ("traceparent", "00-{1*32}-{1*16}-00"),
            ("tracestate", "foo=1"),
        ],
        "b3multi" => &[
            ("x-b3-traceid", "{2*32}"),
            ("x-b3-spanid", "{2*16}"),
            ("x-b3-sampled", "1"),
        ],
        _ => &[("b3", "{3*32}-{3*16}-0")],
    }
}

fn coming_in(set: &[&str]) -> Vec<(String, Vec<u8>)> {
    request(
        &set.iter()
            .flat_map(|format| headers(format).to_vec())
            .collect::<Vec<_>>(),
    )
}

/// All sets, in the order of [`FORMATS`].
fn sets() -> Vec<Vec<&'static str>> {
    let chosen = |bits: usize| {
        let members = FORMATS
            .iter()
            .enumerate()
            .filter(move |(place, _)| bits >> place & 1 == 1);
        members.map(|(_, (format, _))| *format).collect()
    };
    (0..8).map(chosen).collect()
}

/// All orders of all sets but the empty one.
fn orders() -> Vec<Vec<&'static str>> {
    let mut orders: Vec<Vec<&str>> = FORMATS.iter().map(|(format, _)| vec![*format]).collect();
    let mut from = 0;
    while from < orders.len() {
        for (format, _) in FORMATS {
            if !orders[from].contains(&format) {
                orders.push([orders[from].clone(), vec![format]].concat());
            }
        }
        from += 1;
    }
    orders
}

/// What the order reads: `b3` stands for the single header, then the several ones.
fn read(order: &[&'static str]) -> Vec<&'static str> {
    let mut read: Vec<&str> = Vec::new();
    for format in order {
        let both: &[&'static str] = if *format == "b3" {
            &["b3", "b3multi"]
        } else {
            &[format]
        };
        read.extend(
            both.iter()
                .filter(|f| !read.contains(f))
                .copied()
                .collect::<Vec<_>>(),
        );
    }
    read
}

#[test]
fn the_first_format_in_the_order_wins() {
    let mut report = Report::default();
    assert_eq!(orders().len(), 15, "3 orders of one, 6 of two, 6 of three");
    for order in orders() {
        for set in sets() {
            let words = format!(
                "extract {}; inject tracecontext b3 b3multi",
                order.join(" ")
            );
            let name =
                format!("extract {order:?}, {set:?} came in: the first that yields ids wins");
            report.row(&name, order_decides(&config(&words), &read(&order), &set));
        }
    }
    report.finish(120);
}

fn order_decides(config: &str, read: &[&'static str], set: &[&str]) -> Result<(), String> {
    let outcome = run(config, &coming_in(set))?;
    let agreed = Leaves::read(&outcome)?.agreed()?;
    let mut candidates = read.iter().filter(|format| set.contains(format));
    let winner = candidates.next().copied();
    let trace = FORMATS.iter().find(|(format, _)| Some(*format) == winner);
    let result = match trace {
        Some((format, trace)) => same("trace id", agreed.ids.trace, *trace)
            .and_then(|()| same("span id", u128::from(agreed.ids.span), trace >> 64))
            .and_then(|()| same("sampled", agreed.sampled, *format == MULTI.0)),
        None if FORMATS.iter().any(|(_, trace)| *trace == agreed.ids.trace) => {
            Err("a trace goes on that was not to be read".into())
        }
        None => Ok(()),
    };
    let origin = format!(
        "throughline.requests{{origin={}}}",
        winner.unwrap_or("started")
    );
    let conflicts = u64::from(candidates.next().is_some());
    result
        .and_then(|()| same(&origin, outcome.counters.get(&origin), Some(&1)))
        .and_then(|()| {
            same(
                "conflicts",
                counted(&outcome, "throughline.conflicts"),
                conflicts,
            )
        })
        .and_then(|()| settled(config, &outcome))
        .map_err(|e| format!("{e}\n      {}", show(&outcome.headers)))
}

#[test]
fn every_format_leaves_that_is_injected_or_stale() {
    let mut report = Report::default();
    for inject in sets().into_iter().filter(|set| !set.is_empty()) {
        for stale in ["rewrite", "remove"] {
            for set in sets() {
                let words = format!("inject {}; stale {stale}", inject.join(" "));
                let name = format!("{words}, {set:?} came in: no stale header is left as it was");
                report.row(&name, formats_leave(&config(&words), &inject, stale, &set));
            }
        }
    }
    report.finish(112);
}

fn formats_leave(config: &str, inject: &[&str], stale: &str, set: &[&str]) -> Result<(), String> {
    let outcome = run(config, &coming_in(set))?;
    let leaves = Leaves::read(&outcome)?;
    leaves.agreed()?;
    let leaving = [
        (W3C.0, leaves.traceparent.is_some()),
        (MULTI.0, leaves.multi.is_some()),
        (SINGLE.0, leaves.single.is_some()),
    ];
    for (format, is_there) in leaving {
        let want = inject.contains(&format) || set.contains(&format) && stale == "rewrite";
        same(format, is_there, want)?;
    }
    // The default order reads W3C first, so its list stays exactly where the traceparent that came in leaves.
    let list = set.contains(&W3C.0) && leaves.traceparent.is_some();
    same("tracestate", !leaves.tracestate.is_empty(), list)?;
    settled(config, &outcome).map_err(|e| format!("{e}\n      {}", show(&outcome.headers)))
}
