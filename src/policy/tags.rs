//! Custom tags: where their values come from and where they go.

/// The most tags of one configuration.
pub const MAX_TAGS: usize = 32;
/// The longest value, in bytes; longer ones are cut at a character.
pub const MAX_VALUE: usize = 256;
/// The longest name, in bytes.
pub const MAX_NAME: usize = 128;

/// One tag, ready for the hot path: every name that it is written under is spelled out.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    pub name: String,
    /// `throughline.tag.<name>` with everything but letters, digits, `_` and `-` as `_`.
    pub filter_state: String,
    /// The request headers that carry it.
    pub headers: Vec<String>,
    pub source: Source,
    /// What it is where the source has nothing. Without it the tag is absent.
    pub default: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Known for good: a literal, an environment variable, or what the node said at start.
    Fixed(Option<String>),
    /// A request header, lower case.
    Header(String),
    /// The path below `xds.node.metadata`; the host is asked once, at start.
    Node(Vec<String>),
    Attribute(Attribute),
}

/// A property of the request (Envoy, "Attributes").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub path: Vec<String>,
    pub kind: AttributeType,
}

/// How the bytes of a property are to be read: they carry no type of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    String,
    Int,
    Uint,
    Double,
    Bool,
    /// Nanoseconds since the epoch.
    Timestamp,
    /// Nanoseconds.
    Duration,
}

/// Where tags go besides their own headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sinks {
    /// Filter state, for access logs and for the tags of native spans.
    pub filter_state: bool,
    pub baggage: bool,
}

impl AttributeType {
    /// The property as text; `None` where the bytes are not of this type.
    pub fn read(self, bytes: &[u8]) -> Option<String> {
        let word = || <[u8; 8]>::try_from(bytes).ok();
        Some(match self {
            Self::String => return clean(bytes),
            Self::Int | Self::Timestamp | Self::Duration => i64::from_le_bytes(word()?).to_string(),
            Self::Uint => u64::from_le_bytes(word()?).to_string(),
            Self::Double => decimal(f64::from_le_bytes(word()?))?,
            Self::Bool => match bytes {
                [0] => "false".to_owned(),
                [1] => "true".to_owned(),
                _ => return None,
            },
        })
    }
}

/// `number` with at most nine decimals; `None` where it is no number or too large to be exact. The standard
/// library's printing of floats would be a tenth of the module.
pub fn decimal(number: f64) -> Option<String> {
    const DECIMALS: f64 = 1e9;
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    if number.is_nan() || number.abs() >= EXACT {
        return None;
    }
    let whole = number.abs().trunc();
    let part = ((number.abs() - whole) * DECIMALS).round();
    let (whole, part) = if part >= DECIMALS {
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
    let text = format!("{sign}{whole}.{part:09}");
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// A value fit for a log line and a header: UTF-8 (what is not becomes U+FFFD), at most [`MAX_VALUE`] bytes, and
/// no control characters (a value that holds any is a message or a number, not text).
pub fn clean(bytes: &[u8]) -> Option<String> {
    // A little more than what stays, so that a character at the edge is cut and not mangled.
    let start = bytes.get(..MAX_VALUE.saturating_add(4)).unwrap_or(bytes);
    let mut text = String::from_utf8_lossy(start).into_owned();
    if text.chars().any(char::is_control) {
        return None;
    }
    let end = (0..=MAX_VALUE)
        .rev()
        .find(|end| text.is_char_boundary(*end) && *end <= text.len())
        .unwrap_or(0);
    text.truncate(end);
    Some(text)
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
    fn decimals_are_short_and_honest() {
        for (number, expected) in [
            (0.0, Some("0")),
            (-0.0, Some("0")),
            (0.1, Some("0.1")),
            (-2.5, Some("-2.5")),
            (1e-9, Some("0.000000001")),
            (-1e-12, Some("0")),
            (0.999_999_999_9, Some("1")),
            (100.0, Some("100")),
            (1e15, Some("1000000000000000")),
            (1e300, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(decimal(number).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn properties_are_read_by_their_type() {
        use AttributeType::*;
        for (kind, bytes, expected) in [
            (Int, (-2_i64).to_le_bytes().as_slice(), Some("-2")),
            (Uint, &u64::MAX.to_le_bytes(), Some("18446744073709551615")),
            (Double, &0.5_f64.to_le_bytes(), Some("0.5")),
            (Bool, &[1], Some("true")),
            (Bool, &[2], None),
            (Int, b"123", None),
            (String, b"abc", Some("abc")),
        ] {
            assert_eq!(kind.read(bytes).as_deref(), expected, "{kind:?} {bytes:?}");
        }
    }
}
