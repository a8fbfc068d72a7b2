//! What announces a trace without a span in it, or says a decision alone, beside another format, in either order: whose decision
//! counts ("Deciding" 3 and 6 in docs/propagation.md).

use crate::strict::{B3, FLAGS, SAMPLED, SPAN, TRACE, TRACEPARENT};
use crate::table::{Header, Report, config, counted, expand, run, same, settled};
use crate::{CLOUD, DD_PARENT, DD_PRIORITY, DD_TRACE, XRAY, spelled};

struct Row {
    why: &'static str,
    /// In each order.
    extract: [&'static str; 2],
    /// Where nothing that came in decides, the sampler says the opposite of what `leaves` would be wrong with.
    sampler: &'static str,
    request: &'static [Header],
    /// `traceparent`; `{n}` is any span id.
    leaves: &'static str,
    conflicts: u64,
}

const fn row(
    why: &'static str,
    extract: [&'static str; 2],
    sampler: &'static str,
    request: &'static [Header],
    leaves: &'static str,
    conflicts: u64,
) -> Row {
    Row {
        why,
        extract,
        sampler,
        request,
        leaves,
        conflicts,
    }
}

const XRAY_MULTI: [&str; 2] = ["xray b3multi", "b3multi xray"];
const XRAY_W3C: [&str; 2] = ["xray tracecontext", "tracecontext xray"];
const DATADOG_MULTI: [&str; 2] = ["datadog b3multi", "b3multi datadog"];
const GCP_MULTI: [&str; 2] = ["gcp b3multi", "b3multi gcp"];
const ON: &str = "parentbased_always_on";
const OFF: &str = "parentbased_always_off";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Of another trace.
    row("a load balancer's no denies no other trace", XRAY_MULTI, ON, &[(XRAY, "Root=1-0af76519-16cd43dd8448eb211c80319c;Sampled=0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], "00-{T}-{S}-01", 1),
    row("nor W3C's", XRAY_W3C, ON, &[(XRAY, "Root=1-0af76519-16cd43dd8448eb211c80319c;Sampled=0"), (TRACEPARENT, "00-{T}-{S}-01")], "00-{T}-{S}-01", 1),
    row("its yes samples no other that defers", XRAY_MULTI, OFF, &[(XRAY, "Root=1-0af76519-16cd43dd8448eb211c80319c;Sampled=1"), (TRACE, "{T}"), (SPAN, "{S}")], "00-{T}-{S}-00", 1),
    row("nor does its no deny one", XRAY_MULTI, ON, &[(XRAY, "Root=1-0af76519-16cd43dd8448eb211c80319c;Sampled=0"), (TRACE, "{T}"), (SPAN, "{S}")], "00-{T}-{S}-01", 1),
    row("Google's neither", GCP_MULTI, OFF, &[(CLOUD, "{U}/0;o=1"), (TRACE, "{T}"), (SPAN, "{S}")], "00-{T}-{S}-00", 1),
    row("a synthetic test's neither", DATADOG_MULTI, OFF, &[(DD_TRACE, "{V#}"), (DD_PARENT, "0"), (DD_PRIORITY, "1"), (TRACE, "{T}"), (SPAN, "{S}")], "00-{T}-{S}-00", 1),

    // Of the same trace, or of none.
    row("on the same trace it decides where the other defers", XRAY_MULTI, ON, &[(XRAY, "Root=1-{T8}-{T24};Sampled=0"), (TRACE, "{T}"), (SPAN, "{S}")], "00-{T}-{S}-00", 0),
    row("but not where it has decided: that is a conflict", XRAY_MULTI, ON, &[(XRAY, "Root=1-{T8}-{T24};Sampled=0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], "00-{T}-{S}-01", 1),
    row("Google's wider id of the same trace is kept", GCP_MULTI, ON, &[(CLOUD, "{T}/0;o=0"), (TRACE, "{t}"), (SPAN, "{S}")], "00-{T}-{S}-00", 0),
    row("a decision alone does not go before the winner's own", DATADOG_MULTI, ON, &[(DD_PRIORITY, "0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], "00-{T}-{S}-01", 0),
    row("but decides where it defers", DATADOG_MULTI, ON, &[(DD_PRIORITY, "0"), (TRACE, "{T}"), (SPAN, "{S}")], "00-{T}-{S}-00", 0),
    row("and debug on the same trace counts", XRAY_MULTI, OFF, &[(XRAY, "Root=1-{T8}-{T24}"), (TRACE, "{T}"), (SPAN, "{S}"), (FLAGS, "1")], "00-{T}-{S}-01", 0),
    row("the single header of B3 alone goes before the several", ["b3", "b3 xray"], ON, &[(B3, "0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], "00-{T}-{S}-00", 0),
    row("also behind another decision", ["datadog b3", "b3 datadog"], ON, &[(DD_PRIORITY, "1"), (B3, "0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], "00-{T}-{S}-00", 0),
    row("but not where it is read after them", ["b3multi b3", "b3multi b3 xray"], ON, &[(B3, "0"), (TRACE, "{T}"), (SPAN, "{S}"), (SAMPLED, "1")], "00-{T}-{S}-01", 0),

    // Where nobody names a span.
    row("its own decision, and not one that stands alone", ["datadog xray", "xray datadog"], ON, &[(DD_PRIORITY, "0"), (XRAY, "Root=1-{T8}-{T24};Sampled=1")], "00-{T}-{n}-01", 0),
    row("one that stands alone, where it defers", ["datadog xray", "xray datadog"], ON, &[(DD_PRIORITY, "0"), (XRAY, "Root=1-{T8}-{T24}")], "00-{T}-{n}-00", 0),
    row("two on one trace complete each other", ["gcp xray", "xray gcp"], ON, &[(CLOUD, "{T};o=0"), (XRAY, "Root=1-{T8}-{T24}")], "00-{T}-{n}-00", 0),
];

/// Where the order of `extract` decides.
#[rustfmt::skip]
const ORDERED: &[(&str, &str, &[Header], &str)] = &[
    ("the first that is announced, which defers, takes no decision of the second", "xray gcp", &[(XRAY, "Root=1-{T8}-{T24}"), (CLOUD, "{U};o=0")], "00-{T}-{n}-01"),
    ("the other way round it decides", "gcp xray", &[(XRAY, "Root=1-{T8}-{T24}"), (CLOUD, "{U};o=0")], "00-{U}-{n}-00"),
];

#[test]
fn whose_decision_counts() {
    let mut report = Report::default();
    for row in ROWS {
        for extract in row.extract {
            let words = format!("extract {extract}; inject tracecontext; {}", row.sampler);
            let name = format!("{} [{words}] {:?}", row.why, row.request);
            report.row(&name, check(&words, row.request, row.leaves, row.conflicts));
        }
    }
    report.finish(2 * ROWS.len());
}

#[test]
fn where_two_are_announced_the_order_decides() {
    let mut report = Report::default();
    for (why, extract, request, leaves) in ORDERED {
        let words = format!("extract {extract}; inject tracecontext; {ON}");
        report.row(why, check(&words, request, leaves, 1));
    }
    report.finish(ORDERED.len());
}

fn check(words: &str, request: &[Header], leaves: &str, conflicts: u64) -> Result<(), String> {
    let config = config(words);
    let request: Vec<_> = request
        .iter()
        .map(|(name, value)| ((*name).to_owned(), spelled(value).into_bytes()))
        .collect();
    let outcome = run(&config, &request)?;
    let traceparent = outcome.one(TRACEPARENT).unwrap_or_default();
    let span = traceparent.split('-').nth(2).unwrap_or_default();
    let wanted = expand(&leaves.replace("{n}", span));
    same("traceparent", traceparent, wanted.as_str())?;
    let counted = counted(&outcome, "throughline.conflicts");
    same("conflicts", counted, conflicts)?;
    settled(&config, &outcome)
}
