//! W3C Baggage: untouched, unless a tag is to travel in it.

use std::borrow::Cow;

use super::trim_ows;

/// W3C Baggage §3.3.2: what every platform must carry. Beyond it nothing is added.
const MAX_MEMBERS: usize = 64;
const MAX_BYTES: usize = 8192;

/// The `baggage` value that says of each name what `members` says, beside what came in; `None` where nothing has to
/// change. Names are tokens, values plain text; a name without a value is not to be there.
///
/// Other members keep their bytes and order. Of a name that came in, the first is replaced in its place and others are
/// removed: two values of one key would leave the choice to the reader. A member that
/// would pass the limits is left out. An empty value asks for the header to be removed.
pub fn with_members<'a>(
    fields: impl Iterator<Item = &'a [u8]> + Clone,
    members: &[(&str, Option<Cow<'_, str>>)],
) -> Option<Vec<u8>> {
    let came_in = fields
        .flat_map(|field| field.split(|byte| *byte == b','))
        .filter(|member| !trim_ows(member).is_empty());
    let (count, bytes) = came_in
        .clone()
        .fold((0_usize, 0_usize), |(count, bytes), member| {
            (
                count.saturating_add(1),
                bytes.saturating_add(member.len()).saturating_add(1),
            )
        });
    if members.is_empty() {
        return None;
    }
    // Beyond the limits nothing is added, but what a client sent under a tag's name does not pass either.
    let is_full = count > MAX_MEMBERS || bytes > MAX_BYTES;
    let mut list: Vec<Cow<'a, [u8]>> = came_in
        .filter(|member| !is_full || !members.iter().any(|(name, _)| is_named(member, name)))
        .map(Cow::Borrowed)
        .collect();
    let mut changed = list.len() != count;
    if is_full {
        return changed.then(|| list.join(b",".as_slice()));
    }
    for (name, value) in members {
        changed |= match value {
            Some(value) => set(&mut list, name, encoded(name, value)),
            None => keep_first(&mut list, name, false),
        };
    }
    changed.then(|| list.join(b",".as_slice()))
}

/// Makes `member` the only one of its name, if there is room. Whether that changed anything.
fn set(list: &mut Vec<Cow<'_, [u8]>>, name: &str, member: Vec<u8>) -> bool {
    let removed = keep_first(list, name, true);
    let there = list.iter().position(|there| is_named(there, name));
    let there = there.and_then(|index| list.get_mut(index));
    if there
        .as_ref()
        .is_some_and(|there| trim_ows(there) == member)
    {
        return removed;
    }
    let replaced = there
        .as_ref()
        .map_or(0, |there| there.len().saturating_add(1));
    let is_new = there.is_none();
    let size = list
        .iter()
        .map(|member| member.len().saturating_add(1))
        .fold(member.len(), usize::saturating_add)
        .saturating_sub(replaced);
    if size > MAX_BYTES || (is_new && list.len() >= MAX_MEMBERS) {
        // No room for the new value, and the old one is not the tag's.
        return keep_first(list, name, false) || removed;
    }
    match list.iter_mut().find(|there| is_named(there, name)) {
        Some(there) => *there = Cow::Owned(member),
        None => list.push(Cow::Owned(member)),
    }
    true
}

/// Removes the members of that name, the first one apart if `first` is to stay. Whether there were any.
fn keep_first(list: &mut Vec<Cow<'_, [u8]>>, name: &str, mut first: bool) -> bool {
    let before = list.len();
    list.retain(|member| !is_named(member, name) || core::mem::take(&mut first));
    list.len() != before
}

fn is_named(member: &[u8], name: &str) -> bool {
    let key = member
        .split(|byte| matches!(byte, b'=' | b';'))
        .next()
        .unwrap_or_default();
    trim_ows(key) == name.as_bytes()
}

/// `name=value`, the value percent-encoded outside baggage-octet (§3.2.1.1).
fn encoded(name: &str, value: &str) -> Vec<u8> {
    let mut member = name.as_bytes().to_vec();
    member.push(b'=');
    for byte in value.bytes() {
        if matches!(byte, 0x21 | 0x23..=0x24 | 0x26..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
        {
            member.push(byte);
        } else {
            let digit = |nibble: u8| {
                b"0123456789ABCDEF"
                    .get(usize::from(nibble))
                    .copied()
                    .unwrap_or(b'0')
            };
            member.extend([b'%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    member
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_added_replaced_or_left() {
        let full: String = (0..64).map(|n| format!("k{n}=v,")).collect();
        let long = format!("a={}", "x".repeat(8190));
        for (fields, name, value, expected, why) in [
            (vec![], "t", Some("1"), Some("t=1"), "a first member"),
            (
                vec!["a=1 ; p, b=2"],
                "t",
                Some("1"),
                Some("a=1 ; p, b=2,t=1"),
                "others keep their bytes",
            ),
            (
                vec!["a=1", "b=2"],
                "t",
                Some("1"),
                Some("a=1,b=2,t=1"),
                "several fields are one list",
            ),
            (
                vec!["a=1, t=0;p,b=2"],
                "t",
                Some("1"),
                Some("a=1,t=1,b=2"),
                "replaced in its place",
            ),
            (
                vec!["t=0,b=2,t=9"],
                "t",
                Some("1"),
                Some("t=1,b=2"),
                "one of a name leaves",
            ),
            (
                vec!["t=1,b=2,t=9"],
                "t",
                Some("1"),
                Some("t=1,b=2"),
                "also where the first is right",
            ),
            (
                vec!["a=1,t=0"],
                "t",
                None,
                Some("a=1"),
                "what a client sent is not the tag",
            ),
            (vec!["a=1"], "t", None, None, "nothing to remove"),
            (vec!["t=0"], "t", None, Some(""), "nothing is left"),
            (
                vec!["t=0", full.as_str()],
                "t",
                Some("1"),
                Some(full.trim_end_matches(',')),
                "padding forges nothing",
            ),
            (vec!["a=1, t=1 "], "t", Some("1"), None, "there already"),
            (
                vec![""],
                "t",
                Some("a b,é%"),
                Some("t=a%20b%2C%C3%A9%25"),
                "percent-encoded",
            ),
            (vec![full.as_str()], "t", Some("1"), None, "a 65th member"),
            (vec![long.as_str()], "t", Some("1"), None, "past 8192 bytes"),
        ] {
            let got = with_members(
                fields.iter().map(|field| field.as_bytes()),
                &[(name, value.map(Cow::Borrowed))],
            );
            let got = got.map(|value| String::from_utf8(value).unwrap());
            assert_eq!(got.as_deref(), expected, "{why}");
        }
    }
}
