//! Who called whom.

use super::{Span, Trace};

/// The services of some traces and the calls between them.
#[derive(Clone, Debug)]
pub struct Graph {
    /// In order of appearance.
    pub services: Vec<String>,
    pub edges: Vec<Edge>,
}

/// The calls from one service to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    pub caller: String,
    pub callee: String,
    pub calls: usize,
    /// How many of them did not go as the caller wished.
    pub failed: usize,
    /// How long all of them took the callee.
    pub total_ns: u64,
}

impl Graph {
    /// Every span whose parent is another service's is a call: that is how backends draw it.
    pub fn of(traces: &[&Trace]) -> Self {
        let mut graph = Self {
            services: Vec::new(),
            edges: Vec::new(),
        };
        for trace in traces {
            for span in trace.spans() {
                if !graph.services.contains(&span.service) {
                    graph.services.push(span.service.clone());
                }
                let is_parent = |other: &&Span| Some(&other.id) == span.parent.as_ref();
                if let Some(parent) = trace.spans().find(is_parent)
                    && parent.service != span.service
                {
                    graph.call(parent, span);
                }
            }
        }
        graph
    }

    fn call(&mut self, caller: &Span, callee: &Span) {
        let is_it = |edge: &Edge| edge.caller == caller.service && edge.callee == callee.service;
        let at = self.edges.iter().position(is_it).unwrap_or_else(|| {
            self.edges.push(Edge {
                caller: caller.service.clone(),
                callee: callee.service.clone(),
                calls: 0,
                failed: 0,
                total_ns: 0,
            });
            self.edges.len() - 1
        });
        let edge = &mut self.edges[at];
        edge.calls += 1;
        edge.failed += usize::from(callee.went_wrong());
        edge.total_ns += callee.end_ns.saturating_sub(callee.start_ns);
    }
}
