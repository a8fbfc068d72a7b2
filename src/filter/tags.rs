//! Gives a request's tags to their sinks.

use super::host::{Host, PropertyPath};
use crate::{
    policy::tags::{AttributeType, Sinks, Source, Tag, clean},
    propagation::{Headers, baggage},
};

/// Tags whose sources have been asked for all that cannot change.
#[derive(Debug)]
pub struct Tags {
    tags: Vec<Resolved>,
    sinks: Sinks,
}

#[derive(Debug)]
struct Resolved {
    tag: Tag,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Fixed(Option<String>),
    Header(String),
    Property(PropertyPath, AttributeType),
}

impl Tags {
    pub fn new(tags: &[Tag], sinks: Sinks, host: &mut impl Host) -> Self {
        let tags = tags
            .iter()
            .map(|tag| Resolved {
                value: resolve(tag, host),
                tag: tag.clone(),
            })
            .collect();
        Self { tags, sinks }
    }

    pub fn apply(&self, host: &mut impl Host, headers: &Headers) {
        let mut members = Vec::new();
        for Resolved { tag, value } in &self.tags {
            let read;
            let value = match value {
                Value::Fixed(value) => value.as_deref(),
                Value::Header(name) => {
                    read = headers.first(name).and_then(clean);
                    read.as_deref()
                }
                Value::Property(path, kind) => {
                    read = host.property(path).and_then(|bytes| kind.read(&bytes));
                    read.as_deref()
                }
            };
            let value = value.or(tag.default.as_deref());
            self.write(host, headers, tag, value);
            if self.sinks.baggage
                && let Some(value) = value
            {
                members.push((tag.name.as_str(), value.to_owned()));
            }
        }
        let members: Vec<(&str, &str)> = members
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        if let Some(value) = baggage::with_members(headers.all("baggage"), &members) {
            host.set_request_header("baggage", &value);
        }
    }

    fn write(&self, host: &mut impl Host, headers: &Headers, tag: &Tag, value: Option<&str>) {
        if self.sinks.filter_state
            && let Some(value) = value
        {
            host.set_filter_state(&tag.filter_state, value.as_bytes());
        }
        for name in &tag.headers {
            let mut there = headers.all(name);
            match (value, there.next(), there.next()) {
                (Some(value), Some(first), None) if first == value.as_bytes() => {}
                (Some(value), ..) => host.set_request_header(name, value.as_bytes()),
                // What a client sent under the tag's name is not the tag.
                (None, Some(_), _) => host.remove_request_header(name),
                (None, None, _) => {}
            }
        }
    }
}

fn resolve(tag: &Tag, host: &mut impl Host) -> Value {
    match &tag.source {
        Source::Fixed(value) => Value::Fixed(value.clone()),
        Source::Header(name) => Value::Header(name.clone()),
        Source::Node(path) => Value::Fixed(node_metadata(host, path)),
        Source::Attribute(attribute) => {
            let path = PropertyPath::new(attribute.path.iter().map(String::as_str));
            // The node does not change while the process lives.
            if attribute
                .path
                .starts_with(&["xds".to_owned(), "node".to_owned()])
            {
                Value::Fixed(
                    host.property(&path)
                        .and_then(|bytes| attribute.kind.read(&bytes)),
                )
            } else {
                Value::Property(path, attribute.kind)
            }
        }
    }
}

/// A text in the node's metadata. Label and annotation names hold dots themselves, so where the path as it is
/// leads nowhere, all after its first element is tried as one name.
fn node_metadata(host: &mut impl Host, path: &[String]) -> Option<String> {
    const ROOT: [&str; 3] = ["xds", "node", "metadata"];
    let elements = path.iter().map(String::as_str);
    let direct = PropertyPath::new(ROOT.into_iter().chain(elements));
    let text = host.property(&direct).and_then(|bytes| clean(&bytes));
    match (text, path.split_first()) {
        (None, Some((first, rest))) if rest.len() > 1 => {
            let name = rest.join(".");
            let path = PropertyPath::new(ROOT.into_iter().chain([first.as_str(), name.as_str()]));
            host.property(&path).and_then(|bytes| clean(&bytes))
        }
        (text, _) => text,
    }
}
