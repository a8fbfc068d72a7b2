//! A recorded span as data, and how it is written.

use throughline::{
    export::{Block, Encoding, SpanWriter},
    span::{Attributes, End, Kind, Link, Parent, Remote, Start},
    trace::{Sampling, SpanId, TraceId},
};

/// What goes into one request.
#[derive(Clone, Debug)]
pub struct Payload {
    /// `service.name` first.
    pub resource: Vec<(String, String)>,
    pub spans: Vec<Recorded>,
}

impl Payload {
    pub fn of(spans: Vec<Recorded>) -> Self {
        Self {
            resource: vec![("service.name".to_owned(), "Reviews.bookinfo".to_owned())],
            spans,
        }
    }

    pub fn service(&self) -> &str {
        &self.resource[0].1
    }
}

#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    Int(i64),
    Bool(bool),
}

#[derive(Clone, Debug)]
pub struct Recorded {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent: Option<Parent>,
    pub kind: Kind,
    pub name: String,
    pub start: u64,
    pub end: u64,
    pub sampling: Sampling,
    pub random: bool,
    pub trace_state: String,
    pub links: Vec<Link>,
    /// Written before, and copied.
    pub block: Vec<(String, Value)>,
    pub attributes: Vec<(String, Value)>,
    pub error: Option<String>,
    pub legacy: bool,
    pub remote: Option<(Option<String>, Option<String>)>,
}

impl Recorded {
    /// As little as a span can be.
    pub fn small() -> Self {
        Self {
            trace_id: TraceId::new(1 << 127).expect("an id"),
            span_id: SpanId::new(1).expect("an id"),
            parent: None,
            kind: Kind::Server,
            name: "GET".to_owned(),
            start: 1_700_000_000_000_000_000,
            end: 1_700_000_000_000_001_000,
            sampling: Sampling::Accept,
            random: false,
            trace_state: String::new(),
            links: Vec::new(),
            block: Vec::new(),
            attributes: Vec::new(),
            error: None,
            legacy: false,
            remote: None,
        }
    }

    pub fn encoded(&self, encoding: Encoding, service: &str) -> Vec<u8> {
        let start = Start {
            trace_id: self.trace_id,
            span_id: self.span_id,
            parent: self.parent,
            kind: self.kind,
            name: &self.name,
            at: self.start,
            sampling: self.sampling,
            random: self.random,
            trace_state: &self.trace_state,
            links: &self.links,
        };
        let mut block = Block::new(encoding);
        write(&self.block, &mut block);
        let mut writer = SpanWriter::begin(encoding, &start, service);
        writer.block(&block);
        write(&self.attributes, &mut writer);
        writer.end(&End {
            at: self.end,
            error: self.error.as_deref(),
            legacy: self.legacy,
            remote: self.remote.as_ref().map(|(service, endpoint)| Remote {
                service: service.as_deref(),
                endpoint: endpoint.as_deref(),
            }),
        })
    }

    /// In the order of writing.
    pub fn all(&self) -> impl Iterator<Item = &(String, Value)> {
        self.block.iter().chain(&self.attributes)
    }

    /// It never ends before it starts.
    pub fn ends(&self) -> u64 {
        self.end.max(self.start)
    }
}

fn write(attributes: &[(String, Value)], to: &mut impl Attributes) {
    for (key, value) in attributes {
        match value {
            Value::Text(text) => to.text(key, text),
            Value::Int(number) => to.int(key, *number),
            Value::Bool(truth) => to.bool(key, *truth),
        }
    }
}
