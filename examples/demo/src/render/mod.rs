//! What was found as text for people: both runs side by side, where it broke, and the waterfall of each request.

mod breaks;
mod hops;

use crate::bookinfo;
use crate::report::Report;
use crate::story::Story;
use crate::traced::Traced;
use throughline_demo::terminal::{self, INDENT, Line, Paint, Screen, table};

/// Where the links begin.
const LINK: usize = 35;

/// The whole text.
pub fn text(report: &Report<'_>, screen: Screen) -> String {
    let colours = Colours::of([report.native, report.filter]);
    let mut lines = intro(report);
    lines.extend(hops::side_by_side(report, &colours, screen.width));
    for story in [report.native, report.filter] {
        lines.extend(breaks::of(story, screen.width));
    }
    for traced in report.traced {
        lines.extend(request(traced, screen.width));
    }
    lines.extend(outro(report));
    terminal::text(lines, screen)
}

/// A request with its traces.
fn request(traced: &Traced, width: usize) -> Vec<Line> {
    let title = Line::new().add(Paint::Bold, traced.title).plain(format!(
        ": {} {} → {}",
        traced.method,
        bookinfo::PATH,
        traced.status
    ));
    let mut lines = vec![Line::new(), title, Line::new().plain(traced.note)];
    for trace in &traced.traces {
        lines.extend(table(trace, width));
    }
    lines
}

fn intro(report: &Report<'_>) -> Vec<Line> {
    let services = report.bookinfo.services();
    let count = services.len();
    let mut lines =
        vec![
        Line::new().add(Paint::Bold, "Istio's Bookinfo").plain(format!(
            ": {count} services and {} real Envoys ({}), each a process of its own.",
            count + 1,
            report.envoy,
        )),
        Line::new().plain(format!(
            "One request, GET {}, without trace headers. What each service copies onto its calls:",
            bookinfo::PATH
        )),
        Line::new(),
    ];
    for service in services {
        let name = Line::new().plain(INDENT).plain(service.name).padded(16);
        lines.push(name.plain(service.copies.words()));
    }
    // With spaces, at which it can be wrapped.
    let config = report
        .config
        .to_string()
        .replace(':', ": ")
        .replace(',', ", ");
    let config = format!("Throughline is configured with {config}.");
    lines.extend([Line::new(), Line::new().plain(config), Line::new()]);
    lines
}

fn outro(report: &Report<'_>) -> Vec<Line> {
    let page = format!("file://{}", report.page.display());
    let page = Line::new()
        .plain("To click on, with the service graph: ")
        .add(Paint::Bold, page);
    let verdict = match report.filter.flaw() {
        None => Line::new()
            .add(Paint::Good, "One trace with Throughline.")
            .plain(" How to run it in your mesh: README.md, “Use it”."),
        Some(flaw) => Line::new()
            .add(Paint::Bad, "Not one trace with Throughline: ")
            .plain(flaw),
    };
    let mut lines = vec![Line::new(), page];
    if let Some(backend) = report.backend {
        let title = format!("In {}, which runs until Ctrl-C:", backend.title());
        lines.extend([Line::new(), Line::new().plain(title)]);
    }
    for (traced, link) in &report.links {
        let title = Line::new().plain(INDENT).plain(traced.title).padded(LINK);
        lines.push(title.add(Paint::Bold, link));
    }
    lines.extend([Line::new(), verdict]);
    lines
}

/// A colour for each trace of both runs.
struct Colours(Vec<String>);

impl Colours {
    fn of(stories: [&Story; 2]) -> Self {
        let ids = stories.into_iter().flat_map(Story::trace_ids);
        Self(ids.map(str::to_owned).collect())
    }

    fn paint(&self, trace_id: &str) -> Paint {
        match self.0.iter().position(|id| id == trace_id) {
            Some(number) => Paint::Trace(number),
            None => Paint::Plain,
        }
    }
}
