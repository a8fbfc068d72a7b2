//! Which requests a rule is for.

use std::borrow::Cow;

use super::pattern::Pattern;
use crate::propagation::Headers;

/// All of what is given has to match; of each list one pattern is enough. An empty list is not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Without the query.
    pub paths: Vec<Pattern>,
    pub methods: Vec<Pattern>,
    /// Lower case, without the port.
    pub hosts: Vec<Pattern>,
    pub user_agents: Vec<Pattern>,
    /// By lower-case name.
    pub headers: Vec<(String, Vec<Pattern>)>,
}

impl Requests {
    pub fn include(&self, headers: &Headers) -> bool {
        let matches = |patterns: &[Pattern], name: &str, shape: fn(&[u8]) -> &[u8]| {
            patterns.is_empty()
                || headers
                    .first(name)
                    .is_some_and(|value| any(patterns, shape(value)))
        };
        matches(&self.methods, ":method", |method| method)
            && matches(&self.paths, ":path", without_query)
            && matches(&self.user_agents, "user-agent", |agent| agent)
            && (self.hosts.is_empty() || is_host(&self.hosts, headers))
            && self
                .headers
                .iter()
                .all(|(name, patterns)| headers.all(name).any(|value| any(patterns, value)))
    }
}

/// Whether one of `patterns`, which are lower case, is for the host that the request names.
pub(super) fn is_host(patterns: &[Pattern], headers: &Headers) -> bool {
    any(patterns, &host(headers))
}

/// `:authority` in lower case, without a user, the port and the dot that ends a name that is whole. A request that names no host
/// has the empty one.
fn host(headers: &Headers) -> Cow<'_, [u8]> {
    let authority = headers.first(":authority").unwrap_or_default();
    let host = authority.rsplit(|byte| *byte == b'@').next();
    let host = without_port(host.unwrap_or(authority));
    let host = host.strip_suffix(b".").unwrap_or(host);
    if host.iter().any(u8::is_ascii_uppercase) {
        host.to_ascii_lowercase().into()
    } else {
        host.into()
    }
}

pub(super) fn any(patterns: &[Pattern], text: &[u8]) -> bool {
    patterns.iter().any(|pattern| pattern.matches(text))
}

fn without_query(path: &[u8]) -> &[u8] {
    path.split(|byte| matches!(byte, b'?' | b'#'))
        .next()
        .unwrap_or(path)
}

fn without_port(authority: &[u8]) -> &[u8] {
    let digits = authority
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit());
    let end = authority.len().saturating_sub(digits.count());
    match authority.get(..end) {
        // The digits may be none (RFC 3986 §3.2.3).
        Some([host @ .., b':']) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_port_is_cut() {
        for (authority, host) in [
            ("a.b:80", "a.b"),
            ("a.b", "a.b"),
            ("a.b:", "a.b"),
            ("[::1]:", "[::1]"),
            ("80", "80"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(without_port(authority.as_bytes()), host.as_bytes());
        }
    }
}
