//! What became of a request, and why. Its JSON is an interface: docs/cli.md describes it, and fields are only ever added.

use super::host::{Circumstances, serialized};
use super::request::Request;
use super::trial::{Decider, Outcome, Trial};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use throughline::config::{Settings, path_to};
use throughline::policy::sampling::{Allowance, RootSampler, Rule};
use throughline::policy::tags::{Source, Tag};
use throughline::policy::tracer::NativeTracer;
use throughline::policy::trust::Action;
use throughline::propagation::{Format, Headers, Read, Reads, TraceHeaders};
use throughline::trace::Sampling;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Story {
    /// Of this shape.
    pub format: u32,
    pub place: String,
    /// As the start-up line says it.
    pub filter: String,
    pub overrides: Vec<OverrideFacts>,
    pub trust: TrustFacts,
    /// Formats in the order of `extract`, then others that came in.
    pub extract: Vec<Extracted>,
    pub decision: Decision,
    /// Trace headers, and those that tags write.
    pub headers: Vec<HeaderFacts>,
    /// Headers that the response gets.
    pub response: BTreeMap<String, String>,
    /// For the access log, without `wasm.`; `null` where only a tracer of Envoy's will tell.
    pub filter_state: BTreeMap<String, Option<String>>,
    /// What the request moves, by their names on Envoy's Prometheus page.
    pub metrics: BTreeMap<String, u64>,
    /// Properties of Envoy's that mattered, and that nobody described.
    pub unknown: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OverrideFacts {
    pub path: String,
    /// Whether it is for this proxy.
    pub applies: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustFacts {
    /// How many there are for all proxies.
    pub rules: usize,
    /// The first that matches, by its place in `trust`, from 0.
    pub rule: Option<usize>,
    /// `continue`, `restart`, `ignore` or `strip`.
    pub action: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extracted {
    pub format: &'static str,
    /// From 1; `null` where `extract` does not have it.
    pub precedence: Option<usize>,
    /// `absent`, `read` or `rejected`.
    pub result: &'static str,
    /// Why it was rejected.
    pub reason: Option<&'static str>,
    pub trace_id: Option<String>,
    pub span_id: Option<String>,
    /// `true`, `false`, `debug`; `null` where the format leaves it to the receiver.
    pub sampled: Option<&'static str>,
    /// Whether this trace goes on.
    pub continued: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// A format, `started`, and whatever else `throughline_requests` counts; `null` where its trace headers are left alone.
    pub origin: Option<String>,
    pub conflict: bool,
    pub trace_id: Option<Id>,
    pub span_id: Option<Id>,
    pub parent_id: Option<String>,
    pub sampled: Option<bool>,
    /// `caller`, `debug`, `forceHeader`, `rule`, `sampler`, or `tracer` for Envoy's own.
    pub by: Option<&'static str>,
    /// The place of the rule in `sampling.rules`, from 0.
    pub rule: Option<usize>,
    /// As in OTEL_TRACES_SAMPLER, with its argument.
    pub sampler: String,
    /// Whether a span is made of it; `null` where only what a tracer of Envoy's wrote can tell, when the request is over.
    pub recorded: Option<bool>,
    /// `auto`, `own` or `mirror`: whether a tracer of Envoy's writes the context.
    pub native_tracer: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Id {
    pub value: String,
    /// Whether it was made here; another request gets another.
    pub generated: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderFacts {
    pub name: String,
    /// `added`, `changed`, `removed` or `left`.
    pub action: &'static str,
    /// All values, as they came in.
    pub from: Vec<String>,
    /// As they leave.
    pub to: Vec<String>,
    pub why: String,
}

impl Story {
    /// What the filter does with the request of that trial.
    pub fn of(trial: &Trial<'_>, settings: &Settings) -> Self {
        let outcome = trial.run();
        let came = serialized(&trial.request.headers);
        let overrides = trial.overrides().into_iter().enumerate();
        let trusted = trial.trust(&settings.trust);
        let decision = Decision::of(trial, settings, &came, &outcome);
        Self {
            format: 1,
            place: trial.at.place.to_string(),
            filter: outcome.announcement.clone(),
            overrides: overrides
                .map(|(index, applies)| OverrideFacts {
                    path: format!("overrides[{index}]"),
                    applies,
                })
                .collect(),
            extract: match settings.enabled {
                true => extracted(settings, &came, outcome.label("throughline_requests")),
                false => Vec::new(),
            },
            headers: headers(
                settings,
                trial.request,
                &came,
                &outcome,
                trusted,
                decision.rule,
            ),
            decision,
            trust: TrustFacts::of(settings, trusted),
            response: outcome.response,
            filter_state: filter_state(settings, outcome.filter_state),
            metrics: outcome.metrics,
            unknown: described(trial.at, outcome.unknown),
        }
    }

    /// One object.
    pub fn json(&self) -> String {
        // Nothing in it has a key that is no text, which is all that could fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl TrustFacts {
    fn of(settings: &Settings, trusted: Option<(usize, Action)>) -> Self {
        let (rule, action) = trusted.unzip();
        Self {
            rules: settings.trust.len(),
            rule,
            action: action.unwrap_or_default().name(),
        }
    }
}

/// What is a mark until then, says the tracer's trace when the request is over.
fn filter_state(
    settings: &Settings,
    state: BTreeMap<String, String>,
) -> BTreeMap<String, Option<String>> {
    let is_mirrored = settings.native_tracer == NativeTracer::Mirror;
    let is_mark = |name: &str, value: &str| name == "throughline.trace_id" && value.is_empty();
    let state = state.into_iter().map(|(name, value)| {
        let is_unknown = is_mirrored && is_mark(&name, &value);
        (name, (!is_unknown).then_some(value))
    });
    state.collect()
}

/// Without what is another plugin's mark, and what cannot be given.
fn described(at: &Circumstances<'_>, unknown: BTreeSet<String>) -> BTreeSet<String> {
    let is_given = |path: &String| at.properties.iter().any(|pair| pair.name == *path);
    unknown
        .into_iter()
        .filter(|path| !is_given(path) && !path.starts_with("throughline."))
        .collect()
}

fn extracted(settings: &Settings, came: &Headers, origin: Option<&str>) -> Vec<Extracted> {
    let known = TraceHeaders::of(came);
    let reads = Reads::of(&known);
    let readers = &settings.propagation.readers;
    let others = Format::ALL
        .into_iter()
        .filter(|format| !readers.contains(format) && known.has(*format));
    let all = readers.iter().copied().chain(others).enumerate();
    all.map(|(index, format)| {
        let is_reader = index < readers.len();
        let read = reads.result(format);
        let found = read.ok().flatten();
        let ids = found.and_then(|read| read.ids);
        let trace_id = ids.map(|(trace_id, _)| trace_id);
        let trace_id = trace_id.or(found.and_then(|read| read.begins));
        Extracted {
            format: format.name(),
            precedence: is_reader.then_some(index.saturating_add(1)),
            result: match read {
                Ok(None) => "absent",
                Ok(Some(_)) => "read",
                Err(_) => "rejected",
            },
            reason: read.err().map(|reason| reason.name()),
            trace_id: trace_id.map(|id| shown(id.text().as_bytes())),
            span_id: ids.map(|(_, id)| shown(id.text().as_bytes())),
            sampled: found.and_then(sampled),
            continued: origin == Some(format.name()),
        }
    })
    .collect()
}

const fn sampled(read: Read) -> Option<&'static str> {
    match read.sampling {
        Some(Sampling::Debug) => Some("debug"),
        Some(Sampling::Accept) => Some("true"),
        Some(Sampling::Deny) => Some("false"),
        None => None,
    }
}

/// An allowance that is never used up.
struct Unlimited;

impl Allowance for Unlimited {
    fn admits(&mut self, _per_second: NonZeroU32) -> bool {
        true
    }
}

impl Decision {
    fn of(trial: &Trial<'_>, settings: &Settings, came: &Headers, outcome: &Outcome) -> Self {
        let state = |name: &str| outcome.filter_state.get(name).cloned();
        let sampler = &settings.sampler;
        let decider = outcome.is_sampled().and_then(|_| trial.decider(sampler));
        // Which rule it is does not depend on the id.
        let rule = sampler.decide(0, came, &mut Unlimited).rule;
        let rule = rule.filter(|_| decider == Some(Decider::Here));
        let sent: Vec<String> = trial
            .request
            .headers
            .iter()
            .map(|(_, value)| String::from_utf8_lossy(value).to_ascii_lowercase())
            .collect();
        let known = TraceHeaders::of(came);
        let reads = Reads::of(&known);
        let ids = Format::ALL.map(|format| reads.get(format));
        let is_debug = ids
            .iter()
            .flatten()
            .any(|read| read.sampling == Some(Sampling::Debug));
        let is_mirrored = settings.native_tracer == NativeTracer::Mirror;
        let id = |name: &str, is_known: &dyn Fn(&str) -> bool| {
            // Where Envoy's own tracer starts the trace, it is known when the request is over.
            let value = state(name).filter(|value| !value.is_empty());
            value.map(|value| Id {
                generated: !is_known(&value) && !sent.iter().any(|text| text.contains(&value)),
                value,
            })
        };
        Self {
            origin: outcome.label("throughline_requests").map(str::to_owned),
            conflict: outcome.has_counted("throughline_conflicts"),
            // A 64-bit id is told with 32 digits.
            trace_id: id("throughline.trace_id", &|value| {
                let mut traces = ids.iter().flatten().filter_map(|read| {
                    let of_span = read.ids.map(|(trace_id, _)| trace_id);
                    of_span.or(read.begins)
                });
                traces.any(|trace_id| shown(trace_id.text().as_bytes()) == value)
            }),
            span_id: id("throughline.span_id", &|value| {
                let mut spans = ids.iter().flatten().filter_map(|read| read.ids);
                spans.any(|(_, span_id)| shown(span_id.text().as_bytes()) == value)
            }),
            parent_id: state("throughline.parent_id"),
            sampled: outcome.is_sampled(),
            by: decider.map(|decider| match (decider, rule) {
                (Decider::Debug, _) if is_mirrored && !is_debug => "tracer",
                (Decider::Debug, _) => "debug",
                (Decider::ForceHeader, _) => "forceHeader",
                (Decider::Caller, _) if is_mirrored => "tracer",
                (Decider::Caller, _) => "caller",
                (Decider::Here, Some(_)) => "rule",
                (Decider::Here, None) => "sampler",
            }),
            rule,
            sampler: match sampler.root {
                RootSampler::TraceIdRatio(ratio) => {
                    format!("{}({})", sampler.name(), ratio.probability())
                }
                RootSampler::AlwaysOn | RootSampler::AlwaysOff => sampler.name().to_owned(),
            },
            recorded: match outcome.is_recorded {
                false if is_mirrored && settings.enabled && settings.export.is_some() => None,
                known => Some(known),
            },
            native_tracer: settings.native_tracer.name(),
        }
    }
}

/// The format that a header belongs to, by the module's own list.
fn format_of(name: &str) -> Option<Format> {
    if name == "tracestate" {
        return Some(Format::TraceContext);
    }
    let alone = Headers::from_serialized(Headers::serialize(&[(name, "")]));
    let known = TraceHeaders::of(&alone);
    Format::ALL.into_iter().find(|format| known.has(*format))
}

fn headers(
    settings: &Settings,
    request: &Request,
    came: &Headers,
    outcome: &Outcome,
    trusted: Option<(usize, Action)>,
    rule: Option<usize>,
) -> Vec<HeaderFacts> {
    let known = TraceHeaders::of(came);
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in request.headers.iter().chain(&outcome.headers) {
        let differs = Request::all(&request.headers, name) != Request::all(&outcome.headers, name);
        if (differs || format_of(name).is_some() || name == "baggage") && !names.contains(&name) {
            names.push(name);
        }
    }
    let facts = names.into_iter().map(|name| {
        let (from, to) = (
            Request::all(&request.headers, name),
            Request::all(&outcome.headers, name),
        );
        let action = match (from.is_empty(), to.is_empty()) {
            (true, _) => "added",
            (_, true) => "removed",
            _ if from == to => "left",
            _ => "changed",
        };
        let all = |values: Vec<&[u8]>| values.into_iter().map(shown).collect();
        HeaderFacts {
            name: name.clone(),
            action,
            from: all(from),
            to: all(to),
            why: why(settings, &known, name, action, outcome, trusted, rule),
        }
    });
    facts.collect()
}

fn why(
    settings: &Settings,
    known: &TraceHeaders<'_>,
    name: &str,
    action: &str,
    outcome: &Outcome,
    trusted: Option<(usize, Action)>,
    rule: Option<usize>,
) -> String {
    if !settings.enabled {
        return "the filter is switched off".to_owned();
    }
    let does = trusted.map(|(_, does)| does);
    if does == Some(Action::Strip) && action == "removed" {
        return "trust: strip".to_owned();
    }
    let is_restarted = does == Some(Action::Restart);
    let Some(format) = format_of(name) else {
        return why_beside(settings, name, action, is_restarted, rule);
    };
    let is_injected = settings.propagation.inject.contains(&format);
    let is_mirrored = settings.native_tracer == NativeTracer::Mirror;
    match (action, is_restarted) {
        ("removed", true) if is_mirrored => {
            return "trust: restart; Envoy's own tracer writes what leaves".to_owned();
        }
        ("removed", true) if is_injected => {
            return "trust: restart, and it says something of the trace that ends here".to_owned();
        }
        ("removed", true) => {
            return format!("trust: restart, and inject does not have {}", format.name());
        }
        ("removed", false) if outcome.is_of_tracer() => {
            return "Envoy's own tracer starts the trace, which this one would contradict"
                .to_owned();
        }
        _ => {}
    }
    if outcome.is_sampled().is_none() {
        return "trace headers are left alone".to_owned();
    }
    let leaves = settings.propagation.writes(format, known.has(format));
    let said = match (is_injected, leaves) {
        (true, _) => format!("inject has {}", format.name()),
        (false, true) => format!("{} came in: staleHeaders is rewrite", format.name()),
        (false, false) => format!(
            "inject does not have {}, and staleHeaders is remove",
            format.name()
        ),
    };
    match (action, leaves) {
        ("left", true) => "says the same already".to_owned(),
        ("removed", true) => {
            format!("{said}, but this one would contradict the context that leaves")
        }
        _ => said,
    }
}

/// Of a header that is none of a trace's.
fn why_beside(
    settings: &Settings,
    name: &str,
    action: &str,
    is_restarted: bool,
    rule: Option<usize>,
) -> String {
    let mut tags = settings.tags.iter();
    let tag = tags.find(|tag| tag.headers.iter().any(|header| header == name));
    let source = tag.map(|tag| source(settings, tag, rule));
    match (source, action) {
        (Some(source), "removed") => {
            format!("{source} has no value: what came in is not the tag")
        }
        (Some(source), _) => source,
        (None, "left") => "nothing to change".to_owned(),
        (None, "removed") if is_restarted => {
            "trust: restart: nothing of the trace that came in leaves".to_owned()
        }
        (None, _) if settings.sampler.force_header.as_deref() == Some(name) => {
            "sampling.forceHeader: this peer may not force, nor let another do so".to_owned()
        }
        (None, "removed") if !settings.propagation.keeps_baggage => {
            "propagation.baggage: drop".to_owned()
        }
        (None, _) => "tags.to has baggage".to_owned(),
    }
}

/// Where the value stands that a tag has for a request on which that rule decides.
fn source(settings: &Settings, tag: &Tag, rule: Option<usize>) -> String {
    let rules = &settings.sampler.rules;
    let has = |rule: &Rule| rule.tags.iter().any(|(name, _)| *name == tag.name);
    let ruled = rule.filter(|rule| rules.get(*rule).is_some_and(has));
    match (ruled, &tag.source) {
        (Some(rule), _) => path_to(&format!("sampling.rules[{rule}].tags"), &tag.name),
        (None, Source::Rule) => path_to("sampling.rules[…].tags", &tag.name),
        (None, _) => path_to("customTags", &tag.name),
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
