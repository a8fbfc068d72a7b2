//! One trace, hop by hop, as a tree.

use super::Colours;
use super::line::{Line, Paint};
use crate::bookinfo::GATEWAY;
use crate::story::{Fate, Hop, Story, names};

const RECEIVED: usize = 20;
const COPIES: usize = 52;

/// The services with what each received and copies on.
pub fn of(story: &Story, colours: &Colours) -> Vec<Line> {
    let ids = story.trace_ids();
    let title = format!("{}, hop by hop", story.mode.title());
    let mut title = Line::new().add(Paint::Bold, title);
    if let [id] = ids.as_slice() {
        title = title.plain(": ").add(colours.paint(id), *id);
    }
    let root = Line::new().plain("  ").plain(GATEWAY).padded(RECEIVED);
    let mut lines = vec![
        Line::new(),
        title,
        root.plain("received nothing, began the trace"),
    ];
    branch(story, GATEWAY, "  ", &mut lines);
    lines
}

fn branch(story: &Story, caller: &str, indent: &str, lines: &mut Vec<Line>) {
    let calls: Vec<&Hop> = story
        .hops
        .iter()
        .filter(|hop| hop.caller == caller)
        .collect();
    for (number, hop) in calls.iter().enumerate() {
        let last = number + 1 == calls.len();
        let (twig, further) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let name = match hop.fate {
            Fate::Broke(_) => Paint::Bad,
            Fate::Began | Fate::Continued => Paint::Plain,
        };
        let mut line = Line::new()
            .plain(indent)
            .add(Paint::Dim, twig)
            .add(name, hop.callee)
            .padded(RECEIVED);
        let visit = story
            .visits
            .iter()
            .find(|visit| visit.service == hop.callee);
        if let Some(visit) = visit {
            line = line
                .plain(format!("received {}", names(&visit.received.formats())))
                .padded(COPIES)
                .plain(format!("  copies {}", visit.copies.words()));
        }
        lines.push(line);
        branch(story, hop.callee, &format!("{indent}{further}"), lines);
    }
}
