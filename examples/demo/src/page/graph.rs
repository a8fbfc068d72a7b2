//! The service graph: drawn, and as a table for those who do not see it.

use super::escape::escape;
use super::layers;
use std::collections::BTreeMap;
use throughline_demo::terminal::counted;
use throughline_demo::trace::{Edge, Graph, milliseconds};

/// Sizes in the units of the drawing, which are pixels where there is room.
const NODE: (f64, f64) = (164.0, 48.0);
const GAP: (f64, f64) = (16.0, 64.0);
const MARGIN: f64 = 8.0;

/// The section of the page.
pub fn section(graph: &Graph) -> String {
    let row = |edge: &Edge| {
        format!(
            "<tr><th scope=\"row\">{} → {}</th><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            escape(&edge.caller),
            escape(&edge.callee),
            edge.calls,
            edge.failed,
            milliseconds(edge.total_ns / edge.calls.max(1) as u64),
        )
    };
    format!(
        "<section id=\"graph\" aria-labelledby=\"graph-heading\">\n\
         <h2 id=\"graph-heading\">Service graph</h2>\n\
         <p>Who called whom in all of these requests, as every backend derives it from the spans.</p>\n\
         <div class=\"graph\">\n{drawing}\
         <table class=\"calls\"><caption>Calls</caption>\n\
         <thead><tr><th scope=\"col\">caller → callee</th><th scope=\"col\">calls</th>\
         <th scope=\"col\">failed</th><th scope=\"col\">mean</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table>\n</div>\n</section>\n",
        drawing = drawing(graph),
        rows = graph.edges.iter().map(row).collect::<String>(),
    )
}

fn drawing(graph: &Graph) -> String {
    let layers = layers::of(graph);
    let widest = layers.iter().map(Vec::len).max().unwrap_or(1);
    let width = 2.0 * MARGIN + extent(widest, NODE.0, GAP.0);
    let height = 2.0 * MARGIN + extent(layers.len().max(1), NODE.1, GAP.1);
    let places = places(graph, &layers, width);
    let place = |service: &str| places.get(service).copied();
    let edge = |edge: &Edge| Some(arrow(edge, place(&edge.caller)?, place(&edge.callee)?));
    let node = |(hue, service): (usize, &String)| Some(node(service, hue, place(service)?));
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" style=\"max-width:{width}px\" role=\"img\" \
         aria-labelledby=\"graph-title\">\n\
         <title id=\"graph-title\">Service graph; the table has the same calls</title>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\" markerUnits=\"userSpaceOnUse\"><path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n\
         {edges}{nodes}</svg>\n",
        edges = graph.edges.iter().filter_map(edge).collect::<String>(),
        nodes = graph
            .services
            .iter()
            .enumerate()
            .filter_map(node)
            .collect::<String>(),
    )
}

fn extent(count: usize, size: f64, gap: f64) -> f64 {
    count as f64 * (size + gap) - gap
}

/// The top left corner of each service. A layer has its middle below its callers, where there is room.
fn places<'a>(graph: &Graph, layers: &[Vec<&'a str>], width: f64) -> BTreeMap<&'a str, (f64, f64)> {
    let mut places: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (depth, layer) in layers.iter().enumerate() {
        let calls = graph
            .edges
            .iter()
            .filter(|edge| layer.contains(&edge.callee.as_str()));
        let callers = calls.filter_map(|edge| places.get(edge.caller.as_str()));
        let callers: Vec<_> = callers.map(|(x, _)| x + NODE.0 / 2.0).collect();
        let middle = match callers.len() {
            0 => width / 2.0,
            count => callers.iter().sum::<f64>() / count as f64,
        };
        let wide = extent(layer.len(), NODE.0, GAP.0);
        let left = (middle - wide / 2.0).min(width - MARGIN - wide).max(MARGIN);
        for (number, service) in layer.iter().enumerate() {
            let x = left + number as f64 * (NODE.0 + GAP.0);
            places.insert(service, (x, MARGIN + depth as f64 * (NODE.1 + GAP.1)));
        }
    }
    places
}

fn arrow(edge: &Edge, from: (f64, f64), to: (f64, f64)) -> String {
    let (x1, y1) = (from.0 + NODE.0 / 2.0, from.1 + NODE.1);
    let (x2, y2) = (to.0 + NODE.0 / 2.0, to.1);
    let middle = (y1 + y2) / 2.0;
    let calls = counted(edge.calls, "call");
    let (class, label) = match edge.failed {
        0 => ("edge", calls),
        failed => ("edge wrong", format!("{calls}, ✗ {failed}")),
    };
    format!(
        "<g class=\"{class}\"><path d=\"M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}\" marker-end=\"url(#head)\"/>\
         <text x=\"{x}\" y=\"{y}\">{label}</text></g>\n",
        x = (x1 + x2) / 2.0,
        y = middle + 4.0,
    )
}

fn node(service: &str, hue: usize, (x, y): (f64, f64)) -> String {
    let (name, namespace) = service.split_once('.').unwrap_or((service, ""));
    let middle = x + NODE.0 / 2.0;
    format!(
        "<g class=\"node\"><rect class=\"hue-{hue}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\
         <text x=\"{middle}\" y=\"{first}\">{name}</text>\
         <text class=\"namespace\" x=\"{middle}\" y=\"{second}\">{namespace}</text></g>\n",
        width = NODE.0,
        height = NODE.1,
        first = y + 21.0,
        second = y + 38.0,
        name = escape(name),
        namespace = escape(namespace),
    )
}
