//! Whether what is seen is what an example shows.

use anyhow::{Result, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use throughline_dev::documentation::Variables;
use throughline_dev::documentation::example::Message;
use throughline_dev::http::{Headers, Request, Response, TRACE_HEADERS};

/// A request has what is shown, and no header of a trace besides.
pub fn request(wanted: &Message, got: &Request, variables: &mut Variables) -> Result<()> {
    let [method, target] = &wanted.start;
    ensure!(
        *method == got.method && *target == got.target,
        "{}: {method} {target} is shown, {} {} came",
        wanted.place,
        got.method,
        got.target
    );
    headers(wanted, &got.headers, variables)?;
    for name in TRACE_HEADERS.into_iter().chain(["baggage"]) {
        let shown = wanted.headers.iter().any(|(shown, _)| shown == name);
        ensure!(
            shown || !got.headers.contains(name),
            "{}: {name} is not shown, but came:\n{:?}",
            wanted.place,
            got.headers
        );
    }
    Ok(())
}

/// A response has what is shown.
pub fn response(wanted: &Message, got: &Response, variables: &mut Variables) -> Result<()> {
    let status = got.status.to_string();
    ensure!(
        wanted.start[1] == status,
        "{}: the status was {status}",
        wanted.place
    );
    headers(wanted, &got.headers, variables)
}

fn headers(wanted: &Message, got: &Headers, variables: &mut Variables) -> Result<()> {
    let names: BTreeSet<_> = wanted.headers.iter().map(|(name, _)| name).collect();
    for name in names {
        let values = got.all(name).map(String::from_utf8_lossy);
        let shown = wanted.headers.iter().filter(|(other, _)| other == name);
        let shown: Vec<_> = shown.map(|(_, value)| value).collect();
        let values: Vec<_> = values.collect();
        let mut both = shown.iter().zip(&values);
        if shown.len() != values.len() || !both.all(|(shown, value)| variables.fits(shown, value)) {
            bail!(
                "{}: {name} is shown as {shown:?}, with {variables:?}; what came is\n{got:?}",
                wanted.place
            );
        }
    }
    Ok(())
}

/// An entry of the access log has what is shown.
pub fn entry(
    wanted: &BTreeMap<String, String>,
    got: &Value,
    variables: &mut Variables,
) -> Result<()> {
    for (key, shown) in wanted {
        let text = match &got[key] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        ensure!(
            variables.fits(shown, &text),
            "{key} is shown as {shown:?}, with {variables:?}; the entry is {got:#}"
        );
    }
    Ok(())
}
