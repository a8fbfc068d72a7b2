//! The spans of one trace as a tree, and the services that they connect.

mod graph;
mod span;

pub use graph::{Edge, Graph};
pub use span::{Span, milliseconds};

use std::collections::BTreeMap;

/// A trace, its spans each after its parent.
#[derive(Clone, Debug)]
pub struct Trace {
    pub id: String,
    pub rows: Vec<Row>,
}

/// A span and its place in the tree.
#[derive(Clone, Debug)]
pub struct Row {
    pub span: Span,
    /// For each level from the root's children down to this span: whether it is the last of its parent's children
    /// there. Empty for a root.
    pub last: Vec<bool>,
}

impl Trace {
    /// The traces of these spans, the one that started first in front.
    pub fn of(spans: Vec<Span>) -> Vec<Self> {
        let mut traces: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        for span in spans {
            let trace = traces.entry(span.trace_id.clone()).or_default();
            trace.push(span);
        }
        let trace = |(id, spans)| Self {
            id,
            rows: rows(spans),
        };
        let mut traces: Vec<_> = traces.into_iter().map(trace).collect();
        traces.sort_by_key(Self::start_ns);
        traces
    }

    /// When its first span started.
    pub fn start_ns(&self) -> u64 {
        let starts = self.spans().map(|span| span.start_ns);
        starts.min().unwrap_or_default()
    }

    /// From the start of the first span to the end of the last.
    pub fn duration_ns(&self) -> u64 {
        let end = self.spans().map(|span| span.end_ns).max();
        end.unwrap_or_default().saturating_sub(self.start_ns())
    }

    /// Its spans in the order of the tree.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        self.rows.iter().map(|row| &row.span)
    }

    /// Its services, in order of appearance.
    pub fn services(&self) -> Vec<&str> {
        let mut services = Vec::new();
        for span in self.spans() {
            if !services.contains(&span.service.as_str()) {
                services.push(span.service.as_str());
            }
        }
        services
    }

    /// Where a span begins and how long it is, as parts of the whole trace.
    pub fn place(&self, span: &Span) -> (f64, f64) {
        let whole = self.duration_ns().max(1) as f64;
        let part = |ns: u64| ns as f64 / whole;
        let start = span.start_ns - self.start_ns();
        (part(start), part(span.end_ns.saturating_sub(span.start_ns)))
    }
}

/// Roots are those without a parent, and those whose parent was not reported.
fn rows(mut spans: Vec<Span>) -> Vec<Row> {
    spans.sort_by_key(|span| span.start_ns);
    let known = |id: &Option<String>| spans.iter().any(|span| Some(&span.id) == id.as_ref());
    let (children, roots): (Vec<_>, Vec<_>) = spans.iter().partition(|span| known(&span.parent));
    let mut rows = Vec::new();
    for root in roots {
        add(root, &[], &children, &mut rows);
    }
    rows
}

fn add(span: &Span, last: &[bool], children: &[&Span], rows: &mut Vec<Row>) {
    rows.push(Row {
        span: span.clone(),
        last: last.to_vec(),
    });
    let own: Vec<_> = children
        .iter()
        .filter(|child| child.parent.as_ref() == Some(&span.id))
        .collect();
    for (number, child) in own.iter().enumerate() {
        let last = [last, &[number + 1 == own.len()]].concat();
        add(child, &last, children, rows);
    }
}

#[cfg(test)]
pub mod tests {
    use super::{Edge, Graph, Span, Trace};
    use std::collections::BTreeMap;

    const START: u64 = 1_790_000_000_000_000_000;

    /// A span of the trace `1`, its times in milliseconds.
    pub fn span(
        id: &str,
        parent: Option<&str>,
        service: &str,
        times: (u64, u64),
        code: u16,
    ) -> Span {
        let attributes = [("http.response.status_code", code), ("error.type", code)];
        let attributes = attributes.map(|(key, value)| (key.to_owned(), value.to_string()));
        Span {
            trace_id: "1".to_owned(),
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            service: service.to_owned(),
            name: "GET".to_owned(),
            kind: "SERVER".to_owned(),
            start_ns: START + times.0 * 1_000_000,
            end_ns: START + times.1 * 1_000_000,
            failed: code >= 500,
            attributes: attributes.into(),
            resource: BTreeMap::new(),
        }
    }

    #[test]
    fn spans_are_in_the_order_of_the_tree_whatever_came_first() {
        let [trace] = &Trace::of(vec![
            span("d", Some("c"), "ratings.a", (6, 7), 503),
            span("c", Some("a"), "reviews.a", (5, 8), 200),
            span("b", Some("a"), "details.a", (2, 4), 403),
            span("a", None, "page.a", (0, 10), 200),
            span("e", Some("lost"), "page.a", (9, 10), 200),
        ])[..] else {
            panic!("not one trace");
        };
        let rows: Vec<_> = trace
            .rows
            .iter()
            .map(|row| (row.span.id.as_str(), row.last.as_slice()))
            .collect();
        let expected: [(&str, &[bool]); 5] = [
            ("a", &[]),
            ("b", &[false]),
            ("c", &[true]),
            ("d", &[true, true]),
            ("e", &[]),
        ];
        assert_eq!(rows, expected);
        assert_eq!(
            trace.services(),
            ["page.a", "details.a", "reviews.a", "ratings.a"]
        );
        assert_eq!((trace.start_ns(), trace.duration_ns()), (START, 10_000_000));
        assert_eq!(trace.place(&trace.rows[2].span), (0.5, 0.3));

        let graph = Graph::of(&[trace]);
        let edge = |caller: &str, callee: &str, failed, ms: u64| Edge {
            caller: caller.to_owned(),
            callee: callee.to_owned(),
            calls: 1,
            failed,
            total_ns: ms * 1_000_000,
        };
        assert_eq!(
            graph.edges,
            [
                edge("page.a", "details.a", 1, 2),
                edge("page.a", "reviews.a", 0, 3),
                edge("reviews.a", "ratings.a", 1, 1),
            ]
        );
    }

    #[test]
    fn traces_are_in_the_order_of_time() {
        let mut later = span("a", None, "page.a", (5, 6), 200);
        later.trace_id = "0".to_owned();
        let traces = Trace::of(vec![later, span("b", None, "page.a", (0, 1), 200)]);
        assert_eq!(
            traces
                .iter()
                .map(|trace| trace.id.as_str())
                .collect::<Vec<_>>(),
            ["1", "0"]
        );
    }

    #[test]
    fn spans_that_are_each_others_parents_do_not_hang() {
        let spans = vec![
            span("a", Some("b"), "x.a", (0, 1), 200),
            span("b", Some("a"), "x.a", (0, 1), 200),
        ];
        assert_eq!(Trace::of(spans).len(), 1);
    }
}
