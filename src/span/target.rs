//! Paths, queries and authorities, as far as they may be shown.

use std::borrow::Cow;

use crate::text::shown;

/// What may be shown of `:path`.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    pub path: Cow<'a, str>,
    /// With its question mark; empty where there is none, or where it is not shown.
    pub query: Cow<'a, str>,
}

impl<'a> Target<'a> {
    /// Both parts together have at most `most` bytes.
    pub fn of(path: &'a [u8], most: usize, redact_query: bool) -> Self {
        let end = path.iter().position(|byte| matches!(byte, b'?' | b'#'));
        let (path, query) = path
            .split_at_checked(end.unwrap_or(path.len()))
            .unwrap_or((path, &[]));
        let query = if redact_query { &[] } else { query };
        Self {
            path: shown(path, most),
            query: shown(query, most.saturating_sub(path.len())),
        }
    }
}

/// `host:port`, `[address]:port`, or a host alone.
pub fn host_and_port(text: &str) -> (&str, Option<u16>) {
    match text.rsplit_once(':') {
        // An address without brackets has more colons than one.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (without_brackets(host), Some(port)),
            Err(_) => (text, None),
        },
        _ => (without_brackets(text), None),
    }
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_its_port_are_taken_apart() {
        for (text, expected) in [
            ("reviews:9080", ("reviews", Some(9080))),
            ("reviews", ("reviews", None)),
            ("10.0.0.1:80", ("10.0.0.1", Some(80))),
            ("[::1]:80", ("::1", Some(80))),
            ("[::1]", ("::1", None)),
            ("::1", ("::1", None)),
            ("reviews:http", ("reviews:http", None)),
            ("reviews:99999", ("reviews:99999", None)),
            ("", ("", None)),
        ] {
            assert_eq!(host_and_port(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_may_carry_secrets_is_not_shown() {
        for (path, most, redact, expected, why) in [
            ("/a?token=x", 256, true, ("/a", ""), "the query goes"),
            ("/a?b=c", 256, false, ("/a", "?b=c"), "unless it is wanted"),
            ("/a#frag?x", 256, true, ("/a", ""), "a fragment is no path"),
            ("/abc?d=e", 3, false, ("/ab", ""), "the limit counts both"),
            (
                "/abc?d=e",
                6,
                false,
                ("/abc", "?d"),
                "the limit counts both",
            ),
            ("", 256, true, ("", ""), "CONNECT has no path"),
        ] {
            let target = Target::of(path.as_bytes(), most, redact);
            assert_eq!((&*target.path, &*target.query), expected, "{why}");
        }
    }
}
