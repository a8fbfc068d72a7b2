//! The results, for people and for machines.

use crate::cpu::{Results, Row, Spans};
use crate::statistics::Rounds;
use serde_json::{Value, json};
use std::fmt::Write;

/// The tables as Markdown.
pub fn markdown(results: &Results) -> String {
    let mut text = String::new();
    for (traffic, rows) in &results.tables {
        let _ = writeln!(
            text,
            "Requests with {traffic}:\n\n\
             | in Envoy | µs CPU per request | added | of the OpenTelemetry tracer's | requests/s |\n\
             |---|---|---|---|---|"
        );
        for row in rows {
            let _ = writeln!(
                text,
                "| {} | {} | {} | **{:.2}** | {:.0} |",
                row.name,
                range(row.cpu),
                range(row.added),
                row.of_native,
                row.rate.median
            );
        }
        text.push('\n');
    }
    text.push_str(
        "| spans of the whole run | finished | received | missing | Envoy's memory, MB |\n|---|---|---|---|---|\n",
    );
    for spans in &results.spans {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.0} |",
            spans.name,
            spans.finished,
            spans.received,
            spans.finished.saturating_sub(spans.received),
            spans.memory as f64 / 1e6
        );
    }
    text
}

/// The median, and the quartiles.
fn range(rounds: Rounds) -> String {
    let Rounds {
        median,
        lower,
        upper,
    } = rounds;
    format!("**{median:.1}** ({lower:.1} to {upper:.1})")
}

/// The same with every single measurement.
pub fn json(results: &Results) -> Value {
    let rounds = |rounds: Rounds| json!({"median": rounds.median, "lower": rounds.lower, "upper": rounds.upper});
    let row = |row: &Row| {
        json!({
            "name": row.name,
            "cpu_us": rounds(row.cpu),
            "added_us": rounds(row.added),
            "of_native": row.of_native,
            "requests_per_second": rounds(row.rate),
            "rounds": row.cells.iter().map(|cell| json!({"cpu_us": cell.cpu, "requests_per_second": cell.rate}))
                .collect::<Vec<_>>(),
        })
    };
    let spans = |spans: &Spans| {
        json!({
            "name": spans.name,
            "finished": spans.finished,
            "received": spans.received,
            "envoy_memory_bytes": spans.memory,
        })
    };
    let table = |(traffic, rows): &(&str, Vec<Row>)| json!({"traffic": traffic, "rows": rows.iter().map(row).collect::<Vec<_>>()});
    json!({
        "tables": results.tables.iter().map(table).collect::<Vec<_>>(),
        "spans": results.spans.iter().map(spans).collect::<Vec<_>>(),
    })
}
