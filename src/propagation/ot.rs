//! OpenTelemetry's member of a tracestate, `ot` (specification, trace/tracestate-handling.md): the threshold that a trace
//! was sampled by (`th`), and the randomness to compare with in place of the trace id's (`rv`).

use super::{
    carrier::trim_ows,
    tracecontext::{MAX_MEMBERS, MAX_VALUE},
};
use crate::trace::{Threshold, lower_hex};

/// What the member says. What is not as it is specified says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ot {
    /// Whether anything stands under `th`, good or bad.
    pub has_threshold: bool,
    pub threshold: Option<Threshold>,
    pub randomness: Option<u64>,
}

impl Ot {
    /// Reads a valid list, of one field or more. Of several `ot` the first counts: it is the last that was written.
    pub fn of<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut ot = Self::default();
        let Some(value) = members(fields).find_map(value_of_ot) else {
            return ot;
        };
        // Whatever its value: another reader may split less strictly than the grammar of a pair.
        ot.has_threshold = all_of(value, b"th:").next().is_some();
        ot.threshold = only(all_of(value, b"th:")).and_then(Threshold::parse);
        ot.randomness = only(all_of(value, b"rv:"))
            .filter(|digits| digits.len() == 14)
            .and_then(lower_hex)
            .and_then(|bits| u64::try_from(bits).ok());
        ot
    }
}

/// The list with that threshold, or without any: `ot` goes first, as what was changed last does (W3C §3.5); everything else
/// stays, in its order, as far as 32 members go. Where the member would be too long it has no threshold. Empty where nothing
/// is left.
pub fn with_threshold<'a>(
    fields: impl Iterator<Item = &'a [u8]> + Clone,
    threshold: Option<Threshold>,
) -> Vec<u8> {
    const START: &[u8] = b"ot=";
    let value = members(fields.clone())
        .find_map(value_of_ot)
        .unwrap_or_default();
    // As much as a list of its own takes.
    let mut list = Vec::with_capacity(32);
    list.extend_from_slice(START);
    push_value(&mut list, value, threshold);
    if list.len() > START.len().saturating_add(MAX_VALUE) {
        list.truncate(START.len());
        push_value(&mut list, value, None);
    }
    let mut count = 1_usize;
    if list == START {
        list.clear();
        count = 0;
    }
    for member in members(fields).filter(|member| value_of_ot(member).is_none()) {
        if count == MAX_MEMBERS {
            break;
        }
        if count > 0 {
            list.push(b',');
        }
        list.extend_from_slice(member);
        count = count.saturating_add(1);
    }
    list
}

/// `value` with `th` in place of what stood there. What is no `key:value` goes: beside it, others could not read the rest.
fn push_value(list: &mut Vec<u8>, value: &[u8], threshold: Option<Threshold>) {
    let mut push = |key: &[u8], value: &[u8]| {
        if !list.ends_with(b"=") {
            list.push(b';');
        }
        list.extend_from_slice(key);
        list.push(b':');
        list.extend_from_slice(value);
    };
    if let Some(threshold) = threshold {
        push(b"th", threshold.text().as_bytes());
    }
    for (key, value) in concerns(value) {
        if key != b"th" {
            push(key, value);
        }
    }
}

fn members<'a>(fields: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    fields
        .flat_map(|field| field.split(|byte| *byte == b','))
        .map(trim_ows)
        .filter(|member| !member.is_empty())
}

fn value_of_ot(member: &[u8]) -> Option<&[u8]> {
    member.strip_prefix(b"ot=")
}

/// What stands under that key and its colon.
fn all_of<'a>(value: &'a [u8], key: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    value
        .split(|byte| *byte == b';')
        .filter_map(move |concern| concern.strip_prefix(key))
}

/// Of two nobody knows which counts.
fn only<'a>(mut all: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    all.next().filter(|_| all.next().is_none())
}

/// The `key:value` pairs whose grammar is good.
fn concerns(value: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    value.split(|byte| *byte == b';').filter_map(|concern| {
        let colon = concern.iter().position(|byte| *byte == b':')?;
        let (key, value) = concern.split_at_checked(colon)?;
        let (_, value) = value.split_first()?;
        let (first, rest) = key.split_first()?;
        let is_key = first.is_ascii_lowercase()
            && rest
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_value = value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        (is_key && is_value).then_some((key, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(digits: &str) -> Option<Threshold> {
        Threshold::parse(digits.as_bytes())
    }

    fn fields<'a>(list: &'a [&str]) -> impl Iterator<Item = &'a [u8]> + Clone {
        list.iter().map(|field| field.as_bytes())
    }

    #[test]
    fn the_member_is_read() {
        const R: u64 = 0x6e_6d1a_7583_2a2f;
        for (list, has, th, rv, why) in [
            (&["ot=th:c"][..], true, Some("c"), None, "a threshold"),
            (
                &["ot=rv:6e6d1a75832a2f"],
                false,
                None,
                Some(R),
                "the specification's example",
            ),
            (
                &["ot=p:8;rv:6e6d1a75832a2f;th:8"],
                true,
                Some("8"),
                Some(R),
                "among others",
            ),
            (
                &["a=1", " ot=th:0 ,b=2"],
                true,
                Some("0"),
                None,
                "in any field",
            ),
            (&["ot=th:8,ot=th:c"], true, Some("8"), None, "the newest"),
            (&["ot=th:"], true, None, None, "no digits"),
            (&["ot=th:C"], true, None, None, "upper case"),
            (&["ot=th:123456789abcdef"], true, None, None, "15 digits"),
            (&["ot=th::8"], true, None, None, "no value of a pair"),
            (&["ot=k:v;th:c;th:8"], true, None, None, "twice"),
            (
                &["ot=rv:6e6d1a75832a2f;rv:00000000000000"],
                false,
                None,
                None,
                "twice",
            ),
            (&["ot=rv:6e6d1a75832a2"], false, None, None, "13 digits"),
            (&["ot=rv:6E6D1A75832A2F"], false, None, None, "upper case"),
            (&["t@ot=th:8"], false, None, None, "a tenant's, not ours"),
            (&["ott=th:8"], false, None, None, "another vendor"),
            (&["ot=what comes"], false, None, None, "no list"),
            (&[], false, None, None, "no field"),
        ] {
            let expected = Ot {
                has_threshold: has,
                threshold: th.and_then(threshold),
                randomness: rv,
            };
            assert_eq!(Ot::of(fields(list)), expected, "{why}: {list:?}");
        }
    }

    #[test]
    fn a_threshold_is_set_and_nothing_else_is_lost() {
        let long = format!("ot=k:{}", "x".repeat(250));
        let kept = format!("{long},a=1");
        let fits = format!("ot=k:{}", "x".repeat(249));
        let longest = format!("ot=th:8;k:{}", "x".repeat(249));
        let many: Vec<String> = (0..32).map(|number| format!("v{number}=1")).collect();
        let (all, fewer) = (many.join(","), format!("ot=th:8,{}", many[..31].join(",")));
        let among = format!("{},ot=rv:6e6d1a75832a2f", many[..31].join(","));
        let first = format!("ot=th:8;rv:6e6d1a75832a2f,{}", many[..31].join(","));
        for (list, th, expected, why) in [
            (&[][..], Some("8"), "ot=th:8", "a list of its own"),
            (&["a=1,b=2"], Some("8"), "ot=th:8,a=1,b=2", "first"),
            (
                &["a=1", "ot=p:8;r:62", "b=2"],
                Some("c"),
                "ot=th:c;p:8;r:62,a=1,b=2",
                "the specification's example, moved first",
            ),
            (
                &["ot=p:8;th:7;r:62"],
                Some("c"),
                "ot=th:c;p:8;r:62",
                "in place of another",
            ),
            (&["ot=th:7"], None, "", "nothing is left"),
            (&["a=1,ot=th:7"], None, "a=1", "the member goes"),
            (
                &["ot=rv:6e6d1a75832a2f;th:7"],
                None,
                "ot=rv:6e6d1a75832a2f",
                "randomness is never erased",
            ),
            (&["ot=k:v;th::aa"], None, "ot=k:v", "no value of a pair"),
            (&["ot=garbage;x:1"], Some("8"), "ot=th:8;x:1", "no pair"),
            (&["ot=th:7,ot=th:8"], Some("c"), "ot=th:c", "repeated"),
            (&[&all], Some("8"), &fewer, "the 33rd is dropped"),
            (&[&among], Some("8"), &first, "32 stay 32"),
            (&[&fits], Some("8"), &longest, "256 characters"),
            (&[&long, "a=1"], Some("8"), &kept, "257 are too many"),
        ] {
            let got = with_threshold(fields(list), th.and_then(threshold));
            assert_eq!(String::from_utf8(got).unwrap(), expected, "{why}");
        }
    }
}
