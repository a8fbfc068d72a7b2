//! Walks a JSON value strictly: every step knows its path, so every error can name it.

use core::fmt::Write as _;

use serde_json::{Map, Value};

use super::problem::{Problem, near_miss};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    path: String,
    value: &'a Value,
}

/// An object all of whose fields are known.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    path: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Node<'a> {
    pub const fn root(value: &'a Value) -> Self {
        Self {
            path: String::new(),
            value,
        }
    }

    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.path.clone(), message)
    }

    /// `expected …, got …`.
    pub fn expected(&self, what: &str) -> Problem {
        self.problem(format!("expected {what}, got {}", shown(self.value)))
    }

    /// An object with no field outside `known`.
    pub fn object(&self, known: &[&str]) -> Result<Object<'a>, Problem> {
        let object = self.map()?;
        for name in object.fields.keys() {
            if !known.contains(&name.as_str()) {
                let path = join(&self.path, name);
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
        let fields = self
            .value
            .as_object()
            .ok_or_else(|| self.expected("an object"))?;
        Ok(Object {
            path: self.path.clone(),
            fields,
        })
    }

    pub fn list(&self) -> Result<Vec<Self>, Problem> {
        let items = self
            .value
            .as_array()
            .ok_or_else(|| self.expected("a list"))?;
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
        self.value.as_str().ok_or_else(|| match self.value {
            Value::Number(_) | Value::Bool(_) => self.problem(format!(
                "expected a string, got {}; put it in quotes",
                shown(self.value)
            )),
            _ => self.expected("a string"),
        })
    }

    pub fn number(&self) -> Option<f64> {
        self.value.as_f64()
    }

    /// One of the words in `choices`, as its meaning.
    pub fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, Problem> {
        let word = self.string()?;
        choose(word, choices).map_err(|message| self.problem(message))
    }
}

/// The meaning of `word`, or the message that lists what there is.
pub fn choose<T: Copy>(word: &str, choices: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, meaning)) = choices.iter().find(|(name, _)| *name == word) {
        return Ok(*meaning);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let mut message = format!(
        "expected one of {}, got {}",
        names.join(", "),
        shown(&Value::from(word))
    );
    if let Some(meant) = near_miss(word, &names) {
        let _ = write!(message, "; did you mean {meant}?");
    }
    Err(message)
}

impl<'a> Object<'a> {
    /// The field, unless it is absent or null, which mean the same.
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        self.fields
            .get(name)
            .filter(|value| !value.is_null())
            .map(|value| Node {
                path: join(&self.path, name),
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
            .ok_or_else(|| Problem::new(join(&self.path, name), "is required"))
    }

    /// All fields but null ones.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        self.fields
            .iter()
            .filter_map(|(name, _)| Some((name.as_str(), self.get(name)?)))
    }
}

/// `path.name`, or `path["name"]` where the name itself holds a dot or nothing readable.
fn join(path: &str, name: &str) -> String {
    let is_plain = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    match (path.is_empty(), is_plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[{}]", shown(&Value::from(name))),
    }
}

/// A value as an error shows it: short, on one line.
fn shown(value: &Value) -> String {
    const MOST: usize = 60;
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => {
            let text = scalar.to_string();
            match text.char_indices().nth(MOST) {
                Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
                None => text,
            }
        }
    }
}
