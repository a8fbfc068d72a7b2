//! Where and why a trace broke.

use crate::story::{Fate, Story};
use throughline_demo::terminal::line::wrap;
use throughline_demo::terminal::{INDENT, Line, Paint, counted};

/// What a caller did to some of its callees.
struct Break<'a> {
    hops: String,
    why: &'a str,
    traces: usize,
}

/// The breaks, those of the same caller and reason together.
pub fn of(story: &Story, width: usize) -> Vec<Line> {
    let breaks = breaks(story);
    if breaks.is_empty() {
        return Vec::new();
    }
    let title = format!("Where it broke with {}, and why", story.mode.tracer());
    let mut lines = vec![Line::new(), Line::new().add(Paint::Bold, title)];
    let longest = breaks.iter().map(|found| found.hops.chars().count()).max();
    // Beside the hops, or under them where that is too narrow.
    let (mark, beside) = (format!("{INDENT}✗ "), longest.unwrap_or(0) + 7);
    for Break { hops, why, traces } in breaks {
        let text = format!("{why}: {}", counted(traces, "new trace"));
        let head = Line::new().add(Paint::Bad, mark.as_str()).plain(hops);
        let indent = match beside + text.chars().count() <= width {
            true => beside,
            false => mark.chars().count(),
        };
        let mut parts = wrap(&text, width.saturating_sub(indent)).into_iter();
        if indent == beside {
            lines.push(head.padded(beside).plain(parts.next().unwrap_or_default()));
        } else {
            lines.push(head);
        }
        lines.extend(parts.map(|part| Line::new().padded(indent).plain(part)));
    }
    lines
}

fn breaks(story: &Story) -> Vec<Break<'_>> {
    let mut found: Vec<Break<'_>> = Vec::new();
    for hop in &story.hops {
        if let Fate::Broke(why) = &hop.fate {
            // A reason begins with its caller.
            match found.iter_mut().find(|earlier| earlier.why == why) {
                Some(earlier) => {
                    earlier.hops += &format!(", {}", hop.callee);
                    earlier.traces += 1;
                }
                None => found.push(Break {
                    hops: format!("{} → {}", hop.caller, hop.callee),
                    why,
                    traces: 1,
                }),
            }
        }
    }
    found
}
