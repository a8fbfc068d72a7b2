//! A span as every protocol can carry it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How a span came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// OTLP over HTTP, protobuf.
    OtlpHttp,
    /// OTLP over HTTP, JSON.
    OtlpHttpJson,
    /// OTLP over gRPC.
    OtlpGrpc,
    /// Zipkin v2 JSON.
    Zipkin,
}

/// As `export.protocol` names it.
impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtlpHttp => "otlp-http",
            Self::OtlpHttpJson => "otlp-http-json",
            Self::OtlpGrpc => "otlp-grpc",
            Self::Zipkin => "zipkin",
        })
    }
}

/// OpenTelemetry's span kinds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Kind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// In capitals, as everybody writes them.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unspecified => "UNSPECIFIED",
            Self::Internal => "INTERNAL",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Producer => "PRODUCER",
            Self::Consumer => "CONSUMER",
        })
    }
}

/// OpenTelemetry's status codes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[allow(missing_docs)]
pub enum Code {
    #[default]
    Unset,
    Ok,
    Error,
}

/// Whether what the span describes succeeded.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Status {
    /// The code.
    pub code: Code,
    /// The reason, for errors.
    pub message: String,
}

/// The value of an attribute.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Value {
    Str(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    /// A key without a value.
    Empty,
}

impl Value {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is a whole one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => f.write_str(text),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => write!(f, "{}", bytes.escape_ascii()),
            Self::List(values) => {
                let values: Vec<_> = values.iter().map(Self::to_string).collect();
                write!(f, "[{}]", values.join(", "))
            }
            Self::Map(fields) => {
                let fields: Vec<_> = fields.iter().map(|(key, v)| format!("{key}={v}")).collect();
                write!(f, "{{{}}}", fields.join(", "))
            }
            Self::Empty => Ok(()),
        }
    }
}

/// What made the span. Zipkin does not tell.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[allow(missing_docs)]
pub struct Scope {
    pub name: String,
    pub version: String,
}

/// A span that was received. Ids are lower-case hexadecimal.
#[derive(Clone, PartialEq, Debug)]
pub struct Span {
    /// How it came.
    pub protocol: Protocol,
    /// 32 digits; a short one of Zipkin's is padded.
    pub trace_id: String,
    /// 16 digits.
    pub span_id: String,
    /// None for a root.
    pub parent_id: Option<String>,
    /// What it is called.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// `service.name` of the resource; in Zipkin the name of the local endpoint.
    pub service: String,
    /// In Zipkin the name of the remote endpoint, which draws its dependency graph.
    pub remote_service: Option<String>,
    /// The attributes of the resource; in Zipkin only `service.name`.
    pub resource: BTreeMap<String, Value>,
    /// What made it.
    pub scope: Scope,
    /// When it started, in nanoseconds since 1970.
    pub start_ns: u64,
    /// When it ended.
    pub end_ns: u64,
    /// Whether it succeeded.
    pub status: Status,
    /// Its attributes; in Zipkin its tags, all of them text.
    pub attributes: BTreeMap<String, Value>,
    /// Trace and span id of each link.
    pub links: Vec<(String, String)>,
    /// OTLP's flags: the W3C trace flags, and whether the parent is remote.
    pub flags: u32,
    /// The W3C `tracestate`.
    pub trace_state: String,
}

impl Span {
    /// How long it took.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_ns.saturating_sub(self.start_ns))
    }

    /// The text of an attribute; empty when there is none.
    pub fn attribute(&self, key: &str) -> String {
        self.attributes
            .get(key)
            .map(Value::to_string)
            .unwrap_or_default()
    }
}

/// A line for what it is, and one for each attribute: for reading in a failed test.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self.parent_id.as_deref().unwrap_or("none");
        write!(
            f,
            "{} {:?} of {}: {} in {}, parent {parent}, {:?}, flags {:#x}, by {}",
            self.kind,
            self.name,
            self.service,
            self.span_id,
            self.trace_id,
            self.status.code,
            self.flags,
            self.protocol
        )?;
        if !self.trace_state.is_empty() {
            write!(f, ", tracestate {}", self.trace_state)?;
        }
        for (trace_id, span_id) in &self.links {
            write!(f, "\n    link to {span_id} in {trace_id}")?;
        }
        for (key, value) in &self.attributes {
            write!(f, "\n    {key}: {value}")?;
        }
        Ok(())
    }
}
