//! Gives a request's tags to their sinks.

use std::borrow::Cow;

use super::{
    host::{Host, PropertyPath},
    node::HostNode,
    recording::Recording,
};
use crate::{
    config::Settings,
    engine::Decided,
    policy::{
        redaction::Redaction,
        sampling::Verdict,
        service::Node as _,
        tags::{AttributeType, Sinks, Source, Tag},
        trust::Action,
    },
    propagation::{Headers, baggage},
    span::Attributes as _,
    text::clean,
};

/// Tags whose sources have been asked for all that cannot change.
#[derive(Debug)]
pub struct Tags {
    tags: Vec<Resolved>,
    /// What each rule of sampling tags its requests with: the tag by its place, and its value.
    rules: Vec<Vec<(usize, String)>>,
    sinks: Sinks,
    redaction: Redaction,
    keeps_baggage: bool,
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
    Rule,
}

impl Resolved {
    /// An empty value is none, as to Envoy's own tags: a route without a name has an empty one.
    fn read(&self, host: &mut impl Host, headers: &Headers) -> Option<Cow<'_, str>> {
        let value = match &self.value {
            Value::Fixed(value) => value.as_deref().map(Cow::Borrowed),
            Value::Header(name) => headers.first(name).and_then(clean).map(Cow::Owned),
            Value::Property(path, kind) => host
                .property(path)
                .and_then(|bytes| kind.read(&bytes))
                .map(Cow::Owned),
            Value::Rule => None,
        };
        let default = || self.tag.default.as_deref().map(Cow::Borrowed);
        value.filter(|value| !value.is_empty()).or_else(default)
    }
}

impl Tags {
    pub fn new(settings: &Settings, host: &mut impl Host) -> Self {
        let Settings {
            tags,
            sampler,
            sinks,
            redaction,
            propagation,
            ..
        } = settings;
        let place = |name: &str| tags.iter().position(|tag| tag.name == name);
        let rules = sampler.rules.iter().map(|rule| {
            let of_rule = rule.tags.iter();
            of_rule
                .filter_map(|(name, value)| Some((place(name)?, value.clone())))
                .collect()
        });
        Self {
            rules: rules.collect(),
            tags: tags
                .iter()
                .map(|tag| Resolved {
                    value: resolve(tag, host),
                    tag: tag.clone(),
                })
                .collect(),
            sinks: *sinks,
            redaction: redaction.clone(),
            keeps_baggage: propagation.keeps_baggage,
        }
    }

    /// The request's tags, each with what the rule that decided on it says.
    ///
    /// What only rules give is a matter of requests that are decided on here: of all others it stays as it came, unless the
    /// trace is stripped off. What only spans have is none of requests without one: nobody is asked for it.
    fn of(
        &self,
        action: Action,
        decided: Decided,
        has_span: bool,
    ) -> impl Iterator<Item = (&Resolved, Option<&str>)> {
        let (is_decided_here, rule) = match decided {
            Decided::Here(Verdict { rule, .. }) => (true, rule),
            Decided::Before | Decided::Forced => (!action.lets_pass(), None),
        };
        let ruled = rule.and_then(|rule| self.rules.get(rule));
        let ruled = ruled.map(Vec::as_slice).unwrap_or_default();
        let Sinks {
            span,
            filter_state,
            baggage,
        } = self.sinks;
        let is_told = filter_state || baggage || (span && has_span);
        let tags = self.tags.iter().enumerate();
        tags.filter(move |(_, tag)| is_told || !tag.tag.headers.is_empty())
            .filter(move |(_, tag)| is_decided_here || !matches!(tag.value, Value::Rule))
            .map(move |(place, tag)| {
                let ruled = ruled.iter().find(|(ruled, _)| *ruled == place);
                (tag, ruled.map(|(_, value)| value.as_str()))
            })
    }

    /// What one of them is for this request, as far as anybody may read it; `None` where it is absent.
    fn value<'a>(
        &'a self,
        host: &mut impl Host,
        headers: &Headers,
        (resolved, ruled): (&'a Resolved, Option<&'a str>),
    ) -> Option<Cow<'a, str>> {
        let ruled = ruled.map(Cow::Borrowed);
        let value = ruled.or_else(|| resolved.read(host, headers));
        let value = value.filter(|value| !value.is_empty())?;
        Some(self.redaction.of(&resolved.tag.name, value))
    }

    /// Writes every tag to its sinks, and to `span` where there is one to write to. Of the headers those are for the mesh: where
    /// the trace is stripped off they do not leave, nor does what came in under their names.
    pub fn apply(
        &self,
        host: &mut impl Host,
        headers: &Headers,
        action: Action,
        decided: Decided,
        mut span: Option<&mut Recording>,
    ) {
        let is_stripped = action == Action::Strip;
        let mut members = Vec::new();
        for of_request in self.of(action, decided, span.is_some()) {
            let tag = &of_request.0.tag;
            let value = self.value(host, headers, of_request);
            self.observe(host, tag, value.as_deref(), span.as_deref_mut());
            write_headers(
                host,
                headers,
                tag,
                value.as_deref().filter(|_| !is_stripped),
            );
            if self.sinks.baggage {
                members.push((tag.name.as_str(), value));
            }
        }
        // Most configurations leave baggage alone: it is not even looked for.
        if !is_stripped && (self.sinks.baggage || !self.keeps_baggage) {
            self.write_baggage(host, headers, action, &members);
        }
    }

    fn write_baggage(
        &self,
        host: &mut impl Host,
        headers: &Headers,
        action: Action,
        members: &[(&str, Option<Cow<'_, str>>)],
    ) {
        // What does not pass is gone already.
        let came_in = headers.all("baggage").filter(|_| action.lets_pass());
        let kept = came_in.clone().filter(|_| self.keeps_baggage);
        let is_dropped = !self.keeps_baggage && came_in.clone().next().is_some();
        match baggage::with_members(kept, members) {
            Some(value) if !value.is_empty() => host.set_request_header("baggage", &value),
            None if !is_dropped => {}
            _ => host.remove_request_header("baggage"),
        }
    }

    /// The same for a request that is over: nothing carries it any more, only what is told of it.
    pub fn tell(
        &self,
        host: &mut impl Host,
        headers: &Headers,
        decided: Decided,
        mut span: Option<&mut Recording>,
    ) {
        for of_request in self.of(Action::Continue, decided, span.is_some()) {
            let value = self.value(host, headers, of_request);
            let tag = &of_request.0.tag;
            self.observe(host, tag, value.as_deref(), span.as_deref_mut());
        }
    }

    /// Tells the access log what a rule gives, known when the request is over: the rest was told before, of the request as it came.
    pub fn tell_ruled(&self, host: &mut impl Host, rule: usize) {
        if !self.sinks.filter_state {
            return;
        }
        for (place, value) in self.rules.get(rule).into_iter().flatten() {
            let resolved = self.tags.get(*place).filter(|_| !value.is_empty());
            if let Some(Resolved { tag, .. }) = resolved {
                let value = self.redaction.of(&tag.name, Cow::Borrowed(value.as_str()));
                host.set_filter_state(&tag.filter_state, value.as_bytes());
            }
        }
    }

    fn observe(
        &self,
        host: &mut impl Host,
        tag: &Tag,
        value: Option<&str>,
        span: Option<&mut Recording>,
    ) {
        let Some(value) = value else { return };
        if self.sinks.filter_state {
            host.set_filter_state(&tag.filter_state, value.as_bytes());
        }
        if let (true, Some(span)) = (self.sinks.span, span) {
            span.text(&tag.name, value);
        }
    }
}

fn write_headers(host: &mut impl Host, headers: &Headers, tag: &Tag, value: Option<&str>) {
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

fn resolve(tag: &Tag, host: &mut impl Host) -> Value {
    match &tag.source {
        Source::Fixed(value) => Value::Fixed(value.clone()),
        Source::Rule => Value::Rule,
        Source::Header(name) => Value::Header(name.clone()),
        Source::Node(path) => Value::Fixed(HostNode(host).below_metadata(path)),
        Source::Attribute(attribute) => {
            let path = PropertyPath::new(attribute.path.iter().map(String::as_str));
            let elements: Vec<&str> = attribute.path.iter().map(String::as_str).collect();
            // The node does not change while the process lives, the plugin's names while it is configured.
            let is_fixed = matches!(
                elements.as_slice(),
                ["xds", "node", ..] | ["plugin_name" | "plugin_root_id" | "plugin_vm_id"]
            );
            if is_fixed {
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
