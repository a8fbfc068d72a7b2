//! YAML, and with it JSON, as kubectl takes it, every value with its place in the text.
//!
//! - [`reader`]: the documents of a text, one after the other
//! - [`scalar`]: what a plain word means
//! - [`path`]: where a value stands in its document

mod path;
mod reader;
mod scalar;

pub use path::{Found, Path, Step};
pub use reader::{Documents, Fault};

use serde::Serialize;
use serde_json::Number;
use std::rc::Rc;

/// Where something begins in a text, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

/// A value, which aliases share.
#[derive(Debug)]
pub struct Node {
    pub place: Place,
    pub value: Value,
    /// How many values are inside each other here, this one included: aliases must not make it deeper than a stack is.
    height: usize,
}

#[derive(Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Rc<Node>>),
    /// Names in the order of the text, none twice.
    Map(Vec<Field>),
}

#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    /// Of the name.
    pub place: Place,
    pub node: Rc<Node>,
}

impl Node {
    fn new(place: Place, value: Value) -> Self {
        let heights: Box<dyn Iterator<Item = usize>> = match &value {
            Value::List(items) => Box::new(items.iter().map(|item| item.height)),
            Value::Map(fields) => Box::new(fields.iter().map(|field| field.node.height)),
            _ => Box::new(std::iter::empty()),
        };
        let height = heights.max().unwrap_or(0).saturating_add(1);
        Self {
            place,
            value,
            height,
        }
    }

    /// The fields of a map; none of anything else.
    pub fn fields(&self) -> &[Field] {
        match &self.value {
            Value::Map(fields) => fields,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Rc<Self>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The field, unless it is absent or null, which mean the same.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let field = self.fields().iter().find(|field| field.name == name)?;
        (!field.node.is_null()).then_some(field)
    }

    pub fn get(&self, name: &str) -> Option<&Self> {
        Some(&self.field(name)?.node)
    }

    pub const fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON, names in the order of the text, without what is at one of those paths. `None` where it has more than
    /// `most` values, as aliases can make of a few lines.
    pub fn to_json(&self, without: &[Path], most: usize) -> Option<String> {
        let mut writer = Writer {
            text: String::new(),
            path: Path::default(),
            without,
            budget: most,
        };
        writer.write(self)?;
        Some(writer.text)
    }
}

struct Writer<'a> {
    text: String,
    path: Path,
    without: &'a [Path],
    /// Values that may still be written.
    budget: usize,
}

impl Writer<'_> {
    fn write(&mut self, node: &Node) -> Option<()> {
        self.budget = self.budget.checked_sub(1)?;
        match &node.value {
            Value::Null => self.text.push_str("null"),
            Value::Bool(value) => self.scalar(value)?,
            Value::Number(number) => self.scalar(number)?,
            Value::Text(text) => self.scalar(text)?,
            Value::List(items) => {
                self.text.push('[');
                let mut comma = "";
                for (index, item) in items.iter().enumerate() {
                    self.path.push(Step::Index(index));
                    if !self.without.contains(&self.path) {
                        self.text.push_str(std::mem::replace(&mut comma, ","));
                        self.write(item)?;
                    }
                    self.path.pop();
                }
                self.text.push(']');
            }
            Value::Map(fields) => {
                self.text.push('{');
                let mut comma = "";
                for field in fields {
                    self.path.push(Step::Field(field.name.clone()));
                    if !self.without.contains(&self.path) {
                        self.text.push_str(std::mem::replace(&mut comma, ","));
                        self.scalar(&field.name)?;
                        self.text.push(':');
                        self.write(&field.node)?;
                    }
                    self.path.pop();
                }
                self.text.push('}');
            }
        }
        Some(())
    }

    fn scalar(&mut self, value: &impl Serialize) -> Option<()> {
        self.text.push_str(&serde_json::to_string(value).ok()?);
        Some(())
    }
}
