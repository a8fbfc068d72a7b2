//! Walks a JSON value strictly: every step knows its path, so every error can name it.

use core::fmt::Write as _;

use super::{
    json::Json,
    problem::{Problem, near_miss},
};
use crate::text::decimal;

/// Where a text that is wrong is not shown.
const MAY_HOLD_A_SECRET: [&str; 5] = [
    "export",
    "export.headers",
    "export.cluster",
    "export.service",
    "export.path",
];

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    path: String,
    value: &'a Json,
}

/// An object all of whose fields are known.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    path: String,
    fields: &'a [(String, Json)],
}

impl<'a> Node<'a> {
    pub const fn root(value: &'a Json) -> Self {
        Self {
            path: String::new(),
            value,
        }
    }

    /// A value that was taken out of the document from under `name`.
    pub fn below(value: &'a Json, name: &str) -> Self {
        Self {
            path: name.to_owned(),
            value,
        }
    }

    pub const fn json(&self) -> &'a Json {
        self.value
    }

    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.path.clone(), message)
    }

    /// `expected …, got …`.
    pub fn expected(&self, what: &str) -> Problem {
        let got = match self.value {
            // A destination or a header may hold a password.
            Json::String(_) if MAY_HOLD_A_SECRET.contains(&self.path.as_str()) => {
                "another text".to_owned()
            }
            value => shown(value),
        };
        self.problem(format!("expected {what}, got {got}"))
    }

    /// An object with no field outside `known`.
    pub fn object(&self, known: &[&str]) -> Result<Object<'a>, Problem> {
        let Ok(object) = self.map() else {
            return Err(self.expected(&format!("an object with {}", known.join(", "))));
        };
        for (name, _) in object.fields {
            if !known.contains(&name.as_str()) {
                let path = path_to(&self.path, name);
                let hint = match near_miss(name, known) {
                    Some(meant) => format!("unknown field, did you mean {meant}?"),
                    None => format!("unknown field; known here: {}", known.join(", ")),
                };
                return Err(Problem::new(path, hint));
            }
        }
        Ok(object)
    }

    /// An object whose field names are the user's.
    pub fn map(&self) -> Result<Object<'a>, Problem> {
        let Json::Object(fields) = self.value else {
            return Err(self.expected("an object"));
        };
        Ok(Object {
            path: self.path.clone(),
            fields,
        })
    }

    pub fn list(&self) -> Result<Vec<Self>, Problem> {
        let Json::List(items) = self.value else {
            let mut problem = self.expected("a list");
            if let Json::String(_) = self.value {
                let _ = write!(problem.message, "; write [{}]", shown(self.value));
            }
            return Err(problem);
        };
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| Node {
                path: format!("{}[{index}]", self.path),
                value,
            })
            .collect())
    }

    pub fn string(&self) -> Result<&'a str, Problem> {
        match self.value {
            Json::String(text) => Ok(text),
            Json::Number(_) | Json::Bool(_) => Err(self.problem(format!(
                "expected a string, got {}; put it in quotes",
                shown(self.value)
            ))),
            _ => Err(self.expected("a string")),
        }
    }

    /// A string that fits a log line and a header: refused, not mended, where it does not.
    pub fn text(&self, most: usize) -> Result<String, Problem> {
        let text = self.string()?;
        if text.len() > most {
            return Err(self.problem(format!("expected at most {most} bytes, got {}", text.len())));
        }
        if text.chars().any(char::is_control) {
            return Err(self.problem("control characters are not allowed"));
        }
        Ok(text.to_owned())
    }

    pub fn bool(&self) -> Result<bool, Problem> {
        match self.value {
            Json::Bool(value) => Ok(*value),
            _ => Err(self.expected("true or false")),
        }
    }

    /// An integer from `least` to `most`; JSON may write it with a fraction of zero.
    pub fn integer(&self, least: usize, most: usize) -> Result<usize, Problem> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a number that is not exactly an integer in range is refused right after"
        )]
        let found = self
            .number()
            .map(|number| (number, number as usize))
            .filter(|(number, integer)| (*integer as f64).to_bits() == number.to_bits())
            .map(|(_, integer)| integer)
            .filter(|integer| (least..=most).contains(integer));
        found.ok_or_else(|| self.expected(&format!("an integer from {least} to {most}")))
    }

    /// Nanoseconds, from a text such as `5s`, `250ms` or `1m`.
    pub fn duration(&self, least: u64, most: u64) -> Result<u64, Problem> {
        let found = match self.value {
            Json::String(text) => duration(text),
            _ => None,
        };
        found
            .filter(|nanoseconds| (least..=most).contains(nanoseconds))
            .ok_or_else(|| {
                let (least, most) = (shown_duration(least), shown_duration(most));
                self.expected(&format!("a duration from \"{least}\" to \"{most}\""))
            })
    }

    /// The name and value of the one field of an object that takes one of `known`.
    pub fn only_field(&self, known: &[&str]) -> Result<(&'a str, Self), Problem> {
        let object = self.object(known)?;
        let mut fields = object.fields();
        match (fields.next(), fields.next()) {
            (Some(field), None) => Ok(field),
            _ => Err(self.problem(format!("expected exactly one of {}", known.join(", ")))),
        }
    }

    pub const fn number(&self) -> Option<f64> {
        match self.value {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// One of the words in `choices`, as its meaning.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, Problem> {
        let word = self.string()?;
        choose(word, choices).map_err(|message| self.problem(message))
    }
}

/// Digits and a unit.
fn duration(text: &str) -> Option<u64> {
    let end = text.find(|char: char| !char.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(end)?;
    let unit = match unit {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

fn shown_duration(nanoseconds: u64) -> String {
    let duration = core::time::Duration::from_nanos(nanoseconds);
    match (duration.as_secs(), duration.subsec_millis()) {
        (seconds, 0) => format!("{seconds}s"),
        (_, _) => format!("{}ms", duration.as_millis()),
    }
}

/// The meaning of `word`, or the message that lists what there is.
pub fn choose<T: Copy>(word: &str, choices: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, meaning)) = choices.iter().find(|(name, _)| *name == word) {
        return Ok(*meaning);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let mut message = format!("expected one of {}, got {}", names.join(", "), quoted(word));
    if let Some(meant) = near_miss(word, &names) {
        let _ = write!(message, "; did you mean {meant}?");
    }
    Err(message)
}

impl<'a> Object<'a> {
    /// The field, unless it is absent or null, which mean the same.
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let (_, value) = self.fields.iter().find(|(known, _)| known == name)?;
        (*value != Json::Null).then(|| Node {
            path: path_to(&self.path, name),
            value,
        })
    }

    /// The field under either of its two spellings; both at once is a mistake.
    pub fn either(&self, name: &str, other: &str) -> Result<Option<Node<'a>>, Problem> {
        match (self.get(name), self.get(other)) {
            (Some(_), Some(second)) => {
                Err(second.problem(format!("the same as {name}, which is given too; keep one")))
            }
            (first, second) => Ok(first.or(second)),
        }
    }

    pub fn required(&self, name: &str) -> Result<Node<'a>, Problem> {
        self.get(name)
            .ok_or_else(|| Problem::new(path_to(&self.path, name), "is required"))
    }

    /// All fields but null ones.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let object = self.clone();
        self.fields
            .iter()
            .filter_map(move |(name, _)| Some((name.as_str(), object.get(name)?)))
    }
}

/// The field `name` of what stands at `path`: `path.name`, or `path["name"]` where the name itself holds a dot or nothing readable.
pub fn path_to(path: &str, name: &str) -> String {
    let is_plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    match (path.is_empty(), is_plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{}]", quoted(name)),
    }
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => decimal(*number).unwrap_or_else(|| "a huge number".to_owned()),
        Json::String(text) => quoted(text),
        Json::List(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}

/// `text` in quotes, on one line and not too long.
pub fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text
        .chars()
        .take(MOST)
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
