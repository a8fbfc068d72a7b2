//! Spans out of OTLP's JSON, as the Collector, Jaeger and Tempo write it: each with its own idea of ids and enums.

use super::Span;
use crate::receiver::{Code, Kind, Value as Attribute};
use anyhow::{Context, Result, bail};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use std::collections::BTreeMap;

/// In the order of their numbers.
const KINDS: [(&str, Kind); 6] = [
    ("SPAN_KIND_UNSPECIFIED", Kind::Unspecified),
    ("SPAN_KIND_INTERNAL", Kind::Internal),
    ("SPAN_KIND_SERVER", Kind::Server),
    ("SPAN_KIND_CLIENT", Kind::Client),
    ("SPAN_KIND_PRODUCER", Kind::Producer),
    ("SPAN_KIND_CONSUMER", Kind::Consumer),
];
const CODES: [(&str, Code); 3] = [
    ("STATUS_CODE_UNSET", Code::Unset),
    ("STATUS_CODE_OK", Code::Ok),
    ("STATUS_CODE_ERROR", Code::Error),
];

/// The spans of a list of `ResourceSpans`.
pub fn spans(resource_spans: &Value) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    for resource in list(resource_spans) {
        let mut about = attributes(&resource["resource"]["attributes"])?;
        let service = about.remove("service.name").unwrap_or_default();
        for scope in list(&resource["scopeSpans"]) {
            for found in list(&scope["spans"]) {
                spans.push(span(found, &service).with_context(|| format!("span {found}"))?);
            }
        }
    }
    Ok(spans)
}

fn span(span: &Value, service: &str) -> Result<Span> {
    let start_ns = nanoseconds(&span["startTimeUnixNano"])?;
    let end_ns = nanoseconds(&span["endTimeUnixNano"])?;
    Ok(Span {
        trace_id: id(&span["traceId"], 16)?.context("no trace id")?,
        span_id: id(&span["spanId"], 8)?.context("no span id")?,
        parent_id: id(&span["parentSpanId"], 8)?,
        name: span["name"].as_str().unwrap_or_default().to_owned(),
        kind: one_of(&KINDS, &span["kind"])?,
        service: service.to_owned(),
        start_ns,
        duration_ns: end_ns
            .checked_sub(start_ns)
            .context("it ends before it starts")?,
        status: one_of(&CODES, &span["status"]["code"])?,
        attributes: attributes(&span["attributes"])?,
    })
}

/// OTLP's JSON leaves out what is empty.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// In hexadecimal as OTLP demands, or, in Tempo, in base64 as protobuf's own JSON. `None` for none.
fn id(value: &Value, bytes: usize) -> Result<Option<String>> {
    let text = value.as_str().unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() == 2 * bytes {
        return Ok(Some(text.to_ascii_lowercase()));
    }
    let decoded = BASE64_STANDARD
        .decode(text)
        .with_context(|| format!("id {text:?}"))?;
    if decoded.len() != bytes {
        bail!("id {text:?} has {} bytes, not {bytes}", decoded.len());
    }
    Ok(Some(
        decoded.iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}

/// An enum from its number or its name; nothing means the first.
fn one_of<T: Copy>(all: &[(&str, T)], value: &Value) -> Result<T> {
    let found = match value {
        Value::Null => all.first(),
        Value::String(text) => all.iter().find(|(name, _)| name == text),
        number => number
            .as_u64()
            .and_then(|number| all.get(usize::try_from(number).ok()?)),
    };
    let (_, known) = found.with_context(|| format!("{value} is not known"))?;
    Ok(*known)
}

fn nanoseconds(value: &Value) -> Result<u64> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .with_context(|| format!("{value} is no time"))
}

fn attributes(pairs: &Value) -> Result<BTreeMap<String, String>> {
    let attributes = key_values(pairs)?.into_iter();
    Ok(attributes
        .map(|(key, value)| (key, value.to_string()))
        .collect())
}

fn key_values(pairs: &Value) -> Result<BTreeMap<String, Attribute>> {
    let read = |pair: &Value| -> Result<_> {
        let key = pair["key"].as_str().context("no key")?;
        Ok((key.to_owned(), attribute(&pair["value"])?))
    };
    list(pairs)
        .iter()
        .map(|pair| read(pair).with_context(|| format!("attribute {pair}")))
        .collect()
}

/// An `AnyValue`.
fn attribute(any: &Value) -> Result<Attribute> {
    let Some((kind, value)) = any.as_object().and_then(|fields| fields.iter().next()) else {
        return Ok(Attribute::Empty);
    };
    Ok(match (kind.as_str(), value) {
        ("stringValue", Value::String(text)) => Attribute::Str(text.clone()),
        ("boolValue", Value::Bool(truth)) => Attribute::Bool(*truth),
        ("intValue", Value::String(text)) => Attribute::Int(text.parse()?),
        ("doubleValue", Value::Number(number)) => {
            Attribute::Double(number.as_f64().context("no number")?)
        }
        ("bytesValue", Value::String(text)) => Attribute::Bytes(BASE64_STANDARD.decode(text)?),
        ("arrayValue", value) => Attribute::List(
            list(&value["values"])
                .iter()
                .map(attribute)
                .collect::<Result<_>>()?,
        ),
        ("kvlistValue", value) => Attribute::Map(key_values(&value["values"])?),
        _ => bail!("{any} is no value"),
    })
}

#[cfg(test)]
mod tests {
    use super::spans;
    use crate::receiver::{Code, Kind};
    use anyhow::Result;
    use serde_json::json;

    #[test]
    fn every_dialect_means_the_same() -> Result<()> {
        let in_dialect = |trace: &str, span: &str, parent: &str, kind, code| {
            json!([{
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "reviews"}}]},
                "scopeSpans": [{"spans": [{
                    "traceId": trace, "spanId": span, "parentSpanId": parent, "kind": kind, "name": "GET",
                    "startTimeUnixNano": "1000", "endTimeUnixNano": "3500", "status": {"code": code},
                    "attributes": [
                        {"key": "a", "value": {"intValue": "500"}},
                        {"key": "b", "value": {"boolValue": true}},
                        {"key": "c", "value": {"arrayValue": {"values": [{"stringValue": "x"}]}}},
                    ],
                }]}],
            }])
        };
        let by_specification = spans(&in_dialect(
            "0af7651916cd43dd8448eb211c80319c",
            "00f067aa0ba902b7",
            "00f067aa0ba902b8",
            json!(3),
            json!(2),
        ))?;
        let by_tempo = spans(&in_dialect(
            "CvdlGRbNQ92ESOshHIAxnA==",
            "APBnqgupArc=",
            "APBnqgupArg=",
            json!("SPAN_KIND_CLIENT"),
            json!("STATUS_CODE_ERROR"),
        ))?;
        assert_eq!(by_specification, by_tempo);
        let [span] = by_tempo.as_slice() else {
            panic!("{by_tempo:?}")
        };
        assert_eq!(
            (
                span.kind,
                span.status,
                span.service.as_str(),
                span.duration_ns
            ),
            (Kind::Client, Code::Error, "reviews", 2500)
        );
        let attributes: Vec<_> = span.attributes.values().map(String::as_str).collect();
        assert_eq!(attributes, ["500", "true", "[x]"]);
        Ok(())
    }

    #[test]
    fn what_is_not_a_span_is_refused() {
        let with = |field: &str, value| {
            let mut span = json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00f067aa0ba902b7",
                "startTimeUnixNano": "1", "endTimeUnixNano": "2"});
            span[field] = value;
            spans(&json!([{"scopeSpans": [{"spans": [span]}]}]))
        };
        assert!(with("name", json!("GET")).is_ok());
        for (field, value) in [
            ("traceId", json!("")),
            ("spanId", json!("AAAA")),
            ("parentSpanId", json!("not base64")),
            ("kind", json!(6)),
            ("kind", json!("SERVER")),
            ("endTimeUnixNano", json!("0")),
            ("startTimeUnixNano", json!(1)),
        ] {
            assert!(with(field, value.clone()).is_err(), "{field}: {value}");
        }
    }
}
