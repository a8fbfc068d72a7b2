//! What the fields of one header name must be.

use std::fmt;

/// An expectation about all the fields of a name.
#[derive(Clone, Debug)]
pub enum Want {
    /// None.
    Absent,
    /// Exactly these, in this order.
    Fields(Vec<Vec<u8>>),
    /// One, of that form: `{n}` stands for n lower-case hexadecimal digits that are not all zero.
    Form(&'static str),
    /// One, and not this.
    Not(Vec<u8>),
}

/// There is no such header.
pub fn absent() -> Want {
    Want::Absent
}

/// There is one such header, with that value.
pub fn is(value: impl AsRef<[u8]>) -> Want {
    fields([value])
}

/// There are these, in this order.
pub fn fields<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Want {
    Want::Fields(
        values
            .into_iter()
            .map(|value| value.as_ref().to_vec())
            .collect(),
    )
}

/// There is one, such as `00-{32}-{16}-01`.
pub fn form(form: &'static str) -> Want {
    Want::Form(form)
}

/// There is one, and it is another one.
pub fn not(value: impl AsRef<[u8]>) -> Want {
    Want::Not(value.as_ref().to_vec())
}

impl Want {
    /// Whether `got` is what is wanted.
    pub fn accepts(&self, got: &[&[u8]]) -> bool {
        match (self, got) {
            (Self::Absent, got) => got.is_empty(),
            (Self::Fields(want), got) => want == got,
            (Self::Form(form), [got]) => has_form(form, got),
            (Self::Not(other), [got]) => other != got,
            (Self::Form(_) | Self::Not(_), _) => false,
        }
    }
}

fn has_form(mut form: &str, mut got: &[u8]) -> bool {
    while let Some((literal, rest)) = form.split_once('{') {
        let Some((count, rest)) = rest.split_once('}') else {
            return false;
        };
        let Some((digits, after)) = got
            .strip_prefix(literal.as_bytes())
            .and_then(|got| got.split_at_checked(count.parse().ok()?))
        else {
            return false;
        };
        let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !digits.iter().all(hex) || digits.iter().all(|byte| *byte == b'0') {
            return false;
        }
        (form, got) = (rest, after);
    }
    got == form.as_bytes()
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Fields(values) => f.write_str(&shown(values)),
            Self::Form(form) => write!(f, "one like {form}"),
            Self::Not(other) => write!(f, "one, other than {}", shown(&[other])),
        }
    }
}

/// Values for a message: quoted, escaped, long ones cut.
pub fn shown(values: &[impl AsRef<[u8]>]) -> String {
    const SHOWN: usize = 100;
    if values.is_empty() {
        return "none".to_owned();
    }
    let quoted = values
        .iter()
        .map(AsRef::as_ref)
        .map(|value| match value.get(..SHOWN) {
            Some(start) if value.len() > SHOWN => {
                format!("\"{}…\" ({} bytes)", start.escape_ascii(), value.len())
            }
            _ => format!("\"{}\"", value.escape_ascii()),
        });
    quoted.collect::<Vec<_>>().join(" and ")
}

#[test]
fn forms() {
    for (form, value, expected) in [
        ("{16}", "00f067aa0ba902b7", true),
        ("{16}", "00f067aa0ba902b", false),
        ("{16}", "00f067aa0ba902b7a", false),
        ("{16}", "00F067AA0BA902B7", false),
        ("{16}", "0000000000000000", false),
        ("{4}-{2}-01", "abcd-0f-01", true),
        ("{4}-{2}-01", "abcd-0f-00", false),
        ("1", "1", true),
    ] {
        assert_eq!(has_form(form, value.as_bytes()), expected, "{form} {value}");
    }
}
