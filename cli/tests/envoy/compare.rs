//! What was told beside what became of it. Ids that are made anew differ, and in nothing else may they.

use crate::counts::counts;
use crate::explain::Story;
use crate::fields::Fields;
use crate::stage::Became;
use std::collections::BTreeSet;
use throughline::propagation::{Format, Headers, Reads, TraceHeaders};
use throughline::trace::{SpanId, TraceId};

/// What Envoy adds by itself.
const OF_ENVOY: [&str; 8] = [
    "content-length",
    "date",
    "server",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-upstream-service-time",
    "x-forwarded-proto",
    "x-request-id",
    "content-type",
];

/// All that is not as it was told.
pub fn complaints(story: &Story, sent: &Fields, became: &Became) -> Vec<String> {
    let mut complaints = Vec::new();
    for header in &story.headers {
        let from = sent.get(&header.name).cloned().unwrap_or_default();
        if header.from != from {
            complaints.push(format!(
                "{}: {from:?} was sent, told is {header:?}",
                header.name
            ));
        }
    }
    let told = story.applied(sent);
    let ids = NewIds::of(&told, sent, &became.request);
    if let (Some(told), Some(id)) = (ids.is_new_trace, &story.decision.trace_id)
        && told != id.generated
    {
        complaints.push(format!("the trace is new: {told}, told is {id:?}"));
    }
    complaints.extend(ids.stale.iter().cloned());
    complaints.extend(differences("", &told, &became.request, &ids));
    let response = story.response.iter();
    let response = response.map(|(name, value)| (name.clone(), vec![value.clone()]));
    complaints.extend(differences(
        "the response's ",
        &response.collect(),
        &became.response,
        &ids,
    ));
    let told = counts(&story.page());
    if told != became.counts {
        complaints.push(format!("told is {told:?}, counted was {:?}", became.counts));
    }
    complaints
}

fn differences(whose: &str, told: &Fields, became: &Fields, ids: &NewIds) -> Vec<String> {
    let names: BTreeSet<&String> = told.keys().chain(became.keys()).collect();
    let mut all = Vec::new();
    for name in names {
        let is_envoys = !told.contains_key(name) && OF_ENVOY.contains(&name.as_str());
        let told = told.get(name).cloned().unwrap_or_default();
        let told: Vec<String> = told.iter().map(|value| ids.renamed(value)).collect();
        let became = became.get(name).cloned().unwrap_or_default();
        if !is_envoys && told != became {
            all.push(format!(
                "{whose}{name}: told is {told:?}, it became {became:?}"
            ));
        }
    }
    all
}

/// Ids that were told and did not come in, and what they are called in the Envoy.
#[derive(Default)]
struct NewIds {
    /// `None` where no trace leaves.
    is_new_trace: Option<bool>,
    names: Vec<(String, String)>,
    /// Ids that came in where there should be new ones.
    stale: Vec<String>,
}

impl NewIds {
    fn of(told: &Fields, sent: &Fields, became: &Fields) -> Self {
        let mut ids = Self::default();
        let (Some(told), Some(became)) = (leaving(told), leaving(became)) else {
            return ids;
        };
        let sent = traces(sent);
        let came_in = |id: TraceId| sent.iter().any(|(trace, _)| trace.is_same_trace(id));
        ids.is_new_trace = Some(!came_in(told.0));
        if !came_in(told.0) {
            ids.is_called(
                came_in(became.0),
                trace_names(told.0),
                trace_names(became.0),
            );
        }
        let came_in = |id: SpanId| sent.iter().any(|(_, span)| *span == Some(id));
        if !came_in(told.1) {
            ids.is_called(came_in(became.1), span_names(told.1), span_names(became.1));
        }
        ids
    }

    fn is_called(&mut self, came_in: bool, told: Vec<String>, became: Vec<String>) {
        if came_in {
            self.stale.push(format!("{became:?} is not new"));
        }
        self.names.extend(told.into_iter().zip(became));
    }

    fn renamed(&self, value: &str) -> String {
        let renamed =
            |value: String, (told, became): &(String, String)| value.replace(told, became);
        self.names.iter().fold(value.to_owned(), renamed)
    }
}

/// The longest first, of which others are parts.
fn trace_names(id: TraceId) -> Vec<String> {
    let digits = format!("{:032x}", id.bits());
    let (time, unique) = digits.split_at(8);
    let (high, _) = digits.split_at(16);
    let low = id.bits() & u128::from(u64::MAX);
    vec![
        digits.clone(),
        format!("{time}-{unique}"),
        low.to_string(),
        high.to_owned(),
    ]
}

fn span_names(id: SpanId) -> Vec<String> {
    vec![format!("{:016x}", id.bits()), id.bits().to_string()]
}

/// Those that headers name, in whatever format.
fn traces(fields: &Fields) -> Vec<(TraceId, Option<SpanId>)> {
    let pairs = fields.iter().flat_map(|(name, values)| {
        let of_name = |value| (name.as_str(), value);
        values.iter().map(String::as_str).map(of_name)
    });
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let headers = Headers::from_serialized(Headers::serialize(&pairs));
    let reads = Reads::of(&TraceHeaders::of(&headers));
    let reads = Format::ALL
        .into_iter()
        .filter_map(|format| reads.get(format));
    let traces = reads.filter_map(|read| match (read.ids, read.begins) {
        (Some((trace, span)), _) => Some((trace, Some(span))),
        (None, begins) => Some((begins?, None)),
    });
    traces.collect()
}

/// The trace and the span that a request leaves with.
fn leaving(fields: &Fields) -> Option<(TraceId, SpanId)> {
    let traces = traces(fields);
    traces
        .into_iter()
        .find_map(|(trace, span)| Some((trace, span?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::fields;
    use anyhow::{Result, ensure};
    use serde_json::json;

    const CAME: &str = "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01";
    const TOLD: &str = "00-11111111111111111111111111111111-2222222222222222-01";
    const MADE: &str = "00-33333333333333333333333333333333-4444444444444444-01";

    /// A restart that is told, and what an Envoy made of it.
    fn found(generated: bool, sent: &str, became: &[(&str, &str)]) -> Result<Vec<String>> {
        let story = serde_json::from_value(json!({
            "decision": {"traceId": {"generated": generated}},
            "headers": [
                {"name": "traceparent", "action": "changed", "from": [CAME], "to": [TOLD]},
                {"name": "b3", "action": "removed", "from": ["0"], "to": []},
            ],
            "response": {"x-trace-id": "11111111111111111111111111111111"},
            "metrics": {"throughline_requests{origin=\"restarted\"}": 1},
        }))?;
        let sent = fields([("traceparent", sent), ("b3", "0"), ("x-tenant", "gold")]);
        let of_response = became.iter().filter(|(name, _)| *name == "x-trace-id");
        let of_request = became
            .iter()
            .filter(|(name, _)| !matches!(*name, "x-trace-id" | "origin"));
        let origin = became.iter().filter(|(name, _)| *name == "origin");
        let page = origin.map(|(_, value)| format!("throughline_requests{{origin=\"{value}\"}} 1"));
        let became = Became {
            request: fields(of_request.copied()),
            response: fields(of_response.copied()),
            counts: counts(&page.collect::<String>()),
        };
        Ok(complaints(&story, &sent, &became))
    }

    #[test]
    fn new_ids_may_differ_and_nothing_else() -> Result<()> {
        let trace = ("x-trace-id", "33333333333333333333333333333333");
        let good = [
            ("traceparent", MADE),
            ("x-tenant", "gold"),
            trace,
            ("origin", "restarted"),
        ];
        let none = found(true, CAME, &good)?;
        ensure!(none.is_empty(), "{none:?}");
        let with = |place: usize, pair: (&'static str, &'static str)| {
            let mut became = good;
            became[place] = pair;
            became
        };
        for (what, generated, sent, became) in [
            ("what was sent", true, MADE, good),
            ("whether it is new", false, CAME, good),
            ("an old id", true, CAME, with(0, ("traceparent", CAME))),
            ("no trace", true, CAME, with(0, ("x-a", "b"))),
            ("what stays", true, CAME, with(1, ("x-tenant", "silver"))),
            ("what is gone", true, CAME, with(1, ("b3", "0"))),
            ("the response", true, CAME, with(2, ("x-trace-id", "3"))),
            ("the count", true, CAME, with(3, ("origin", "started"))),
        ] {
            ensure!(!found(generated, sent, &became)?.is_empty(), "{what}");
        }
        Ok(())
    }
}
