//! `customTags` (Istio Telemetry) or `custom_tags` (MeshConfig), and `tags`.

use super::{
    Environment, Problem,
    problem::near_miss,
    reader::{Node, Object, quoted},
};
use crate::{
    config::attributes,
    policy::tags::{Attribute, AttributeType, MAX_NAME, MAX_TAGS, Sinks, Source, Tag},
    propagation::is_trace_header,
    text::{MAX_VALUE, clean},
};

pub const FIELDS: [&str; 1] = ["to"];

const SOURCES: [&str; 5] = ["literal", "environment", "header", "node", "attribute"];

const TYPES: [(&str, AttributeType); 7] = [
    ("string", AttributeType::String),
    ("int", AttributeType::Int),
    ("uint", AttributeType::Uint),
    ("double", AttributeType::Double),
    ("bool", AttributeType::Bool),
    ("timestamp", AttributeType::Timestamp),
    ("duration", AttributeType::Duration),
];

/// All tags: `custom_tags`, and those that only `rules` give, by name and where they are written.
pub fn load(
    custom_tags: Option<&Node<'_>>,
    rules: &[(&str, Node<'_>)],
    section: Option<&Object<'_>>,
    environment: &impl Environment,
) -> Result<(Vec<Tag>, Sinks), Problem> {
    let to = To::load(section)?;
    let fields: Vec<_> = match custom_tags {
        Some(node) => node.map()?.fields().collect(),
        None => Vec::new(),
    };
    let mut named: Vec<(&str, &Node<'_>, Named)> = Vec::new();
    for (name, node) in &fields {
        named.push((name, node, Named::Custom));
    }
    for (name, node) in rules {
        if !named.iter().any(|(known, ..)| known == name) {
            named.push((name, node, Named::ByRule));
        }
    }
    if let (true, Some((_, first, _))) = (named.len() > MAX_TAGS, named.get(MAX_TAGS)) {
        let at = custom_tags.filter(|_| fields.len() > MAX_TAGS);
        return Err(at.unwrap_or(first).problem(format!(
            "expected at most {MAX_TAGS} tags, got {}",
            named.len()
        )));
    }
    to.check_header_templates(named.len())?;
    let mut tags: Vec<Tag> = Vec::new();
    for (name, node, kind) in named {
        check(name, node, &to)?;
        let (source, default) = match kind {
            Named::Custom => {
                let (kind, source) = node.only_field(&SOURCES)?;
                load_source(kind, &source, environment)?
            }
            Named::ByRule => (Source::Rule, None),
        };
        let tag = Tag {
            name: name.to_owned(),
            filter_state: format!("throughline.tag.{}", as_word(name, '_')),
            headers: to.headers(name),
            source,
            default,
        };
        for other in &tags {
            if let Some(place) = shared_place(&tag, other) {
                return Err(node.problem(format!(
                    "would overwrite {} in {place}; rename one",
                    other.name
                )));
            }
        }
        tags.push(tag);
    }
    Ok((tags, to.sinks))
}

/// Where a tag is named.
#[derive(Clone, Copy)]
enum Named {
    Custom,
    ByRule,
}

/// Where both would be written, which can hold only one.
fn shared_place(tag: &Tag, other: &Tag) -> Option<String> {
    if tag.filter_state == other.filter_state {
        return Some(format!("the filter state {}", tag.filter_state));
    }
    let header = tag
        .headers
        .iter()
        .find(|name| other.headers.contains(name))?;
    Some(format!("the request header {header}"))
}

/// Whether a tag may have that name in all of its sinks.
fn check(name: &str, node: &Node<'_>, to: &To) -> Result<(), Problem> {
    check_name(name).map_err(|message| node.problem(message))?;
    if to.sinks.baggage && !name.bytes().all(is_token) {
        return Err(node.problem(
            "the name is no baggage key (RFC 9110 token): letters, digits and !#$%&'*+-.^_`|~ only",
        ));
    }
    match to.headers(name).iter().find(|name| is_taken(name)) {
        Some(taken) => Err(node.problem(format!(
            "the request header {taken} is not for tags; rename the tag"
        ))),
        None => Ok(()),
    }
}

/// `name` with `separator` for everything but letters, digits, `_` and `-`.
fn as_word(name: &str, separator: char) -> String {
    let is_plain = |char: &char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    name.chars()
        .map(|char| if is_plain(&char) { char } else { separator })
        .collect()
}

/// Where a value comes from, and what it is where that has nothing.
pub fn load_source(
    kind: &str,
    node: &Node<'_>,
    environment: &impl Environment,
) -> Result<(Source, Option<String>), Problem> {
    Ok(match kind {
        "literal" => {
            let value = node.object(&["value"])?.required("value")?;
            (Source::Fixed(Some(value.text(MAX_VALUE)?)), None)
        }
        "environment" => {
            let (object, default) = with_default(node, &["name", "defaultValue", "default_value"])?;
            let name = object.required("name")?;
            let value = environment.get(non_empty(&name)?);
            let value = value.as_deref().map(str::as_bytes).and_then(clean);
            (Source::Fixed(value), default)
        }
        "header" => {
            let (object, default) = with_default(node, &["name", "defaultValue", "default_value"])?;
            let name = object.required("name")?;
            (Source::Header(header_name(&name, name.string()?)?), default)
        }
        "node" => {
            let (object, default) = with_default(node, &["path", "defaultValue", "default_value"])?;
            let path = object.required("path")?;
            let elements = attributes::split(path.string()?)
                .ok_or_else(|| path.expected("a path below the node's metadata, as LABELS.app"))?;
            (Source::Node(elements), default)
        }
        _ => load_attribute(node)?,
    })
}

fn load_attribute(node: &Node<'_>) -> Result<(Source, Option<String>), Problem> {
    let (object, default) = with_default(node, &["path", "type", "defaultValue", "default_value"])?;
    let path = object.required("path")?;
    let elements = attributes::split(path.string()?)
        .ok_or_else(|| path.expected("an attribute such as xds.cluster_name"))?;
    let natural = attributes::check(&elements).map_err(|message| path.problem(message))?;
    let kind = match (object.get("type"), natural) {
        (Some(node), None) => node.choice(&TYPES)?,
        (Some(node), Some(natural)) => {
            let kind = node.choice(&TYPES)?;
            if kind != natural {
                let name = TYPES.iter().find(|(_, kind)| *kind == natural);
                return Err(node.expected(name.map_or("another type", |(name, _)| name)));
            }
            kind
        }
        (None, natural) => natural.unwrap_or(AttributeType::String),
    };
    let attribute = Attribute {
        path: elements,
        kind,
    };
    Ok((Source::Attribute(attribute), default))
}

fn with_default<'a>(
    node: &Node<'a>,
    fields: &[&str],
) -> Result<(Object<'a>, Option<String>), Problem> {
    let object = node.object(fields)?;
    let default = object
        .either("defaultValue", "default_value")?
        .map(|node| node.text(MAX_VALUE))
        .transpose()?;
    Ok((object, default))
}

fn non_empty<'a>(node: &Node<'a>) -> Result<&'a str, Problem> {
    let text = node.string()?;
    if text.is_empty() {
        return Err(node.problem("must not be empty"));
    }
    Ok(text)
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(format!("a tag's name has 1 to {MAX_NAME} characters"));
    }
    match name.chars().find(
        |char| !matches!(char, 'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' | '/' | ':'),
    ) {
        Some(char) => Err(format!(
            "{} is not allowed in a tag's name; use letters, digits and ._-/:",
            quoted(char.encode_utf8(&mut [0; 4]))
        )),
        None => Ok(()),
    }
}

/// RFC 9110 §5.6.2.
const fn is_token(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+'
        | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// The name of a header, in lower case; `node` is where it is written.
pub fn header_name(node: &Node<'_>, name: &str) -> Result<String, Problem> {
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_token) {
        return Err(node.problem(format!("expected a header name, got {}", quoted(name))));
    }
    Ok(name.to_ascii_lowercase())
}

/// `tags.to`, read.
struct To {
    sinks: Sinks,
    /// Header names with `{tag}` in them or not, and where each stands.
    headers: Vec<(String, Problem)>,
}

/// Stands for the tag's name in `header:<name>`.
const PLACEHOLDER: &str = "{tag}";

/// More sinks than there are kinds of them; each header is a write for each tag of each request.
const MAX_SINKS: usize = 8;

/// What a tag may not overwrite besides the headers of a trace: it would break the request, or forge who sent it.
const TAKEN: [&str; 36] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "cdn-loop",
    "client-ip",
    "connection",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "user-agent",
    "via",
    "x-client-cert",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method-override",
    "x-jwt-payload",
    "x-real-ip",
    "x-request-id",
];
const TAKEN_PREFIXES: [&str; 13] = [
    "access-control-",
    "cf-",
    "content-",
    "grpc-",
    "if-",
    "sec-",
    "x-amzn-",
    "x-auth-",
    "x-envoy-",
    "x-forwarded-",
    "x-goog-",
    "x-istio-",
    "x-original-",
];

/// Whether a header of that name means something to others.
pub fn is_taken(header: &str) -> bool {
    is_trace_header(header)
        || TAKEN.contains(&header)
        || TAKEN_PREFIXES
            .iter()
            .any(|prefix| header.starts_with(prefix))
}

impl To {
    fn load(section: Option<&Object<'_>>) -> Result<Self, Problem> {
        let mut to = Self {
            sinks: Sinks::default(),
            headers: Vec::new(),
        };
        let Some(list) = section.and_then(|section| section.get("to")) else {
            to.sinks.span = true;
            to.sinks.filter_state = true;
            return Ok(to);
        };
        let items = list.list()?;
        if items.len() > MAX_SINKS {
            return Err(list.problem(format!(
                "expected at most {MAX_SINKS} sinks, got {}",
                items.len()
            )));
        }
        let mut words: Vec<String> = Vec::new();
        for item in items {
            let word = item.string()?.to_owned();
            if words.iter().any(|known| known.eq_ignore_ascii_case(&word)) {
                return Err(item.problem(format!("{word} is there twice")));
            }
            words.push(word);
            match item.string()? {
                "span" => to.sinks.span = true,
                "accessLog" | "nativeSpan" => to.sinks.filter_state = true,
                "baggage" => to.sinks.baggage = true,
                word => match word.strip_prefix("header:") {
                    Some(name) => to.add_header(&item, name)?,
                    None => {
                        let mut problem = item
                            .expected("one of span, accessLog, nativeSpan, baggage, header:<name>");
                        if let Some(meant) =
                            near_miss(word, &["span", "accessLog", "nativeSpan", "baggage"])
                        {
                            problem
                                .message
                                .push_str(&format!("; did you mean {meant}?"));
                        }
                        return Err(problem);
                    }
                },
            }
        }
        Ok(to)
    }

    fn add_header(&mut self, item: &Node<'_>, name: &str) -> Result<(), Problem> {
        let plain = header_name(item, &name.replace(PLACEHOLDER, "tag"))?;
        if is_taken(&plain) {
            return Err(item.problem(format!(
                "{plain} is not for tags; choose a name of your own"
            )));
        }
        let needs_placeholder = item.problem(format!(
            "one header cannot carry several tags; write header:{name}-{PLACEHOLDER} for a header each"
        ));
        self.headers
            .push((name.to_ascii_lowercase(), needs_placeholder));
        Ok(())
    }

    fn check_header_templates(&self, tags: usize) -> Result<(), Problem> {
        match self
            .headers
            .iter()
            .find(|(name, _)| !name.contains(PLACEHOLDER))
        {
            Some((_, problem)) if tags > 1 => Err(problem.clone()),
            _ => Ok(()),
        }
    }

    fn headers(&self, tag: &str) -> Vec<String> {
        let tag = as_word(tag, '-').to_ascii_lowercase();
        self.headers
            .iter()
            .map(|(name, _)| name.replace(PLACEHOLDER, &tag))
            .collect()
    }
}
