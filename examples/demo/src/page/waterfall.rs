//! A request: its traces as waterfalls whose rows open.

use super::escape::escape;
use crate::bookinfo;
use crate::traced::Traced;
use std::collections::BTreeMap;
use throughline_demo::trace::{Row, Span, Trace, milliseconds};

/// Into how many parts the axis divides the time.
const TICKS: u64 = 4;

/// The request of that number. `hue` gives the colour of a service.
pub fn section(number: usize, traced: &Traced, hue: impl Fn(&str) -> usize) -> String {
    let traces = traced.traces.iter().map(|trace| waterfall(trace, &hue));
    format!(
        "<section id=\"request-{number}\" aria-labelledby=\"title-{number}\">\n\
         <h2 id=\"title-{number}\">{title}</h2>\n\
         <p><code>{method} {path}</code> {status}<br>{note}</p>\n{traces}</section>\n",
        title = escape(traced.title),
        method = escape(traced.method),
        path = escape(bookinfo::PATH),
        status = status(&traced.status.to_string(), traced.status >= 400),
        note = escape(traced.note),
        traces = traces.collect::<String>(),
    )
}

fn waterfall(trace: &Trace, hue: &impl Fn(&str) -> usize) -> String {
    let tick = |tick| {
        format!(
            "<span>{}</span>",
            milliseconds(trace.duration_ns() * tick / TICKS)
        )
    };
    let row = |row: &Row| entry(trace, row, hue(&row.span.service));
    format!(
        "<p class=\"facts\">trace <code>{id}</code>, {spans} spans of {services} services, {duration}</p>\n\
         <div class=\"axis\" aria-hidden=\"true\"><div>{ticks}</div></div>\n\
         <ol class=\"waterfall\">\n{rows}</ol>\n",
        id = escape(&trace.id),
        spans = trace.rows.len(),
        services = trace.services().len(),
        duration = milliseconds(trace.duration_ns()),
        ticks = (0..=TICKS).map(tick).collect::<String>(),
        rows = trace.rows.iter().map(row).collect::<String>(),
    )
}

fn entry(trace: &Trace, row: &Row, hue: usize) -> String {
    let Row { span, last } = row;
    let (start, length) = trace.place(span);
    let offset = milliseconds(span.start_ns - trace.start_ns());
    format!(
        "<li><details><summary style=\"--level:{level}\">\
         <span class=\"label\"><b>{service}</b> {name}</span> \
         <span class=\"kind\">{kind}</span> \
         {status} \
         <span class=\"track\"><span class=\"bar hue-{hue}{failed}\" style=\"left:{left:.3}%;width:{width:.3}%\"></span></span> \
         <span class=\"duration\">{duration}</span>\
         <span class=\"unseen\">, level {level}, {offset} after the start</span></summary>\n\
         {details}</details></li>\n",
        level = last.len() + 1,
        service = escape(span.short_service()),
        name = escape(&span.name_and_path()),
        kind = escape(&span.kind),
        status = status(span.status().unwrap_or_default(), span.went_wrong()),
        failed = if span.failed { " failed" } else { "" },
        left = start * 100.0,
        width = length * 100.0,
        duration = span.milliseconds(),
        details = details(span, &offset),
    )
}

/// A status; not by its colour alone.
fn status(code: &str, wrong: bool) -> String {
    let (class, mark) = if wrong {
        ("status wrong", "✗ ")
    } else {
        ("status", "")
    };
    format!("<span class=\"{class}\">{mark}{}</span>", escape(code))
}

fn details(span: &Span, offset: &str) -> String {
    let parent = span.parent.as_deref().unwrap_or("none");
    let about = [
        ("span id", span.id.as_str()),
        ("parent span id", parent),
        ("starts", &format!("{offset} after the trace")),
        ("lasts", &span.milliseconds()),
    ];
    let text = |(key, value): (&'static str, &str)| row(key, value);
    let fields = |fields: &BTreeMap<String, String>| {
        fields
            .iter()
            .map(|(key, value)| row(key, value))
            .collect::<String>()
    };
    format!(
        "<div class=\"tables\">\n{}{}{}</div>\n",
        table("span", "Span", &about.map(text).concat()),
        table("attributes", "Attributes", &fields(&span.attributes)),
        table("resource", "Resource", &fields(&span.resource)),
    )
}

fn table(class: &str, caption: &str, rows: &str) -> String {
    format!("<table class=\"{class}\"><caption>{caption}</caption>\n{rows}</table>\n")
}

fn row(key: &str, value: &str) -> String {
    // A long key may break where its words do.
    let key = escape(key).replace('.', ".<wbr>").replace('_', "_<wbr>");
    let value = escape(value);
    format!("<tr><th scope=\"row\">{key}</th><td>{value}</td></tr>\n")
}
