//! `match` of a rule: which requests it is for.

use super::{Problem, reader::Node, tags::header_name};
use crate::policy::{
    pattern::{MAX_PATTERN, MAX_PATTERNS, Pattern},
    requests::Requests,
};

pub fn load(node: &Node<'_>) -> Result<Requests, Problem> {
    let fields = node.object(&["paths", "methods", "hosts", "userAgents", "headers"])?;
    let patterns = |name: &str| -> Result<Vec<Pattern>, Problem> {
        let node = fields.get(name);
        Ok(node
            .map(|node| list(&node))
            .transpose()?
            .unwrap_or_default())
    };
    let headers = match fields.get("headers") {
        None => Vec::new(),
        Some(node) => headers(&node)?,
    };
    let requests = Requests {
        paths: patterns("paths")?,
        methods: patterns("methods")?,
        hosts: fields
            .get("hosts")
            .map(|node| hosts(&node))
            .transpose()?
            .unwrap_or_default(),
        user_agents: patterns("userAgents")?,
        headers,
    };
    if requests == Requests::default() {
        return Err(node.problem(
            "expected at least one of paths, methods, hosts, userAgents, headers; what is for every request goes into sampling.sampler",
        ));
    }
    Ok(requests)
}

/// Patterns, at least one.
pub fn list(node: &Node<'_>) -> Result<Vec<Pattern>, Problem> {
    texts(node)?
        .iter()
        .map(|text| Ok(Pattern::new(text)))
        .collect()
}

/// Hosts have no case.
fn hosts(node: &Node<'_>) -> Result<Vec<Pattern>, Problem> {
    let texts = texts(node)?;
    Ok(texts
        .iter()
        .map(|text| Pattern::new(&text.to_ascii_lowercase()))
        .collect())
}

fn texts(node: &Node<'_>) -> Result<Vec<String>, Problem> {
    let items = node.list()?;
    if items.is_empty() || items.len() > MAX_PATTERNS {
        let got = items.len();
        return Err(node.problem(format!("expected 1 to {MAX_PATTERNS} patterns, got {got}")));
    }
    items.iter().map(|item| item.text(MAX_PATTERN)).collect()
}

fn headers(node: &Node<'_>) -> Result<Vec<(String, Vec<Pattern>)>, Problem> {
    let headers: Vec<_> = node.map()?.fields().collect();
    if headers.len() > MAX_PATTERNS {
        return Err(node.problem(format!("expected at most {MAX_PATTERNS} headers")));
    }
    headers
        .into_iter()
        .map(|(name, node)| Ok((header_name(&node, name)?, list(&node)?)))
        .collect()
}
