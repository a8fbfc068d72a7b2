//! Whether the spans that are exported are those that an example shows.

use anyhow::{Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use throughline_dev::documentation::Variables;
use throughline_dev::documentation::example::Span as Shown;
use throughline_dev::receiver::{self, Span};

/// Each span that is shown is one of those, and none is left.
pub fn compare(wanted: &[Shown], mut got: Vec<Span>, variables: &mut Variables) -> Result<()> {
    for shown in wanted {
        let mut why = Vec::new();
        let place = got.iter().position(|span| {
            // The names that a span taught that is another one are forgotten.
            let mut learned = variables.clone();
            match differs(shown, span, &mut learned) {
                None => {
                    *variables = learned;
                    true
                }
                Some(difference) => {
                    why.push(format!("{difference}: {span}"));
                    false
                }
            }
        });
        let Some(place) = place else {
            bail!(
                "no span is {shown:#?}\nwith {variables:?}. There are\n{}",
                why.join("\n")
            );
        };
        got.remove(place);
    }
    if let Some(span) = got.first() {
        bail!("a span that is not shown: {span}");
    }
    Ok(())
}

/// In what the span is not as it is shown.
fn differs(shown: &Shown, span: &Span, variables: &mut Variables) -> Option<String> {
    let links: Vec<_> = shown
        .links
        .iter()
        .flat_map(|link| [&link.trace, &link.span])
        .map(String::as_str)
        .collect();
    let has_links = span.links.iter().flat_map(|(trace, id)| [trace, id]);
    let mut fields = vec![
        ("service", shown.service.as_str(), span.service.as_str()),
        ("name", &shown.name, &span.name),
        ("trace", &shown.trace, &span.trace_id),
        ("span", &shown.span, &span.span_id),
        ("tracestate", &shown.tracestate, &span.trace_state),
    ];
    let (kind, status) = (span.kind.to_string(), format!("{:?}", span.status.code));
    fields.push(("kind", &shown.kind, &kind));
    fields.extend(
        shown
            .status
            .as_deref()
            .map(|shown| ("status", shown, status.as_str())),
    );
    let none = String::new();
    let parents = [&shown.parent, &span.parent_id].map(|id| id.as_ref().unwrap_or(&none));
    fields.push(("parent", parents[0], parents[1]));
    if links.len() != span.links.len() * 2 {
        return Some("links".to_owned());
    }
    fields.extend(
        links
            .into_iter()
            .zip(has_links)
            .map(|(shown, has)| ("links", shown, has.as_str())),
    );
    let differs = fields
        .into_iter()
        .find(|(_, shown, has)| !variables.fits(shown, has))
        .map(|(name, ..)| name.to_owned());
    differs
        .or_else(|| lacks(&shown.attributes, &span.attributes, variables))
        .or_else(|| lacks(&shown.resource, &span.resource, variables))
}

/// The first attribute that is shown and is not so. `null` is shown for one that must not be there.
fn lacks(
    shown: &BTreeMap<String, Value>,
    has: &BTreeMap<String, receiver::Value>,
    variables: &mut Variables,
) -> Option<String> {
    let so = |key: &String, value: &Value, variables: &mut Variables| match (value, has.get(key)) {
        (Value::Null, has) => has.is_none(),
        (_, None) => false,
        (Value::String(shown), Some(has)) => variables.fits(shown, &has.to_string()),
        (shown, Some(has)) => variables.fits(&shown.to_string(), &has.to_string()),
    };
    shown
        .iter()
        .find(|(key, value)| !so(key, value, variables))
        .map(|(key, _)| key.clone())
}
