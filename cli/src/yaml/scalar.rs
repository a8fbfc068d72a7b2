//! What a plain word means: by the rules of kubectl's YAML (go.yaml.in/yaml/v2), which are those of YAML 1.1 for most words.
//! What is taken for text here and for a boolean there would be refused in the mesh only.

use super::Value;
use serde_json::Number;

/// What a scalar without quotes and without a tag means.
pub fn plain(word: &str) -> Value {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => number(word).map_or_else(|| Value::Text(word.to_owned()), Value::Number),
    }
}

fn number(word: &str) -> Option<Number> {
    if !word.starts_with(|char: char| char.is_ascii_digit() || matches!(char, '+' | '-' | '.')) {
        return None;
    }
    // Only behind a digit or a sign.
    let plain = match word.starts_with('.') {
        true => word.to_owned(),
        false => word.replace('_', ""),
    };
    integer(&plain).or_else(|| float(&plain))
}

/// Go's `strconv.ParseInt` with base 0: a leading zero is octal.
fn integer(word: &str) -> Option<Number> {
    let (is_negative, digits) = match word.as_bytes().first() {
        Some(b'-') => (true, word.get(1..)?),
        Some(b'+') => (false, word.get(1..)?),
        _ => (false, word),
    };
    let based = |prefixes: [&str; 2]| {
        prefixes
            .into_iter()
            .find_map(|prefix| digits.strip_prefix(prefix))
    };
    let (digits, base) = match (
        based(["0x", "0X"]),
        based(["0o", "0O"]),
        based(["0b", "0B"]),
    ) {
        (Some(digits), ..) => (digits, 16),
        (_, Some(digits), _) => (digits, 8),
        (.., Some(digits)) => (digits, 2),
        _ if digits.len() > 1 && digits.starts_with('0') => (digits, 8),
        _ => (digits, 10),
    };
    // A second sign is none.
    if !digits.starts_with(|char: char| char.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    if !is_negative {
        return Some(magnitude.into());
    }
    Some(0_i64.checked_sub_unsigned(magnitude)?.into())
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; what is not finite has no JSON.
fn float(word: &str) -> Option<Number> {
    let is_float = word
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
        && word.bytes().any(|byte| byte.is_ascii_digit());
    if !is_float {
        return None;
    }
    Number::from_f64(word.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::super::{Node, Place};
    use super::*;

    #[test]
    fn words_mean_what_they_mean_to_kubectl() {
        for (word, expected) in [
            ("", "null"),
            ("~", "null"),
            ("yes", "true"),
            ("n", "false"),
            ("Off", "false"),
            ("yEs", r#""yEs""#),
            ("0.1", "0.1"),
            (".5", "0.5"),
            ("1.", "1.0"),
            ("1e3", "1000.0"),
            ("+12", "12"),
            ("-3", "-3"),
            ("1_000", "1000"),
            ("010", "8"),
            ("08", "8.0"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("0b11", "3"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("--1", r#""--1""#),
            ("-", r#""-""#),
            ("0x", r#""0x""#),
            ("1e999", r#""1e999""#),
            (".inf", r#"".inf""#),
            ("2001-01-01", r#""2001-01-01""#),
            ("12:30:45", r#""12:30:45""#),
            ("5s", r#""5s""#),
            ("é", r#""é""#),
        ] {
            let node = Node::new(Place::default(), plain(word));
            assert_eq!(node.to_json(&[], 1).as_deref(), Some(expected), "{word:?}");
        }
    }
}
