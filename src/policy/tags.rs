//! Custom tags: where their values come from and where they go.

use crate::text::{clean, decimal};

/// The most tags of one configuration.
pub const MAX_TAGS: usize = 32;
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
    /// The rule that decided (`sampling.rules`), and nothing else.
    Rule,
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
    /// The exported spans.
    pub span: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

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
