//! A trace as a waterfall: a row for each span, its bar where it was in time.

use super::INDENT;
use super::line::{Line, Paint, cut};
use crate::trace::{Row, Span, Trace, milliseconds};

/// What tells why a span did not go well, or what else is worth a look.
const TELLING: [&str; 5] = [
    "error.type",
    "response_flags",
    "response_code_details",
    "http.request.resend_count",
    "rpc.grpc.status_code",
];

/// Values that tell nothing.
const ORDINARY: [&str; 3] = ["", "-", "via_upstream"];

/// Columns of the table; the bar takes what is left.
const KIND: usize = 8;
const STATUS: usize = 5;
const DURATION: usize = 10;
/// A bar that is shorter than this says little; then it gets a line of its own.
const BAR: usize = 16;

/// The table of a trace, its summary above.
pub fn table(trace: &Trace, width: usize) -> Vec<Line> {
    let services = trace.services();
    let summary = format!(
        "{INDENT}trace {}, {} of {}, {}",
        trace.id,
        super::counted(trace.rows.len(), "span"),
        super::counted(services.len(), "service"),
        milliseconds(trace.duration_ns())
    );
    let longest = trace
        .rows
        .iter()
        .map(|row| label(row).chars().count())
        .max();
    let columns = Columns::new(longest.unwrap_or(0), width);
    let mut lines = vec![Line::new().add(Paint::Dim, summary)];
    for row in &trace.rows {
        let hue = services
            .iter()
            .position(|service| *service == row.span.service);
        let paint = match row.span.failed {
            true => Paint::Bad,
            false => Paint::Trace(hue.unwrap_or(0)),
        };
        lines.extend(columns.rows(trace, row, paint));
    }
    lines
}

/// How wide label and bar may be.
struct Columns {
    label: usize,
    bar: usize,
    /// Whether the bar has a line of its own.
    below: bool,
}

impl Columns {
    fn new(longest: usize, width: usize) -> Self {
        let fixed = INDENT.len() + 2 + KIND + STATUS + DURATION;
        let left = width.saturating_sub(fixed);
        let below = left < longest + BAR;
        Self {
            label: if below { left } else { longest },
            bar: match below {
                true => width.saturating_sub(2 * INDENT.len() + 1),
                false => left - longest,
            },
            below,
        }
    }

    fn rows(&self, trace: &Trace, row: &Row, paint: Paint) -> Vec<Line> {
        let span = &row.span;
        let mut head = Line::new()
            .plain(INDENT)
            .add(Paint::Dim, twigs(row))
            .plain(cut(
                &name(span),
                self.label.saturating_sub(twigs(row).chars().count()),
            ))
            .padded(INDENT.len() + self.label + 2)
            .add(Paint::Dim, format!("{:KIND$}", span.kind))
            .add(
                if span.went_wrong() {
                    Paint::Bad
                } else {
                    Paint::Plain
                },
                format!("{:STATUS$}", span.status().unwrap_or_default()),
            );
        let bar = Line::new().add(paint, bar(trace.place(span), self.bar));
        let duration = format!("{:>DURATION$}", span.milliseconds());
        let mut lines = match self.below {
            false => vec![head.join(bar.padded(self.bar)).plain(duration)],
            true => {
                head = head.plain(duration);
                vec![head, Line::new().plain([INDENT; 2].concat()).join(bar)]
            }
        };
        lines.extend(tags(row));
        lines
    }
}

/// The tags of a span that did not go well, under its name.
fn tags(row: &Row) -> Option<Line> {
    let span = &row.span;
    let tag = |key: &&str| {
        let value = span.attributes.get(*key)?;
        (!ORDINARY.contains(&value.as_str())).then(|| format!("{key}={value}"))
    };
    let tags: Vec<_> = TELLING.iter().filter_map(tag).collect();
    let indent = INDENT.len() + twigs(row).chars().count();
    (span.went_wrong() && !tags.is_empty()).then(|| {
        Line::new()
            .plain(" ".repeat(indent + 2))
            .add(Paint::Dim, tags.join(" "))
    })
}

fn label(row: &Row) -> String {
    format!("{}{}", twigs(row), name(&row.span))
}

fn name(span: &Span) -> String {
    format!("{} {}", span.short_service(), span.name_and_path())
}

fn twigs(row: &Row) -> String {
    let Some((last, above)) = row.last.split_last() else {
        return String::new();
    };
    let mut twigs: String = above
        .iter()
        .map(|last| if *last { "  " } else { "│ " })
        .collect();
    twigs.push_str(if *last { "└ " } else { "├ " });
    twigs
}

/// A bar in half columns, at least one of them.
fn bar((start, length): (f64, f64), width: usize) -> String {
    let halves = 2 * width;
    let at = |part: f64| ((part * halves as f64).round() as usize).min(halves);
    let first = at(start).min(halves.saturating_sub(1));
    let end = at(start + length).max(first + 1);
    let cell = |column: usize| match (first <= 2 * column, 2 * column + 1 < end) {
        _ if end <= 2 * column || 2 * column + 1 < first => ' ',
        (true, true) => '━',
        (true, false) => '╸',
        (false, _) => '╺',
    };
    (0..width).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::{bar, table};
    use crate::trace::{Trace, tests::span};

    fn text(width: usize) -> Vec<String> {
        let spans = vec![
            span("a", None, "istio-ingressgateway.istio-system", (0, 10), 200),
            span("b", Some("a"), "details.bookinfo", (2, 4), 200),
            span("c", Some("a"), "reviews.bookinfo", (5, 10), 503),
        ];
        let lines: Vec<_> = Trace::of(spans)
            .iter()
            .flat_map(|trace| table(trace, width))
            .flat_map(|line| line.wrapped(width))
            .collect();
        lines.iter().map(|line| line.to_text(false)).collect()
    }

    #[test]
    fn rows_have_their_columns() {
        assert_eq!(
            text(80)[1..],
            [
                "  istio-ingressgateway GET  SERVER  200  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━   10.0 ms",
                "  ├ details GET             SERVER  200        ━━━━━╸                     2.0 ms",
                "  └ reviews GET             SERVER  503                ╺━━━━━━━━━━━━━━    5.0 ms",
                "      error.type=503",
            ]
        );
        // A bar that would be short has a line of its own.
        assert_eq!(
            text(48)[1..5],
            [
                "  istio-ingressgateway…  SERVER  200     10.0 ms",
                "    ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━",
                "  ├ details GET          SERVER  200      2.0 ms",
                "            ╺━━━━━━━━",
            ]
        );
    }

    #[test]
    fn nothing_is_wider_than_the_screen() {
        for width in 30..160 {
            for line in text(width) {
                assert!(line.chars().count() <= width, "{width}: {line:?}");
            }
        }
    }

    #[test]
    fn a_bar_is_where_its_span_was() {
        for (place, expected) in [
            ((0.0, 1.0), "━━━━"),
            ((0.0, 0.5), "━━  "),
            ((0.5, 0.5), "  ━━"),
            ((0.375, 0.5), " ╺━╸"),
            ((0.25, 0.0), " ╸  "),
            ((1.0, 0.0), "   ╺"),
            ((0.0, 0.0), "╸   "),
        ] {
            assert_eq!(bar(place, 4), expected, "{place:?}");
        }
        assert_eq!(bar((0.0, 1.0), 0), "");
    }
}
