//! A span as it is shown.

use std::collections::BTreeMap;
use throughline_dev::backends;
use throughline_dev::receiver::{self, Code, Value};

/// A span, received or given back by a backend.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace_id: String,
    pub id: String,
    pub parent: Option<String>,
    pub service: String,
    pub name: String,
    /// In capitals.
    pub kind: String,
    pub start_ns: u64,
    pub end_ns: u64,
    /// Whether its status is an error.
    pub failed: bool,
    pub attributes: BTreeMap<String, String>,
    pub resource: BTreeMap<String, String>,
}

impl Span {
    /// The service without its namespace.
    pub fn short_service(&self) -> &str {
        self.service.split('.').next().unwrap_or_default()
    }

    /// The HTTP status, if there was one.
    pub fn status(&self) -> Option<&str> {
        let keys = ["http.response.status_code", "http.status_code"];
        keys.iter()
            .find_map(|key| self.attributes.get(*key))
            .map(String::as_str)
    }

    /// Its name, and the path beside a name that has none: in HTTP the name is the method alone.
    pub fn name_and_path(&self) -> String {
        let full = |url: &String| {
            let (_, rest) = url.split_once("://")?;
            Some(rest[rest.find('/')?..].to_owned())
        };
        let path = self.attributes.get("url.path").cloned();
        let path = path.or_else(|| self.attributes.get("url.full").and_then(full));
        match path {
            Some(path) if !self.name.contains('/') => format!("{} {path}", self.name),
            _ => self.name.clone(),
        }
    }

    /// Whether it did not go as the caller wished: an error, or a refusal, which for a server is none.
    pub fn went_wrong(&self) -> bool {
        self.failed || self.status().is_some_and(|status| status >= "400")
    }

    /// How long it took, in milliseconds.
    pub fn milliseconds(&self) -> String {
        milliseconds(self.end_ns.saturating_sub(self.start_ns))
    }
}

/// Nanoseconds for people, to a tenth of a millisecond, below one to a hundredth.
pub fn milliseconds(ns: u64) -> String {
    if ns == 0 {
        return "0 ms".to_owned();
    }
    let ms = ns as f64 / 1e6;
    let decimals = if ms < 1.0 { 2 } else { 1 };
    format!("{ms:.decimals$} ms")
}

impl From<receiver::Span> for Span {
    fn from(span: receiver::Span) -> Self {
        let texts = |values: BTreeMap<String, Value>| {
            let text = |(key, value): (String, Value)| (key, value.to_string());
            values.into_iter().map(text).collect()
        };
        Self {
            trace_id: span.trace_id,
            id: span.span_id,
            parent: span.parent_id,
            service: span.service,
            name: span.name,
            kind: span.kind.to_string(),
            start_ns: span.start_ns,
            end_ns: span.end_ns,
            failed: span.status.code == Code::Error,
            attributes: texts(span.attributes),
            resource: texts(span.resource),
        }
    }
}

/// Backends give back no resource but the service's name.
impl From<backends::Span> for Span {
    fn from(span: backends::Span) -> Self {
        Self {
            trace_id: span.trace_id,
            id: span.span_id,
            parent: span.parent_id,
            name: span.name,
            kind: span.kind.to_string(),
            start_ns: span.start_ns,
            end_ns: span.start_ns.saturating_add(span.duration_ns),
            failed: span.status == Code::Error,
            attributes: span.attributes,
            resource: BTreeMap::from([("service.name".to_owned(), span.service.clone())]),
            service: span.service,
        }
    }
}
