//! W3C Baggage: untouched, unless a tag is to travel in it.

use super::trim_ows;

/// W3C Baggage §3.3.2: what every platform must carry. Beyond it nothing is added.
const MAX_MEMBERS: usize = 64;
const MAX_BYTES: usize = 8192;

/// The `baggage` value that holds `members` (names are tokens, values plain text) beside what came in, or `None`
/// where nothing has to change.
///
/// Members that came in keep their bytes and order; one of the same name is replaced in its place, since two values
/// of one key would leave the choice to the reader. A member that would pass the limits is left out.
pub fn with_members<'a>(
    fields: impl Iterator<Item = &'a [u8]>,
    members: &[(&str, &str)],
) -> Option<Vec<u8>> {
    let mut list: Vec<Vec<u8>> = fields
        .flat_map(|field| field.split(|byte| *byte == b','))
        .filter(|member| !trim_ows(member).is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    let mut changed = false;
    for (name, value) in members {
        let member = encoded(name, value);
        let before = list.iter().position(|member| is_named(member, name));
        let is_there = before
            .and_then(|index| list.get(index))
            .is_some_and(|there| trim_ows(there) == member);
        if is_there {
            continue;
        }
        let replaced = before
            .and_then(|index| list.get(index))
            .map_or(0, |there| there.len().saturating_add(1));
        let size = size(&list).saturating_sub(replaced);
        if size.saturating_add(member.len()) > MAX_BYTES
            || (before.is_none() && list.len() >= MAX_MEMBERS)
        {
            continue;
        }
        match before.and_then(|index| list.get_mut(index)) {
            Some(there) => *there = member,
            None => list.push(member),
        }
        changed = true;
    }
    changed.then(|| list.join(b",".as_slice()))
}

/// Bytes of all members, each with the comma after it.
fn size(list: &[Vec<u8>]) -> usize {
    list.iter()
        .map(|member| member.len().saturating_add(1))
        .fold(0, usize::saturating_add)
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
            (vec![], "t", "1", Some("t=1"), "a first member"),
            (
                vec!["a=1 ; p, b=2"],
                "t",
                "1",
                Some("a=1 ; p, b=2,t=1"),
                "others keep their bytes",
            ),
            (
                vec!["a=1", "b=2"],
                "t",
                "1",
                Some("a=1,b=2,t=1"),
                "several fields are one list",
            ),
            (
                vec!["a=1, t=0;p,b=2"],
                "t",
                "1",
                Some("a=1,t=1,b=2"),
                "replaced in its place",
            ),
            (vec!["a=1, t=1 "], "t", "1", None, "there already"),
            (
                vec![""],
                "t",
                "a b,é%",
                Some("t=a%20b%2C%C3%A9%25"),
                "percent-encoded",
            ),
            (vec![full.as_str()], "t", "1", None, "a 65th member"),
            (vec![long.as_str()], "t", "1", None, "past 8192 bytes"),
        ] {
            let got = with_members(
                fields.iter().map(|field| field.as_bytes()),
                &[(name, value)],
            );
            let got = got.map(|value| String::from_utf8(value).unwrap());
            assert_eq!(got.as_deref(), expected, "{why}");
        }
    }
}
