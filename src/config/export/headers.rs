//! `export.headers` and OTEL_EXPORTER_OTLP_HEADERS. Their values may be secrets: no mistake shows one.

use super::{
    super::{
        Environment, Problem,
        environment::{non_empty, pairs},
        reader::{Node, quoted},
    },
    destination::MAX_NAME,
};
use crate::text::MAX_VALUE;

const MAX_HEADERS: usize = 16;

/// What the exporter writes itself, or what would break its calls.
const TAKEN: [&str; 12] = [
    "b3",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "content-encoding",
];

/// Names in lower case, none twice.
pub fn load(
    section: Option<&Node<'_>>,
    environment: &impl Environment,
) -> Result<Vec<(String, String)>, Problem> {
    let headers = match section {
        Some(section) => configured_headers(section, environment)?,
        None => headers_from(environment)?,
    };
    if headers.len() > MAX_HEADERS {
        return Err(Problem::new(
            "export.headers",
            format!("expected at most {MAX_HEADERS}, got {}", headers.len()),
        ));
    }
    Ok(headers)
}

fn configured_headers(
    section: &Node<'_>,
    environment: &impl Environment,
) -> Result<Vec<(String, String)>, Problem> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, node) in section.map()?.fields() {
        let text = match node.map() {
            Ok(_) => node.object(&["value"])?.required("value")?,
            Err(_) => node.clone(),
        };
        let value = expanded(&text, environment)?;
        let header = header(name, value).map_err(|message| node.problem(message))?;
        if headers.iter().any(|(known, _)| *known == header.0) {
            return Err(node.problem(format!("the header {} is there twice", header.0)));
        }
        headers.push(header);
    }
    Ok(headers)
}

fn headers_from(environment: &impl Environment) -> Result<Vec<(String, String)>, Problem> {
    const NAMES: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "OTEL_EXPORTER_OTLP_HEADERS",
    ];
    let mut headers: Vec<(String, String)> = Vec::new();
    let given = NAMES
        .into_iter()
        .find(|name| non_empty(environment, name).is_some());
    if let Some(variable) = given {
        for (index, (name, value)) in pairs(environment, variable)?.into_iter().enumerate() {
            let header = header(&name, value)
                .map_err(|message| Problem::new(variable, format!("entry {index}: {message}")))?;
            // The last one counts, as in a map.
            headers.retain(|(known, _)| *known != header.0);
            headers.push(header);
        }
    }
    Ok(headers)
}

/// The message shows neither part: a secret in the wrong place is a secret still.
fn header(name: &str, value: String) -> Result<(String, String), String> {
    let name = name.to_ascii_lowercase();
    let is_name = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
    };
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(is_name) {
        return Err("the name is no header name".to_owned());
    }
    if TAKEN.contains(&name.as_str()) || name.starts_with("x-b3-") {
        return Err(format!("{name} is written by the exporter itself"));
    }
    let most = MAX_VALUE.saturating_mul(16);
    if value.len() > most || value.chars().any(char::is_control) {
        return Err(format!(
            "the value has control characters or more than {most} bytes"
        ));
    }
    Ok((name, value))
}

/// `${env:NAME}` stands for a variable, as in the Collector's configuration: secrets do not belong into manifests.
fn expanded(node: &Node<'_>, environment: &impl Environment) -> Result<String, Problem> {
    // A number may be a secret too, and is not shown.
    if node.number().is_some() {
        return Err(node.problem("expected a string, got a number; put it in quotes"));
    }
    let mut rest = node.string()?;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once("${env:") {
        let Some((name, after)) = after.split_once('}') else {
            return Err(node.problem("${env: is not closed by }"));
        };
        let Some(value) = environment.get(name) else {
            return Err(node.problem(format!(
                "the variable {} is not set in vmConfig.env",
                quoted(name)
            )));
        };
        text.push_str(before);
        text.push_str(value.trim());
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}
