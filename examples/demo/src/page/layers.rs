//! Services in layers, each below all of its callers.

use throughline_demo::trace::Graph;

/// The layers, top first, the services of each in order of appearance. A call back up puts nothing lower.
pub fn of(graph: &Graph) -> Vec<Vec<&str>> {
    let at = |name: &str| graph.services.iter().position(|service| service == name);
    let down = graph.edges.iter().filter_map(|edge| {
        let (caller, callee) = (at(&edge.caller)?, at(&edge.callee)?);
        (caller < callee).then_some((caller, callee))
    });
    let down: Vec<_> = down.collect();
    let mut depths = vec![0_usize; graph.services.len()];
    // As often as a path may be long.
    for _ in &graph.services {
        for &(caller, callee) in &down {
            depths[callee] = depths[callee].max(depths[caller] + 1);
        }
    }
    let deepest = depths.iter().max().map_or(0, |deepest| deepest + 1);
    let mut layers = vec![Vec::new(); deepest];
    for (service, depth) in graph.services.iter().zip(depths) {
        layers[depth].push(service.as_str());
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::of;
    use throughline_demo::trace::{Edge, Graph};

    fn graph(services: &[&str], edges: &[(&str, &str)]) -> Graph {
        let edge = |(caller, callee): &(&str, &str)| Edge {
            caller: (*caller).to_owned(),
            callee: (*callee).to_owned(),
            calls: 1,
            failed: 0,
            total_ns: 0,
        };
        Graph {
            services: services.iter().map(|name| (*name).to_owned()).collect(),
            edges: edges.iter().map(edge).collect(),
        }
    }

    #[test]
    fn a_service_is_below_all_of_its_callers() {
        let edges = [("a", "b"), ("a", "c"), ("a", "d"), ("b", "d"), ("c", "d")];
        let found = graph(&["a", "b", "c", "d"], &edges);
        assert_eq!(of(&found), [vec!["a"], vec!["b", "c"], vec!["d"]]);
    }

    #[test]
    fn circles_end() {
        let found = graph(&["a", "b"], &[("a", "b"), ("b", "a")]);
        assert_eq!(of(&found), [["a"], ["b"]]);
        assert!(of(&graph(&[], &[])).is_empty());
    }
}
