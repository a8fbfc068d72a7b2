//! The trace headers of one message, as they were on the wire.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use throughline_dev::http::{Headers, TRACE_HEADERS};

/// A format of trace headers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Format {
    Traceparent,
    B3Multi,
    B3,
}

impl Format {
    const ALL: [Self; 3] = [Self::Traceparent, Self::B3Multi, Self::B3];

    /// As people call its headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traceparent => "traceparent",
            Self::B3Multi => "x-b3-*",
            Self::B3 => "b3",
        }
    }
}

/// The trace headers of one message.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Carried(BTreeMap<&'static str, String>);

impl Carried {
    /// Those among the header fields of a message.
    pub fn of(headers: &Headers) -> Self {
        Self::new(|name| Some(String::from_utf8_lossy(headers.get(name)?).into_owned()))
    }

    /// Those among the keys of a JSON object, such as an access log entry.
    pub fn in_json(object: &Value) -> Self {
        Self::new(|name| Some(object.get(name)?.as_str()?.to_owned()))
    }

    fn new(value: impl Fn(&str) -> Option<String>) -> Self {
        // Envoy logs a dash for a header that is not there.
        let there = |name| Some((name, value(name).filter(|value| value != "-")?));
        Self(TRACE_HEADERS.into_iter().filter_map(there).collect())
    }

    /// An object of names and values.
    pub fn to_json(&self) -> Value {
        let entry = |(name, value): (&&str, &String)| ((*name).to_owned(), value.as_str().into());
        Value::Object(self.0.iter().map(entry).collect::<Map<_, _>>())
    }

    /// The formats that name a trace.
    pub fn formats(&self) -> Vec<Format> {
        let named = |format: &Format| self.trace_id(*format).is_some();
        Format::ALL.into_iter().filter(named).collect()
    }

    /// The traces that are named: one, if all formats agree.
    pub fn trace_ids(&self) -> BTreeSet<String> {
        let ids = Format::ALL.map(|format| self.trace_id(format));
        ids.into_iter().flatten().map(str::to_owned).collect()
    }

    fn trace_id(&self, format: Format) -> Option<&str> {
        let part = |name, index| self.0.get(name)?.split('-').nth(index);
        match format {
            Format::Traceparent => part("traceparent", 1),
            Format::B3Multi => part("x-b3-traceid", 0),
            // `0`, `1` and `d` alone name no trace.
            Format::B3 => part("b3", 1).and(part("b3", 0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Carried, Format};
    use serde_json::json;

    #[test]
    fn each_format_names_its_trace() {
        let carried = Carried::in_json(&json!({
            "path": "/",
            "traceparent": "00-aa-bb-01",
            "b3": "1",
            "x-b3-traceid": "cc",
            "x-b3-spanid": "-",
            "tracestate": null,
        }));
        assert_eq!(carried.formats(), [Format::Traceparent, Format::B3Multi]);
        assert_eq!(
            carried.trace_ids().into_iter().collect::<Vec<_>>(),
            ["aa", "cc"]
        );
        assert_eq!(
            carried.to_json(),
            json!({"b3": "1", "traceparent": "00-aa-bb-01", "x-b3-traceid": "cc"})
        );
    }

    #[test]
    fn nothing_names_no_trace() {
        assert_eq!(Carried::default().formats(), []);
    }
}
