//! The hops of both runs beside each other.

use super::{Colours, Report};
use crate::story::{Fate, Hop, Story, names};
use throughline_demo::terminal::{INDENT, Line, Paint, counted};

/// Where the columns of a row begin.
const HOP: usize = 11;
const FORWARDED: usize = 34;
/// How many digits of an id are shown.
const SHORT: usize = 8;

/// Beside each other where the width allows, else one under the other.
pub fn side_by_side(report: &Report<'_>, colours: &Colours, width: usize) -> Vec<Line> {
    let (left, right) = (
        column(report.native, colours),
        column(report.filter, colours),
    );
    let widest = |lines: &[Line]| lines.iter().map(Line::width).max().unwrap_or(0);
    let (start, gap) = (INDENT.len() + widest(&left), 3);
    let indented = |line: Line| Line::new().plain(INDENT).join(line);
    if start + gap + widest(&right) > width {
        let apart = std::iter::once(Line::new());
        return left
            .into_iter()
            .chain(apart)
            .chain(right)
            .map(indented)
            .collect();
    }
    let beside = |(left, right)| indented(left).padded(start + gap).join(right);
    left.into_iter().zip(right).map(beside).collect()
}

fn column(story: &Story, colours: &Colours) -> Vec<Line> {
    let paint = match story.flaw() {
        None => Paint::Good,
        Some(_) => Paint::Bad,
    };
    let mut lines = vec![
        Line::new().add(Paint::Bold, story.mode.title()),
        Line::new().add(paint, counted(story.trace_ids().len(), "trace id")),
        Line::new(),
        heading(),
    ];
    lines.extend(story.hops.iter().map(|hop| row(hop, colours)));
    let (lines_found, services_found) = (story.found_lines().count(), story.found_services());
    lines.extend([
        Line::new(),
        Line::new().plain(format!(
            "{services_found} of {} services could read a trace id",
            story.visits.len()
        )),
        Line::new().plain(format!(
            "{lines_found} of {} access log lines in the first trace",
            story.log.len()
        )),
        Line::new().plain(format!(
            "{} reported, in {}",
            counted(story.spans(), "span"),
            counted(story.traces.len(), "trace")
        )),
    ]);
    lines
}

fn heading() -> Line {
    let columns = Line::new().plain("  trace").padded(HOP).plain("hop");
    let columns = columns.padded(FORWARDED).plain("forwarded");
    Line::new().add(Paint::Dim, columns.to_text(false))
}

fn row(hop: &Hop, colours: &Colours) -> Line {
    let (mark, paint) = match hop.fate {
        Fate::Began => ("●", Paint::Plain),
        Fate::Continued => ("│", Paint::Plain),
        Fate::Broke(_) => ("✗", Paint::Bad),
    };
    let id = match hop.trace_ids.as_slice() {
        [] => Line::new().add(Paint::Bad, "none"),
        [id] => Line::new().add(colours.paint(id), short(id)),
        [id, ..] => Line::new()
            .add(colours.paint(id), short(id))
            .add(Paint::Bad, "+"),
    };
    let forwarded = match &hop.forwarded {
        None => String::new(),
        Some(carried) => match carried.formats().as_slice() {
            [] => "nothing".to_owned(),
            formats => names(formats),
        },
    };
    Line::new()
        .add(paint, mark)
        .plain(" ")
        .join(id)
        .padded(HOP)
        .plain(format!("{} → {}", hop.caller, hop.callee))
        .padded(FORWARDED)
        .plain(forwarded)
}

fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}
