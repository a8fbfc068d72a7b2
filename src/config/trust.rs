//! `trust`.

use super::{
    Problem,
    reader::{Node, Object, quoted},
    requests::{host, list},
};
use crate::policy::{
    cidr::{Cidr, NoCidr},
    pattern::{MAX_PATTERN, MAX_PATTERNS, Pattern},
    place::Place,
    trust::{Action, MAX_RULES, Peers, Rule},
};

const ACTIONS: [(&str, Action); 4] = [
    ("continue", Action::Continue),
    ("restart", Action::Restart),
    ("ignore", Action::Ignore),
    ("strip", Action::Strip),
];

const PLACES: [(&str, Place); 4] = [
    ("sidecar-inbound", Place::SidecarInbound),
    ("sidecar-outbound", Place::SidecarOutbound),
    ("gateway", Place::Gateway),
    ("waypoint", Place::Waypoint),
];

const MATCHES: [&str; 8] = [
    "proxy",
    "namespaces",
    "labels",
    "peer",
    "principals",
    "sourceCidrs",
    "hosts",
    "external",
];

/// Those of them that are about who sends.
const OF_PEERS: [&str; 3] = ["peer", "principals", "sourceCidrs"];

pub fn load(node: Option<&Node<'_>>) -> Result<Vec<Rule>, Problem> {
    let Some(node) = node else {
        return Ok(Vec::new());
    };
    let rules = node.list()?;
    if rules.len() > MAX_RULES {
        return Err(node.problem(format!(
            "expected at most {MAX_RULES} rules, got {}",
            rules.len()
        )));
    }
    rules.iter().map(rule).collect()
}

fn rule(node: &Node<'_>) -> Result<Rule, Problem> {
    let rule = node.object(&["match", "action"])?;
    let criteria = rule.required("match")?;
    let fields = criteria.object(&MATCHES)?;
    let place = fields.get("proxy").map(|node| node.choice(&PLACES));
    let external = fields.get("external").map(|node| node.bool());
    let rule = Rule {
        place: place.transpose()?,
        namespaces: list(fields.get("namespaces"), &|item| item.text(MAX_PATTERN))?,
        labels: labels(&fields)?,
        peers: peers(&fields)?,
        hosts: list(fields.get("hosts"), &host)?,
        external: external.transpose()?,
        action: rule.required("action")?.choice(&ACTIONS)?,
    };
    let given = |name: &&str| fields.get(name);
    if let (Some(Place::SidecarOutbound), Some(peer)) =
        (rule.place, OF_PEERS.iter().find_map(given))
    {
        return Err(peer.problem(
            "the peer of sidecar-outbound is the proxy's own application, which this is never for; take it out, or proxy",
        ));
    }
    if MATCHES.iter().find_map(given).is_none() {
        let names = MATCHES.join(", ");
        return Err(criteria.problem(format!(
            "expected at least one of {names}; what is for every request says hosts: [\"*\"]"
        )));
    }
    Ok(rule)
}

fn labels(fields: &Object<'_>) -> Result<Vec<(String, String)>, Problem> {
    let Some(node) = fields.get("labels") else {
        return Ok(Vec::new());
    };
    let labels: Vec<_> = node.map()?.fields().collect();
    if labels.is_empty() || labels.len() > MAX_PATTERNS {
        let got = labels.len();
        return Err(node.problem(format!("expected 1 to {MAX_PATTERNS} labels, got {got}")));
    }
    labels
        .into_iter()
        .map(|(name, value)| Ok((name.to_owned(), value.text(MAX_PATTERN)?)))
        .collect()
}

fn peers(fields: &Object<'_>) -> Result<Peers, Problem> {
    let peer = fields.get("peer");
    let unauthenticated = peer.map(|node| node.choice(&[("unauthenticated", true)]));
    let unauthenticated = unauthenticated.transpose()?.unwrap_or(false);
    let principals = fields.get("principals");
    if let (true, Some(node)) = (unauthenticated, &principals) {
        return Err(node.problem("a peer that is unauthenticated has none; keep one of the two"));
    }
    Ok(Peers {
        unauthenticated,
        principals: list(principals, &|item| Ok(principal(&item.text(MAX_PATTERN)?)))?,
        sources: list(fields.get("sourceCidrs"), &cidr)?,
    })
}

fn principal(text: &str) -> Pattern {
    Pattern::new(text.strip_prefix("spiffe://").unwrap_or(text))
}

fn cidr(node: &Node<'_>) -> Result<Cidr, Problem> {
    let text = node.string()?;
    Cidr::parse(text).map_err(|why| match why {
        NoCidr::Syntax => node.expected("a range of addresses, as 10.0.0.0/8 or fd00::/8"),
        NoCidr::HostBits => node.problem(format!(
            "{} says more than its prefix; write zeros behind it",
            quoted(text)
        )),
    })
}
