//! What was told beside what became of it. Ids that are made anew differ, and in nothing else may they.

use crate::explain::Story;
use crate::fields::Fields;
use crate::stage::Became;
use anyhow::Result;
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
pub fn complaints(story: &Story, sent: &Fields, became: &Became) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for header in &story.headers {
        let from = sent.get(&header.name).cloned().unwrap_or_default();
        if header.from != from {
            complaints.push(format!("{}: {from:?} was sent, told is {header:?}", header.name));
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
    Ok(complaints)
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
            all.push(format!("{whose}{name}: told is {told:?}, it became {became:?}"));
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
            ids.is_called(came_in(became.0), trace_names(told.0), trace_names(became.0));
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
        let renamed = |value: String, (told, became): &(String, String)| value.replace(told, became);
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
    let reads = Format::ALL.into_iter().filter_map(|format| reads.get(format));
    let traces = reads.filter_map(|read| match (read.ids, read.begins) {
        (Some((trace, span)), _) => Some((trace, Some(span))),
        (None, begins) => Some((begins?, None)),
    });
    traces.collect()
}

/// The trace and the span that a request leaves with.
fn leaving(fields: &Fields) -> Option<(TraceId, SpanId)> {
    let traces = traces(fields);
    traces.into_iter().find_map(|(trace, span)| Some((trace, span?)))
}
