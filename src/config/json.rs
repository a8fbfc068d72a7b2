//! A JSON document as the configuration needs it. Not `serde_json::Value`: this one refuses a name given twice
//! instead of dropping one, keeps the user's order, and brings no code to print floats, which would be a sixth of
//! the module.

use core::fmt;

use super::reader::path_to;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    List(Vec<Self>),
    /// Names in the order of the text, none twice.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// The document, or where and why the text is none.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }

    /// The value under `name`, where this is an object that has it.
    pub fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else {
            return None;
        };
        fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// Of one object: far more than the configuration has anywhere.
const MAX_FIELDS: usize = 256;

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "JSON numbers are doubles to Istio's marshaller too"
    )]
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "JSON numbers are doubles to Istio's marshaller too"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        loop {
            let item = items.next_element();
            match item.map_err(|error| below(&format!("[{}]", list.len()), error))? {
                Some(item) => list.push(item),
                None => break,
            }
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        while let Some(Name(name)) = entries.next_key()? {
            if fields.iter().any(|(known, _)| *known == name) {
                let name = path_to("", &name);
                return Err(A::Error::custom(format_args!(
                    "{FIELD}{name} is given twice"
                )));
            }
            // Keeps the search above cheap.
            if fields.len() >= MAX_FIELDS {
                return Err(A::Error::custom("an object has too many fields"));
            }
            let value = entries.next_value();
            let value = value.map_err(|error| below(&path_to("", &name), error))?;
            fields.push((name, value));
        }
        Ok(Json::Object(fields))
    }
}

/// How a message begins that a path follows.
const FIELD: &str = "the field ";

/// The same mistake, where its message has a path: with the step that leads there.
fn below<E: serde::de::Error>(step: &str, error: E) -> E {
    let said = error.to_string();
    match said.strip_prefix(FIELD) {
        Some(path) if path.starts_with('[') => E::custom(format_args!("{FIELD}{step}{path}")),
        Some(path) => E::custom(format_args!("{FIELD}{step}.{path}")),
        None => error,
    }
}

/// A field's name.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As any value, so that the visitor above is the only one: in this place it is always text.
        match Json::deserialize(deserializer)? {
            Json::String(name) => Ok(Self(name)),
            _ => Err(D::Error::custom("a field's name is not text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_whole_or_refused() {
        let document = br#"{"b": [1, -2.5, true, null], "a": {"\u00e9\n": "x"}}"#;
        assert_eq!(
            Json::parse(document),
            Ok(Json::Object(vec![
                (
                    "b".into(),
                    Json::List(vec![
                        Json::Number(1.0),
                        Json::Number(-2.5),
                        Json::Bool(true),
                        Json::Null
                    ])
                ),
                (
                    "a".into(),
                    Json::Object(vec![("é\n".into(), Json::String("x".into()))])
                ),
            ]))
        );
        for (text, part) in [
            (
                r#"{"a": 1, "a": 2}"#,
                "the field a is given twice at line 1 column 12",
            ),
            (
                r#"{"a": [1, {"b": {"c.d": {"e": 1, "e": 2}}}]}"#,
                r#"the field a[1].b["c.d"].e is given twice at line 1 column 36"#,
            ),
            ("{", "EOF"),
            ("{} x", "trailing characters"),
            (r#"{"a": 1e999}"#, "number out of range"),
            (r#"{1: 2}"#, "key must be a string"),
        ] {
            let error = Json::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        let deep = "[".repeat(100_000);
        assert!(Json::parse(deep.as_bytes()).is_err(), "depth is bounded");
    }

    #[test]
    fn short_decimals_are_exact() {
        for (text, number) in [("0.1", 0.1), ("0.05", 0.05), ("1e-05", 1e-5), ("1", 1.0)] {
            assert_eq!(
                Json::parse(text.as_bytes()),
                Ok(Json::Number(number)),
                "{text}"
            );
        }
    }
}
