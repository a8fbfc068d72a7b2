//! What one request costs: host calls by kind, and allocations. The table in docs/cost.md holds these numbers, and a
//! row that differs fails here.

mod support;

#[path = "cost/meter.rs"]
mod meter;
#[path = "cost/rows.rs"]
mod rows;

use rows::ROWS;
use support::{FakeHost, ROOT, configure};
use throughline::filter::Stream;

#[test]
fn each_path_costs_what_its_row_says() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let meter = row.measure();
        let (got, expected) = (
            (meter.calls(), meter.allocations),
            (row.calls, row.allocations),
        );
        if got != expected {
            wrong.push(format!("{}: {got:?}, not {expected:?}", row.path));
        }
        assert_eq!(meter.others, 0, "{}: no other host call", row.path);
    }
    assert!(
        wrong.is_empty(),
        "reads, random, writes, filter states, counters, properties, clock, store, and allocations:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_table_in_the_docs_holds_these_numbers() {
    let docs = include_str!("../docs/cost.md");
    let lines = docs.lines().filter(|line| line.contains("| **"));
    let lines: Vec<&str> = lines.collect();
    let expected: Vec<String> = ROWS
        .iter()
        .map(|row| {
            let kinds: Vec<String> = row.calls.iter().map(usize::to_string).collect();
            let all: usize = row.calls.iter().sum();
            format!(
                "| {} | {} | **{all}** | {} |",
                row.path,
                kinds.join(" | "),
                row.allocations
            )
        })
        .collect();
    assert_eq!(
        lines,
        expected,
        "docs/cost.md should hold these lines:\n{}",
        expected.join("\n")
    );
}

/// From the tick that sends it to its answer, and the tick that finds nothing left to do.
#[test]
fn a_batch_costs_what_the_docs_say() {
    let mut host = FakeHost::default();
    let config = r#"{"export": {"cluster": "collector"}}"#;
    let filter = configure(&mut host, config).expect("a good configuration");
    for _ in 0..512 {
        let mut stream = Stream::default();
        filter.on_request(&mut host, &mut stream);
        filter.on_log(&mut host, stream);
    }
    host.calls.clear();
    filter.on_tick(&mut host, ROOT);
    host.answer.headers = vec![(":status".to_owned(), b"200".to_vec())];
    filter.on_answer(&mut host, ROOT, 0, true);
    filter.on_tick(&mut host, ROOT);
    let metrics = host.metrics();
    assert_eq!(
        metrics["throughline.spans{outcome=exported}"], 512,
        "{metrics:?}"
    );
    let calls: usize = host.calls.values().sum();
    let line = format!("A batch of 512 spans costs {calls} host calls");
    assert!(
        include_str!("../docs/cost.md").contains(&line),
        "docs/cost.md lacks: {line}: {:?}",
        host.calls
    );
}
