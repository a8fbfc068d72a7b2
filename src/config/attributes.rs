//! Which of Envoy's attributes a tag may read, and of what type they are (Envoy, "Attributes").

use super::problem::near_miss;
use crate::policy::tags::AttributeType::{self, Bool, Int, String as Text, Timestamp, Uint};

/// Attributes that have a value when the request's headers are there.
const KNOWN: [(&[&str], AttributeType); 40] = [
    (&["request", "path"], Text),
    (&["request", "url_path"], Text),
    (&["request", "host"], Text),
    (&["request", "scheme"], Text),
    (&["request", "method"], Text),
    (&["request", "referer"], Text),
    (&["request", "useragent"], Text),
    (&["request", "time"], Timestamp),
    (&["request", "id"], Text),
    (&["request", "protocol"], Text),
    (&["request", "query"], Text),
    (&["request", "size"], Int),
    (&["source", "address"], Text),
    (&["source", "port"], Int),
    (&["destination", "address"], Text),
    (&["destination", "port"], Int),
    (&["connection", "id"], Uint),
    (&["connection", "mtls"], Bool),
    (&["connection", "requested_server_name"], Text),
    (&["connection", "tls_version"], Text),
    (&["connection", "subject_local_certificate"], Text),
    (&["connection", "subject_peer_certificate"], Text),
    (&["connection", "dns_san_local_certificate"], Text),
    (&["connection", "dns_san_peer_certificate"], Text),
    (&["connection", "uri_san_local_certificate"], Text),
    (&["connection", "uri_san_peer_certificate"], Text),
    (&["connection", "sha256_peer_certificate_digest"], Text),
    (&["xds", "cluster_name"], Text),
    (&["xds", "route_name"], Text),
    (&["xds", "virtual_host_name"], Text),
    (&["xds", "filter_chain_name"], Text),
    (&["xds", "listener_direction"], Int),
    (&["xds", "node", "id"], Text),
    (&["xds", "node", "cluster"], Text),
    (&["xds", "node", "locality", "region"], Text),
    (&["xds", "node", "locality", "zone"], Text),
    (&["xds", "node", "locality", "sub_zone"], Text),
    (&["plugin_name"], Text),
    (&["plugin_root_id"], Text),
    (&["plugin_vm_id"], Text),
];

/// Maps whose entries have names of their own; a path must go below them.
const MAPS: [&[&str]; 9] = [
    &["request", "headers"],
    &["xds", "node", "metadata"],
    &["xds", "cluster_metadata", "filter_metadata"],
    &["xds", "route_metadata", "filter_metadata"],
    &["xds", "listener_metadata", "filter_metadata"],
    &["xds", "virtual_host_metadata", "filter_metadata"],
    &["metadata", "filter_metadata"],
    &["filter_state"],
    &["upstream_filter_state"],
];

/// Known only when the upstream was chosen or has answered; tags are read with the request.
const LATER: [&str; 2] = ["response", "upstream"];
const LATER_IN_REQUEST: [&str; 2] = ["duration", "total_size"];

/// The elements of a path; `\.` is a dot inside one. `None` where an element is empty.
pub fn split(path: &str) -> Option<Vec<String>> {
    let mut elements = vec![String::new()];
    let mut chars = path.chars().peekable();
    while let Some(char) = chars.next() {
        let element = elements.last_mut()?;
        match char {
            '.' => elements.push(String::new()),
            '\\' if chars.peek() == Some(&'.') => element.extend(chars.next()),
            // The host separates elements by it.
            '\0' => return None,
            _ => element.push(char),
        }
    }
    (!elements.iter().any(String::is_empty)).then_some(elements)
}

/// The attribute's type where it is known, or why it cannot be a tag.
pub fn check(path: &[String]) -> Result<Option<AttributeType>, String> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    if let Some((_, kind)) = KNOWN.iter().find(|(known, _)| *known == path) {
        return Ok(Some(*kind));
    }
    if MAPS
        .iter()
        .any(|map| path.len() > map.len() && path.starts_with(map))
    {
        return Ok(None);
    }
    let written = path.join(".");
    let is_later = match path.as_slice() {
        ["request", field] => LATER_IN_REQUEST.contains(field),
        [first, ..] => LATER.contains(first),
        [] => false,
    };
    if is_later {
        return Err(format!(
            "{written} is known only after the request was sent; tags are read with the request's headers"
        ));
    }
    let is_parent = KNOWN
        .iter()
        .map(|(known, _)| *known)
        .chain(MAPS)
        .any(|known| known.starts_with(&path));
    if is_parent {
        return Err(format!("{written} is not one value; name a field below it"));
    }
    let names: Vec<String> = KNOWN.iter().map(|(known, _)| known.join(".")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Err(match near_miss(&written, &names) {
        Some(meant) => format!("{written} is no attribute, did you mean {meant}?"),
        None => format!("{written} is no attribute that a request has"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_at_dots_that_are_not_escaped() {
        for (path, expected) in [
            ("xds.cluster_name", Some(vec!["xds", "cluster_name"])),
            (
                r"xds.node.metadata.LABELS.app\.kubernetes\.io/name",
                Some(vec![
                    "xds",
                    "node",
                    "metadata",
                    "LABELS",
                    "app.kubernetes.io/name",
                ]),
            ),
            ("plugin_name", Some(vec!["plugin_name"])),
            (r"a\b", Some(vec![r"a\b"])),
            ("", None),
            ("a..b", None),
            (".a", None),
            ("a.", None),
            ("a\0b", None),
        ] {
            let split = split(path);
            let split: Option<Vec<&str>> = split
                .as_ref()
                .map(|elements| elements.iter().map(String::as_str).collect());
            assert_eq!(split, expected, "{path:?}");
        }
    }

    #[test]
    fn parents_strangers_and_late_attributes_are_refused() {
        for (path, expected) in [
            ("xds.cluster_name", Ok(Some(Text))),
            ("source.port", Ok(Some(Int))),
            ("request.headers.x-tenant", Ok(None)),
            ("filter_state.downstream_peer.workload", Ok(None)),
            ("xds", Err("not one value")),
            ("request", Err("not one value")),
            ("xds.node", Err("not one value")),
            ("xds.node.metadata", Err("not one value")),
            ("request.headers", Err("not one value")),
            ("response.code", Err("known only after")),
            ("upstream.address", Err("known only after")),
            ("request.duration", Err("known only after")),
            ("xds.clustername", Err("did you mean xds.cluster_name?")),
            ("nonsense", Err("no attribute")),
        ] {
            match (check(&split(path).unwrap()), expected) {
                (Ok(kind), Ok(expected)) => assert_eq!(kind, expected, "{path}"),
                (Err(message), Err(part)) => assert!(message.contains(part), "{path}: {message}"),
                (got, expected) => panic!("{path}: got {got:?}, expected {expected:?}"),
            }
        }
    }
}
