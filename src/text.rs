//! Text taken apart, and text that is fit to leave the filter: for a log line, a header, a filter state.

use std::borrow::Cow;

/// The longest value of a tag, in bytes.
pub const MAX_VALUE: usize = 256;

/// The longest line of log: more than any start-up line needs, while what users write can be long.
const MAX_LINE: usize = 1024;

/// The fields of `text`, where it has exactly so many.
pub fn split_exactly<const N: usize>(text: &[u8], separator: u8) -> Option<[&[u8]; N]> {
    let mut parts = text.split(|byte| *byte == separator);
    let fields = [(); N].map(|()| parts.next());
    let is_exact = fields.iter().all(Option::is_some) && parts.next().is_none();
    is_exact.then(|| fields.map(Option::unwrap_or_default))
}

/// A value from outside: UTF-8 (what is not becomes U+FFFD), at most [`MAX_VALUE`] bytes, cut at a character. `None`
/// where it holds a control character: then it is a message or a number, not text.
pub fn clean(bytes: &[u8]) -> Option<String> {
    // A little more than what stays, so that a character at the edge is cut and not mangled.
    let start = bytes.get(..MAX_VALUE.saturating_add(4)).unwrap_or(bytes);
    let text = String::from_utf8_lossy(start);
    let mut clean = String::with_capacity(text.len().min(MAX_VALUE));
    for char in text.chars() {
        if char.is_control() {
            return None;
        }
        if clean.len().saturating_add(char.len_utf8()) > MAX_VALUE {
            break;
        }
        clean.push(char);
    }
    Some(clean)
}

/// A value from outside as far as it is shown: UTF-8 (what is not becomes U+FFFD), at most `most` bytes, cut at a
/// character. Not for logs or headers: control characters stay.
pub fn shown(bytes: &[u8], most: usize) -> Cow<'_, str> {
    // A little more than what stays, so that a character at the edge is cut and not mangled.
    let start = bytes.get(..most.saturating_add(4)).unwrap_or(bytes);
    match String::from_utf8_lossy(start) {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text, most)),
        Cow::Owned(text) => Cow::Owned(cut(&text, most).to_owned()),
    }
}

fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// `text` on one line of bounded length. Parts of it are the user's: a line break in them would forge a log line.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(MAX_LINE));
    for char in text.chars() {
        if line.len() >= MAX_LINE {
            line.push('…');
            break;
        }
        line.push(if char.is_control() { '\u{fffd}' } else { char });
    }
    line
}

/// `number` with as many decimals as it carries, at most twelve; `None` where it is no number or too large to be exact. The standard
/// library's printing of floats would be a tenth of the module.
pub fn decimal(number: f64) -> Option<String> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    if number.is_nan() || number.abs() >= EXACT {
        return None;
    }
    let whole = number.abs().trunc();
    // A double carries some fifteen digits; decimals beyond them would be noise.
    let (digits, scale) = if whole < 1.0 {
        (12, 1e12)
    } else if whole < 1e6 {
        (9, 1e9)
    } else {
        (0, 1.0)
    };
    let part = ((number.abs() - whole) * scale).round();
    let (whole, part) = if part >= scale {
        (whole + 1.0, 0.0)
    } else {
        (whole, part)
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole numbers from 0 to 2^53 by the check above"
    )]
    let (whole, part) = (whole as u64, part as u64);
    let sign = if number < 0.0 && (whole, part) != (0, 0) {
        "-"
    } else {
        ""
    };
    let text = format!("{sign}{whole}.{part:0digits$}");
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bounded_text() {
        for (bytes, expected, why) in [
            (b"plain".as_slice(), Some("plain".to_owned()), "kept"),
            (b"", Some(String::new()), "empty is a value"),
            (b"a\xffb", Some("a\u{fffd}b".to_owned()), "not UTF-8"),
            (
                b"a\nb",
                None,
                "a line break would forge a log line or a header",
            ),
            (b"\x01\0\0\0\0\0\0\0", None, "a number, not text"),
        ] {
            assert_eq!(clean(bytes), expected, "{why}");
        }
        let long = "é".repeat(200);
        let cut = clean(long.as_bytes()).unwrap();
        assert!(cut.len() <= MAX_VALUE && long.starts_with(&cut), "{cut}");
        assert_eq!(clean(&[b'x'; 60_000]).unwrap().len(), MAX_VALUE);
    }

    #[test]
    fn what_is_shown_is_cut_at_a_character() {
        for (bytes, most, expected) in [
            (b"abc".as_slice(), 3, "abc"),
            (b"abcd", 3, "abc"),
            ("aéé".as_bytes(), 4, "aé"),
            ("aéé".as_bytes(), 3, "aé"),
            ("aéé".as_bytes(), 2, "a"),
            (b"\xff\xff\xff", 6, "\u{fffd}\u{fffd}"),
            (b"\xff\xff\xff", 2, ""),
            (b"a", 0, ""),
        ] {
            assert_eq!(shown(bytes, most), expected, "{bytes:?} {most}");
        }
    }

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(
            one_line("a\nb\u{7}c\u{85}é"),
            "a\u{fffd}b\u{fffd}c\u{fffd}é"
        );
        assert!(one_line(&"é".repeat(1_000_000)).len() < MAX_LINE + 8);
        assert_eq!(one_line("plain"), "plain");
    }

    #[test]
    fn decimals_are_short_and_honest() {
        for (number, expected) in [
            (0.0, Some("0")),
            (-0.0, Some("0")),
            (0.1, Some("0.1")),
            (-2.5, Some("-2.5")),
            (1e-10, Some("0.0000000001")),
            (-1e-14, Some("0")),
            (0.999_999_999_999_9, Some("1")),
            (100.0, Some("100")),
            (9_876.3, Some("9876.3")),
            (123_456.7, Some("123456.7")),
            (10_000_000.1, Some("10000000")),
            (1e15, Some("1000000000000000")),
            (1e300, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(decimal(number).as_deref(), expected, "{number}");
        }
    }
}
