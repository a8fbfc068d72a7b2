//! The access log lines of one trace, found by its id.

use super::Colours;
use super::line::{Line, Paint};
use crate::story::Story;

/// The lines with the trace in which the request began.
pub fn of(story: &Story, colours: &Colours) -> Vec<Line> {
    let found: Vec<_> = story.found_lines().collect();
    let heading = Line::new()
        .add(Paint::Bold, "Its access log lines")
        .plain(format!(
            ", {} of {} found by trace.id in the logs of all Envoys",
            found.len(),
            story.log.len()
        ));
    let columns = row(
        "envoy",
        "listener",
        "path",
        "code",
        Line::new().plain("trace.id"),
        "span.id",
    );
    let mut lines = vec![
        Line::new(),
        heading,
        Line::new().add(Paint::Dim, columns.to_text(false)),
    ];
    for line in found {
        let id = line.trace_id.as_deref().unwrap_or_default();
        lines.push(row(
            line.envoy,
            line.listener,
            &line.path,
            &line.status.to_string(),
            Line::new().add(colours.paint(id), id),
            line.span_id.as_deref().unwrap_or_default(),
        ));
    }
    lines
}

fn row(envoy: &str, listener: &str, path: &str, code: &str, trace_id: Line, span_id: &str) -> Line {
    Line::new()
        .plain(format!("  {envoy:<12} {listener:<9} {path:<13} {code:<5}"))
        .join(trace_id.padded(34))
        .plain(span_id)
}
