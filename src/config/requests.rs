//! `match` of a rule: which requests it is for.

use super::{Problem, reader::Node, tags::header_name};
use crate::policy::{
    pattern::{MAX_PATTERN, MAX_PATTERNS, Pattern},
    requests::Requests,
};

pub fn load(node: &Node<'_>) -> Result<Requests, Problem> {
    let fields = node.object(&["paths", "methods", "hosts", "userAgents", "headers"])?;
    let requests = Requests {
        paths: list(fields.get("paths"), &path)?,
        methods: list(fields.get("methods"), &method)?,
        hosts: list(fields.get("hosts"), &host)?,
        user_agents: patterns(fields.get("userAgents"), Pattern::new)?,
        headers: match fields.get("headers") {
            None => Vec::new(),
            Some(node) => headers(&node)?,
        },
    };
    if requests == Requests::default() {
        return Err(node.problem(
            "expected at least one of paths, methods, hosts, userAgents, headers; what is for every request goes into sampling.sampler",
        ));
    }
    Ok(requests)
}

/// At least one, where there is a list.
pub fn patterns(node: Option<Node<'_>>, new: fn(&str) -> Pattern) -> Result<Vec<Pattern>, Problem> {
    list(node, &|item| Ok(new(&item.text(MAX_PATTERN)?)))
}

fn path(item: &Node<'_>) -> Result<Pattern, Problem> {
    let text = item.text(MAX_PATTERN)?;
    if !text.starts_with(['/', '*']) || text.contains(['?', '#']) {
        return Err(item.expected("a path, which begins with / or *, without the query"));
    }
    Ok(Pattern::new(&text))
}

fn method(item: &Node<'_>) -> Result<Pattern, Problem> {
    let text = item.text(MAX_PATTERN)?;
    // RFC 9110, section 9.1: case-sensitive, and all that are registered are written so.
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Err(item.expected("a method in capitals"));
    }
    Ok(Pattern::new(&text))
}

/// Hosts have no case. With what a request's host is compared without, a pattern would never match.
pub(super) fn host(node: &Node<'_>) -> Result<Pattern, Problem> {
    let text = node.text(MAX_PATTERN)?.to_ascii_lowercase();
    let host = bare(&text);
    if !host.is_empty() && host == text {
        return Ok(Pattern::new(host));
    }
    let mut problem = node.expected("a host without scheme, user, port, path and a dot at its end");
    problem.message.push_str(&match host {
        "" => "; * is every host".to_owned(),
        host => format!("; write {host}"),
    });
    Err(problem)
}

/// The host of an address.
fn bare(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest
        .split_once('/')
        .map_or(rest, |(authority, _)| authority);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let end = if host.contains(['[', ']']) {
        host.find("]:").map(|bracket| bracket.saturating_add(1))
    } else {
        host.find(':')
    };
    let host = end.and_then(|end| host.get(..end)).unwrap_or(host);
    host.trim_end_matches('.')
}

/// What a rule compares with: some, where it is given.
pub(super) fn list<'a, T>(
    node: Option<Node<'a>>,
    read: &dyn Fn(&Node<'a>) -> Result<T, Problem>,
) -> Result<Vec<T>, Problem> {
    let Some(node) = node else {
        return Ok(Vec::new());
    };
    let items = node.list()?;
    if items.is_empty() || items.len() > MAX_PATTERNS {
        let got = items.len();
        return Err(node.problem(format!("expected 1 to {MAX_PATTERNS} patterns, got {got}")));
    }
    items.iter().map(read).collect()
}

fn headers(node: &Node<'_>) -> Result<Vec<(String, Vec<Pattern>)>, Problem> {
    let headers: Vec<_> = node.map()?.fields().collect();
    if headers.len() > MAX_PATTERNS {
        return Err(node.problem(format!("expected at most {MAX_PATTERNS} headers")));
    }
    headers
        .into_iter()
        .map(|(name, node)| {
            Ok((
                header_name(&node, name)?,
                patterns(Some(node), Pattern::new)?,
            ))
        })
        .collect()
}
