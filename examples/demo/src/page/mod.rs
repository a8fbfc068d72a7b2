//! What was traced as one HTML file that needs nothing else: no script, no font, no network.

mod escape;
mod graph;
mod layers;
mod waterfall;

use crate::traced::Traced;
use anyhow::{Context, Result};
use escape::escape;
use std::fs;
use std::path::Path;
use throughline_demo::trace::Graph;

const STYLE: &str = include_str!("style.css");

/// Writes the page, and the directory that it is to be in.
pub fn write(path: &Path, envoy: &str, traced: &[Traced]) -> Result<()> {
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, html(envoy, traced)));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// The whole page.
fn html(envoy: &str, traced: &[Traced]) -> String {
    let traces: Vec<_> = traced.iter().flat_map(|traced| &traced.traces).collect();
    let graph = Graph::of(&traces);
    let hue = |service: &str| {
        let known = graph.services.iter().position(|known| known == service);
        known.unwrap_or(0)
    };
    let (mut links, mut sections) = (String::new(), String::new());
    for (number, traced) in (1..).zip(traced) {
        let title = escape(traced.title);
        links += &format!("<li><a href=\"#request-{number}\">{title}</a></li>");
        sections += &waterfall::section(number, traced, hue);
    }
    let spans: usize = traces.iter().map(|trace| trace.rows.len()).sum();
    format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Throughline: Bookinfo, hop by hop</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>Bookinfo, hop by hop</h1>
<p>{count} requests through Istio’s Bookinfo behind real Envoys ({envoy}), and the {spans} spans that Throughline exported
from inside of them. The applications only copied trace headers, each in another format; they made no spans.</p>
<nav aria-label="On this page"><ul>{links}<li><a href="#graph">Service graph</a></li></ul></nav>
</header>
<main>
{sections}{graph}</main>
</body>
</html>
"##,
        count = traced.len(),
        envoy = escape(envoy),
        graph = graph::section(&graph),
    )
}
