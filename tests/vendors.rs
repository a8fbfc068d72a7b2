//! The formats of vendors: what each header says, and with what it leaves ("Vendors" in docs/propagation.md).
//!
//! A row gives every trace header that leaves, and what is counted as rejected.

mod strict;
mod support;
mod table;

#[path = "vendors/announced.rs"]
mod announced;
#[path = "vendors/datadog.rs"]
mod datadog;
#[path = "vendors/gcp.rs"]
mod gcp;
#[path = "vendors/jaeger.rs"]
mod jaeger;
#[path = "vendors/together.rs"]
mod together;
#[path = "vendors/xray.rs"]
mod xray;

use strict::TRACEPARENT;
use table::{Header, Report, config, expand, run, same, settled, show};

const UBER: &str = "uber-trace-id";
const XRAY: &str = "x-amzn-trace-id";
const DD_TRACE: &str = "x-datadog-trace-id";
const DD_PARENT: &str = "x-datadog-parent-id";
const DD_PRIORITY: &str = "x-datadog-sampling-priority";
const DD_TAGS: &str = "x-datadog-tags";
const CLOUD: &str = "x-cloud-trace-context";
const GRPC: &str = "grpc-trace-bin";

/// The ids of the tables in decimal, and in parts: `{t#}`, `{S#}` and so on.
const SPELLED: [(&str, &str); 6] = [
    ("{t#}", "7277407061855694839"),
    ("{S#}", "16453819474850114513"),
    ("{V#}", "13235353014750950193"),
    ("{high}", "80f198ee56343ba8"),
    ("{T8}", "80f198ee"),
    ("{T24}", "56343ba864fe8b2a57d3eff7"),
];

struct Row {
    why: &'static str,
    /// In the words of [`table::config`].
    config: &'static str,
    request: &'static [Header],
    /// Every trace header that leaves. `{N}` is a new trace id, `{n}` a new span id, as `traceparent` has them.
    leaves: &'static [Header],
    /// `format/reason`, or nothing.
    rejected: &'static str,
}

const fn row(
    why: &'static str,
    config: &'static str,
    request: &'static [Header],
    leaves: &'static [Header],
    rejected: &'static str,
) -> Row {
    Row {
        why,
        config,
        request,
        leaves,
        rejected,
    }
}

fn check(rows: &[Row]) {
    let mut report = Report::default();
    for row in rows {
        let name = format!("{} [{}] {:?}", row.why, row.config, row.request);
        report.row(&name, check_row(row));
    }
    report.finish(rows.len());
}

fn spelled(text: &str) -> String {
    let known = SPELLED.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    });
    expand(&known)
}

fn check_row(row: &Row) -> Result<(), String> {
    let config = config(row.config);
    let request: Vec<_> = row
        .request
        .iter()
        .map(|(name, value)| ((*name).to_owned(), spelled(value).into_bytes()))
        .collect();
    let outcome = run(&config, &request)?;
    let ids = outcome.all(TRACEPARENT);
    let ids = ids
        .first()
        .map(|value| String::from_utf8_lossy(value).into_owned());
    let ids = ids.unwrap_or_default();
    let mut ids = ids.split('-').skip(1);
    let (trace, span) = (ids.next().unwrap_or("none"), ids.next().unwrap_or("none"));
    let mut wanted: Vec<(String, String)> = row
        .leaves
        .iter()
        .map(|(name, value)| {
            let decimal =
                |hex: &str| u64::from_str_radix(hex, 16).map_or("none".into(), |id| id.to_string());
            let part = |range| trace.get(range).unwrap_or_default();
            let value = value
                .replace("{N}", trace)
                .replace("{n}", span)
                .replace("{n#}", &decimal(span))
                .replace("{N#}", &decimal(part(16..32)))
                .replace("{Nhigh}", part(0..16))
                .replace("{N8}", part(0..8))
                .replace("{N24}", part(8..32));
            ((*name).to_owned(), spelled(&value))
        })
        .collect();
    wanted.sort();
    let mut leaving: Vec<(String, String)> = outcome
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
        .collect();
    leaving.sort();
    same("leaves", leaving, wanted)?;
    let rejected: Vec<String> = outcome
        .counters
        .keys()
        .filter(|name| name.starts_with("throughline.rejected_headers"))
        .cloned()
        .collect();
    let expected: Vec<String> = row
        .rejected
        .split_once('/')
        .map(|(format, reason)| {
            format!("throughline.rejected_headers{{format={format},reason={reason}}}")
        })
        .into_iter()
        .collect();
    same("rejected", rejected, expected)?;
    settled(&config, &outcome).map_err(|error| format!("{error}\n      {}", show(&outcome.headers)))
}
