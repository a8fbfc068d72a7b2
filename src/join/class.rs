//! Routes and callees by 32 bits each. They only tell apart what is learned; two that share a number are learned as one.

use std::hash::{DefaultHasher, Hasher as _};

/// No class: what cannot be told.
pub const NONE: u32 = 0;

/// The route of an inbound request: its method, and its path without the query and with `*` for each segment that varies.
pub fn route(method: &[u8], path: &[u8]) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write(method);
    for segment in segments(path) {
        hasher.write_u8(b'/');
        hasher.write(if varies(segment) { b"*" } else { segment });
    }
    class(&hasher)
}

/// The route that a configuration declares.
pub fn declared(pattern: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(0);
    hasher.write(pattern.as_bytes());
    class(&hasher)
}

/// Whom a call goes to: the authority without a default port, and the first segment of the path. One host often has several
/// things to offer, of which a background job uses one; a whole path would be more classes than there is room for.
pub fn callee(authority: &[u8], path: &[u8]) -> u32 {
    let mut hasher = DefaultHasher::new();
    for byte in without_default_port(authority) {
        hasher.write_u8(byte.to_ascii_lowercase());
    }
    let segment = segments(path).next().unwrap_or_default();
    hasher.write_u8(b'/');
    hasher.write(if varies(segment) { b"*" } else { segment });
    class(&hasher)
}

/// Whether an authority is of that host: the same name, or one of Kubernetes' longer or shorter ones for it.
pub fn is_host(authority: &[u8], host: &str) -> bool {
    let name = authority.split(|byte| *byte == b':').next();
    let mut labels = name.unwrap_or_default().split(|byte| *byte == b'.');
    let mut declared = host.as_bytes().split(|byte| *byte == b'.');
    let is_label = |one: &[u8], other: &[u8]| !one.is_empty() && one.eq_ignore_ascii_case(other);
    let mut is_first = true;
    loop {
        match (labels.next(), declared.next()) {
            (Some(one), Some(other)) if is_label(one, other) => {}
            (Some(_), Some(_)) => return false,
            (one, _) => {
                // `reviews` for `reviews.bookinfo`, and `reviews.bookinfo.svc.cluster.local`; no other domain that begins like it.
                return !is_first && one.is_none_or(|label| label == b"svc");
            }
        }
        is_first = false;
    }
}

fn without_default_port(authority: &[u8]) -> &[u8] {
    let default = [&b":80"[..], b":443"]
        .iter()
        .find_map(|port| authority.strip_suffix(*port));
    default.unwrap_or(authority)
}

fn class(hasher: &DefaultHasher) -> u32 {
    let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
    u32::from_le_bytes([a, b, c, d]).max(1)
}

fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = path.split(|byte| matches!(byte, b'?' | b'#')).next();
    let segments = path.unwrap_or_default().split(|byte| *byte == b'/');
    segments.filter(|segment| !segment.is_empty())
}

/// Numbers, ids and whatever is too long for a word.
fn varies(segment: &[u8]) -> bool {
    let digits = segment.iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_hex = segment
        .iter()
        .all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    segment.len() > 32
        || digits == segment.len()
        || (is_hex && digits > 0 && segment.len() >= 8)
        || digits.saturating_mul(4) >= segment.len() && segment.len() >= 8
        || segment.contains(&b'%')
        || segment.contains(&b'@')
}
