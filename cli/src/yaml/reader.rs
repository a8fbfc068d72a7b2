//! The documents of a text. Nothing in it is trusted: its depth and the number of its values are bounded.

use super::{Field, Node, Path, Place, Step, Value, scalar};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::Number;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use throughline::config::{Json, path_to};

/// As deep as the module reads JSON.
const MOST_DEPTH: usize = 127;
/// Of one document: several times the largest object that Kubernetes stores.
const MOST_VALUES: usize = 1_000_000;

/// Why a text has no more documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    pub message: String,
}

/// The documents of a text, in their order, up to the first fault.
pub struct Documents<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    has_ended: bool,
    is_first: bool,
    /// Why it is not what its name says.
    misnamed: Option<Fault>,
    json: Option<&'a str>,
}

impl<'a> Documents<'a> {
    /// What that name holds: of a file that is called .json, JSON and nothing more, as Envoy takes no more.
    pub fn named(name: &str, text: &'a str) -> Self {
        let is_json = name.ends_with(".json") && !text.trim().is_empty();
        let strict = is_json.then(|| serde_json::from_str::<serde_json::Value>(text));
        let error = strict.and_then(Result::err);
        Self {
            misnamed: error.map(|error| not_json(&error)),
            json: is_json.then_some(text),
            ..Self::of(text)
        }
    }

    /// All of the text, where that is what Envoy gets: of a file that is called .json.
    pub const fn json(&self) -> Option<&'a str> {
        self.json
    }

    pub fn of(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self {
            text,
            parser: Parser::new_from_str(text),
            has_ended: false,
            is_first: true,
            misnamed: None,
            json: None,
        }
    }

    fn event(&mut self) -> Result<(Event<'a>, Place), Fault> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, place(span))),
            Some(Err(error)) => Err(fault(&error)),
            None => Ok((Event::StreamEnd, Place::default())),
        }
    }

    fn document(&mut self) -> Result<Option<Rc<Node>>, Fault> {
        loop {
            match self.event()? {
                (Event::StreamEnd, _) => return Ok(None),
                (Event::DocumentStart(_), _) => break,
                _ => {}
            }
        }
        let mut document = Document::default();
        loop {
            let (event, place) = self.event()?;
            if let Some(root) = document.take(event, place)? {
                return Ok(Some(root));
            }
        }
    }
}

impl Iterator for Documents<'_> {
    type Item = Result<Rc<Node>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        if let Some(fault) = self.misnamed.take() {
            self.has_ended = true;
            return Some(Err(fault));
        }
        let document = self.document();
        let is_first = std::mem::take(&mut self.is_first);
        match document {
            Ok(Some(document)) => Some(Ok(document)),
            Ok(None) => None,
            Err(fault) => {
                self.has_ended = true;
                // Some JSON is no YAML: escapes in two halves.
                match Json::parse(self.text.as_bytes()) {
                    Ok(json) if is_first => Some(Ok(without_places(&json))),
                    _ => Some(Err(fault)),
                }
            }
        }
    }
}

/// A document that is being read.
#[derive(Default)]
struct Document {
    open: Vec<Open>,
    /// Values that aliases may name.
    anchors: HashMap<usize, Rc<Node>>,
    values: usize,
}

/// A list or a map whose end has not come yet.
struct Open {
    place: Place,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Rc<Node>>),
    Map {
        fields: Vec<Field>,
        names: HashSet<String>,
        merge: Option<Merge>,
        /// The name whose value is to come.
        name: Option<Name>,
    },
}

/// `<<` and its maps, whose fields a map takes that lacks them.
struct Merge {
    place: Place,
    maps: Vec<Rc<Node>>,
    /// How many of the map's own fields stand before it.
    before: usize,
}

struct Name {
    text: String,
    place: Place,
    /// `<<`, whose value's fields are this map's, too.
    is_merge: bool,
}

impl Document {
    /// The root, where this event completes it.
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<Option<Rc<Node>>, Fault> {
        let fault = |message: &str| Fault {
            place,
            message: message.to_owned(),
        };
        self.values = self.values.saturating_add(1);
        if self.values > MOST_VALUES {
            return Err(fault(&format!(
                "the document has more than {MOST_VALUES} values"
            )));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(name) = self.name() {
                    let is_merge = tag.is_none() && style == ScalarStyle::Plain && text == "<<";
                    *name = Some(Name {
                        text: text.into_owned(),
                        place,
                        is_merge,
                    });
                    return Ok(None);
                }
                let value =
                    value(text, style, tag.as_deref()).map_err(|message| fault(&message))?;
                let node = Rc::new(Node::new(place, value));
                self.name_it(anchor, &node);
                self.put(node)
            }
            Event::Alias(anchor) => {
                if self.name().is_some() {
                    return Err(fault("a field's name is an alias; write it out"));
                }
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(fault("an alias of what has not ended yet"));
                };
                if self.open.len().saturating_add(node.height) > MOST_DEPTH {
                    return Err(fault(&too_deep()));
                }
                // What it stands for is elsewhere, where a mistake can be mended.
                let node = Rc::clone(node);
                self.put(node)
            }
            Event::SequenceStart(anchor, _) => {
                self.open(place, anchor, Kind::List(Vec::new()))?;
                Ok(None)
            }
            Event::MappingStart(anchor, _) => {
                let kind = Kind::Map {
                    fields: Vec::new(),
                    names: HashSet::new(),
                    merge: None,
                    name: None,
                };
                self.open(place, anchor, kind)?;
                Ok(None)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(ended) = self.open.pop() else {
                    return Err(fault("an end without a beginning"));
                };
                let value = match ended.kind {
                    Kind::List(items) => Value::List(items),
                    Kind::Map {
                        mut fields,
                        names,
                        merge,
                        ..
                    } => {
                        if let Some(merge) = merge {
                            self.merge(&merge, &mut fields, names)?;
                        }
                        Value::Map(fields)
                    }
                };
                let node = Rc::new(Node::new(ended.place, value));
                self.name_it(ended.anchor, &node);
                self.put(node)
            }
            Event::DocumentEnd | Event::StreamEnd => Err(fault("the document ends in the middle")),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => Ok(None),
        }
    }

    fn open(&mut self, place: Place, anchor: usize, kind: Kind) -> Result<(), Fault> {
        let fault = |message: String| Err(Fault { place, message });
        if self.name().is_some() {
            return fault("a field's name is a list or a map".to_owned());
        }
        if self.open.len() >= MOST_DEPTH {
            return fault(too_deep());
        }
        self.open.push(Open {
            place,
            anchor,
            kind,
        });
        Ok(())
    }

    /// Adds the fields that a map lacks; of several maps the first has it. An own field wins, which kubectl does only where it
    /// stands behind `<<`, and kustomize anywhere.
    fn merge(
        &mut self,
        merge: &Merge,
        fields: &mut Vec<Field>,
        mut names: HashSet<String>,
    ) -> Result<(), Fault> {
        let fault = |message: String| {
            let place = merge.place;
            Err(Fault { place, message })
        };
        let before: HashSet<String> = fields
            .iter()
            .take(merge.before)
            .map(|field| field.name.clone())
            .collect();
        for field in merge.maps.iter().flat_map(|map| map.fields()) {
            // A few lines can merge the same fields again and again.
            self.values = self.values.saturating_add(1);
            if self.values > MOST_VALUES {
                return fault(format!("the document has more than {MOST_VALUES} values"));
            }
            if before.contains(&field.name) {
                let name = &field.name;
                return fault(format!(
                    "the field {name:.60} is given before <<, which kubectl overwrites and kustomize does not: put << first"
                ));
            }
            if names.insert(field.name.clone()) {
                fields.push(field.clone());
            }
        }
        Ok(())
    }

    /// For aliases. Most have no name, which is 0.
    fn name_it(&mut self, anchor: usize, node: &Rc<Node>) {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(node));
        }
    }

    /// Where the name of a field is to be put, if the next value is one.
    fn name(&mut self) -> Option<&mut Option<Name>> {
        match &mut self.open.last_mut()?.kind {
            Kind::Map { name, .. } if name.is_none() => Some(name),
            _ => None,
        }
    }

    /// Of what is open, as the module spells it.
    fn path(&self) -> String {
        let mut path = Path::default();
        for open in &self.open {
            match &open.kind {
                Kind::List(items) => path.push(Step::Index(items.len())),
                Kind::Map {
                    name: Some(name), ..
                } => path.push(Step::Field(name.text.clone())),
                // The last one, whose field it is.
                Kind::Map { name: None, .. } => {}
            }
        }
        path.spelled()
    }

    /// Puts a value into what is open. It is the root where nothing is.
    fn put(&mut self, node: Rc<Node>) -> Result<Option<Rc<Node>>, Fault> {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => return Ok(Some(node)),
            Some(Kind::List(items)) => items.push(node),
            Some(Kind::Map {
                fields,
                names,
                merge,
                name,
            }) => {
                let Some(Name {
                    text: name,
                    place,
                    is_merge,
                }) = name.take()
                else {
                    return Ok(None);
                };
                let fault = |message: String| Err(Fault { place, message });
                if is_merge {
                    let is_map = |node: &Node| matches!(node.value, Value::Map(_));
                    let maps = match &node.value {
                        Value::List(maps) if maps.iter().all(|map| is_map(map)) => maps.clone(),
                        Value::Map(_) => vec![node],
                        _ => return fault("<< takes a map, or a list of maps".to_owned()),
                    };
                    let before = fields.len();
                    let merge = merge.replace(Merge {
                        place,
                        maps,
                        before,
                    });
                    if merge.is_some() {
                        return fault("<< is given twice: give it one list of maps".to_owned());
                    }
                } else if !names.insert(name.clone()) {
                    let path = path_to(&self.path(), &name);
                    let message = format!("the field {path} is given twice");
                    return Err(Fault { place, message });
                } else {
                    fields.push(Field { name, place, node });
                }
            }
        }
        Ok(None)
    }
}

fn too_deep() -> String {
    format!("more than {MOST_DEPTH} values inside each other")
}

fn value(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let text = text.into_owned();
    let Some(tag) = tag.filter(|tag| tag.is_yaml_core_schema()) else {
        return Ok(match style {
            ScalarStyle::Plain => scalar::plain(&text),
            _ => Value::Text(text),
        });
    };
    match (&*tag.suffix, scalar::plain(&text)) {
        ("str", _) => Ok(Value::Text(text)),
        ("null", value @ Value::Null)
        | ("bool", value @ Value::Bool(_))
        | ("int" | "float", value @ Value::Number(_)) => Ok(value),
        (suffix, _) => Err(format!("{text:.60} is no !!{suffix:.20}")),
    }
}

fn place(span: Span) -> Place {
    Place {
        line: span.start.line(),
        column: span.start.col().saturating_add(1),
    }
}

/// In the words that the module has for it.
fn not_json(error: &serde_json::Error) -> Fault {
    Fault {
        place: Place {
            line: error.line().max(1),
            column: error.column().max(1),
        },
        message: format!("not JSON, as which Envoy would read a file of this name: {error}"),
    }
}

fn fault(error: &ScanError) -> Fault {
    let mark = error.marker();
    Fault {
        place: Place {
            line: mark.line(),
            column: mark.col().saturating_add(1),
        },
        message: format!("not YAML: {}", error.info()),
    }
}

/// All of it is at the text's beginning.
fn without_places(json: &Json) -> Rc<Node> {
    let place = Place { line: 1, column: 1 };
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Json::String(text) => Value::Text(text.clone()),
        Json::List(items) => Value::List(items.iter().map(without_places).collect()),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Field {
                name: name.clone(),
                place,
                node: without_places(value),
            });
            Value::Map(fields.collect())
        }
    };
    Rc::new(Node::new(place, value))
}
