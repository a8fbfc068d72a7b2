//! What came of a scenario: text, a finding after the other, and whether each is as it should be.

use crate::found;
use crate::mesh::{Asked, Mesh};
use anyhow::Result;
use std::collections::BTreeSet;
use throughline_demo::terminal::{self, Line, Paint, Screen, table};
use throughline_demo::trace::Trace;

/// What was found so far.
#[derive(Debug)]
pub struct Report {
    screen: Screen,
    lines: Vec<Line>,
    flaws: usize,
}

impl Report {
    /// An empty one, with a title.
    pub fn new(title: &str, screen: Screen) -> Self {
        Self {
            screen,
            lines: vec![Line::new().add(Paint::Bold, title)],
            flaws: 0,
        }
    }

    /// Says something.
    pub fn say(&mut self, text: impl Into<String>) {
        self.lines.push(Line::new().plain(text));
    }

    /// Says what was found, and whether it is as it should be.
    pub fn find(&mut self, is_so: bool, text: impl Into<String>) {
        let (mark, paint) = match is_so {
            true => ("✓ ", Paint::Good),
            false => ("✗ ", Paint::Bad),
        };
        self.flaws += usize::from(!is_so);
        self.lines.push(Line::new().add(paint, mark).plain(text));
    }

    /// Asks Tempo, which should find so many traces.
    pub fn search(
        &mut self,
        mesh: &Mesh,
        traceql: &str,
        expected: usize,
    ) -> Result<BTreeSet<String>> {
        let found = found::search(&mesh.tempo, traceql, expected)?;
        self.lines
            .push(Line::new().add(Paint::Dim, format!("  TraceQL {traceql}")));
        let text = match found.len() == expected {
            true => terminal::counted(found.len(), "trace"),
            false => format!(
                "{}, expected {expected}",
                terminal::counted(found.len(), "trace")
            ),
        };
        self.find(found.len() == expected, text);
        Ok(found)
    }

    /// Shows the trace of a request, which should be one tree with the spans of every hop: the gateway's server span, and two
    /// for each call, of which `denied` came to no service.
    pub fn waterfall(&mut self, mesh: &Mesh, asked: &Asked, denied: usize) -> Result<()> {
        let expected = 1 + 2 * (asked.calls() + denied);
        let ids = asked.trace_ids();
        let mut traces = Vec::new();
        for id in &ids {
            traces.extend(found::trace(&mesh.tempo, id, expected)?);
        }
        for trace in &traces {
            self.lines.extend(table(trace, self.screen.width));
        }
        match (ids.len(), traces.as_slice()) {
            (1, [trace]) => self.find(
                is_whole(trace, expected),
                format!(
                    "one trace: every service was told the same id, and the spans of every hop are one tree ({} of {expected}, {})",
                    trace.rows.len(),
                    terminal::counted(roots(trace), "root"),
                ),
            ),
            _ => self.find(
                false,
                format!("{} trace ids at the services, {} traces in Tempo", ids.len(), traces.len()),
            ),
        }
        Ok(())
    }

    /// All of it, for a terminal, and whether all is as it should be.
    pub fn end(self) -> (String, bool) {
        (terminal::text(self.lines, self.screen), self.flaws == 0)
    }
}

fn roots(trace: &Trace) -> usize {
    trace.rows.iter().filter(|row| row.last.is_empty()).count()
}

fn is_whole(trace: &Trace, expected: usize) -> bool {
    roots(trace) == 1 && trace.rows.len() == expected
}
