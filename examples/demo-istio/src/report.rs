//! What comes of a scenario, a finding after the other, on standard output; and whether each is as it should be.

use crate::found;
use crate::mesh::{Asked, Mesh};
use anyhow::Result;
use std::collections::BTreeSet;
use std::io::{self, Write as _};
use throughline_demo::terminal::{self, Line, Paint, Screen, table};
use throughline_demo::trace::Trace;

/// Where it is said, and how much was not as it should be.
#[derive(Debug)]
pub struct Report {
    screen: Screen,
    flaws: usize,
}

impl Report {
    /// One with a title.
    pub fn begin(title: &str, screen: Screen) -> Result<Self> {
        let report = Self { screen, flaws: 0 };
        report.put(vec![Line::new(), Line::new().add(Paint::Bold, title)])?;
        Ok(report)
    }

    /// Says something.
    pub fn say(&self, text: impl Into<String>) -> Result<()> {
        self.put(vec![Line::new().plain(text)])
    }

    /// Says what was found, and whether it is as it should be.
    pub fn find(&mut self, is_so: bool, text: impl Into<String>) -> Result<()> {
        let (mark, paint) = match is_so {
            true => ("✓ ", Paint::Good),
            false => ("✗ ", Paint::Bad),
        };
        self.flaws += usize::from(!is_so);
        self.put(vec![Line::new().add(paint, mark).plain(text)])
    }

    /// Asks Tempo, which should find so many traces.
    pub fn search(
        &mut self,
        mesh: &Mesh,
        traceql: &str,
        expected: usize,
    ) -> Result<BTreeSet<String>> {
        let found = found::search(&mesh.tempo, traceql, expected)?;
        self.put(vec![
            Line::new().add(Paint::Dim, format!("  TraceQL {traceql}")),
        ])?;
        let text = match found.len() == expected {
            true => terminal::counted(found.len(), "trace"),
            false => format!(
                "{}, expected {expected}",
                terminal::counted(found.len(), "trace")
            ),
        };
        self.find(found.len() == expected, text)?;
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
            self.put(table(trace, self.screen.width))?;
        }
        match (ids.len(), traces.as_slice()) {
            (1, [trace]) => {
                let (spans, roots) = (trace.rows.len(), terminal::counted(roots(trace), "root"));
                let text = match is_whole(trace, expected) {
                    true => {
                        "one trace: the same id at every service, the spans of all hops in one tree"
                    }
                    false => {
                        "the same id at every service, but not the spans of all hops in one tree"
                    }
                };
                self.find(
                    is_whole(trace, expected),
                    format!("{text} ({spans} of {expected}, {roots})"),
                )
            }
            (ids, traces) => {
                let traces = terminal::counted(traces.len(), "trace");
                self.find(
                    false,
                    format!("{ids} trace ids at the services, {traces} in Tempo"),
                )
            }
        }
    }

    /// Whether all was as it should be.
    pub fn is_well(&self) -> bool {
        self.flaws == 0
    }

    fn put(&self, lines: Vec<Line>) -> Result<()> {
        print(&terminal::text(lines, self.screen))
    }
}

/// Prints it at once. A reader that has left, such as `head`, is no mistake.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn roots(trace: &Trace) -> usize {
    trace.rows.iter().filter(|row| row.last.is_empty()).count()
}

fn is_whole(trace: &Trace, expected: usize) -> bool {
    roots(trace) == 1 && trace.rows.len() == expected
}
