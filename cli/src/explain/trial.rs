//! One request through the module's own filter. What decided is found out by asking again with one thing changed, so that
//! nothing of the filter is written a second time here.

use super::host::{Circumstances, Stage};
use super::request::Request;
use crate::check::overrides::is_for;
use crate::check::plugin::Plugin;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use throughline::filter::{Filter, Stream};
use throughline::policy::trust::{Action, Rule};

/// A request, and all that may decide on it.
pub struct Trial<'a> {
    pub plugin: &'a Plugin<'a>,
    pub config: &'a Value,
    pub at: &'a Circumstances<'a>,
    pub request: &'a Request,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub headers: Vec<(String, Vec<u8>)>,
    pub filter_state: BTreeMap<String, String>,
    /// Headers that the response gets.
    pub response: BTreeMap<String, String>,
    /// What the request was counted as.
    pub metrics: BTreeMap<String, u64>,
    /// Whether a span is made of it.
    pub is_recorded: bool,
    /// What was asked for, and nobody described.
    pub unknown: BTreeSet<String>,
    /// What the filter said when it was configured.
    pub announcement: String,
}

/// Who decided whether the request is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// Debug, which came in.
    Debug,
    ForceHeader,
    /// The decision that came in was kept.
    Caller,
    /// The sampler here or one of its rules.
    Here,
}

impl Trial<'_> {
    /// Through the filter as it is configured. Where that is switched off, nothing becomes of it.
    pub fn run(&self) -> Outcome {
        self.run_with(self.config)
            .unwrap_or_else(|announcement| Outcome {
                headers: self.request.headers.clone(),
                announcement,
                ..Outcome::default()
            })
    }

    /// Without a filter there is only what it says.
    fn run_with(&self, config: &Value) -> Result<Outcome, String> {
        const ROOT: u32 = 1;
        let mut stage = Stage::new(self.at, self.request);
        let text = config.to_string();
        let environment = |name: &str| self.plugin.environment(self.at.proxy, name);
        let filter = Filter::configure(&mut stage, ROOT, text.as_bytes(), &environment);
        let announcement = stage.log.last().cloned().unwrap_or_default();
        let Some(filter) = filter else {
            return Err(announcement);
        };
        let before = stage.counters();
        stage.unknown.clear();
        let mut stream = Stream::default();
        filter.on_request(&mut stage, &mut stream);
        let (headers, filter_state) = (stage.headers.clone(), stage.filter_state.clone());
        let unknown = std::mem::take(&mut stage.unknown);
        if let Some(reply) = stream.response() {
            filter.on_response(&mut stage, &reply);
        }
        let mut metrics = stage.counters();
        metrics.retain(|name, value| before.get(name) != Some(value));
        // Spans are counted when the filter goes, at the latest.
        filter.on_log(&mut stage, stream);
        filter.on_leave(&mut stage, ROOT, false);
        let spans = stage.counters().remove("throughline_finished_spans");
        Ok(Outcome {
            headers,
            filter_state,
            metrics,
            is_recorded: spans.is_some(),
            response: stage.response,
            unknown,
            announcement,
        })
    }

    /// With other sampling.
    fn is_sampled_with(&self, sampling: Value) -> Option<bool> {
        let config = self.with_override(json!({"sampling": sampling}))?;
        self.run_with(&config).ok()?.is_sampled()
    }

    /// The configuration with a last override, for every proxy.
    fn with_override(&self, patch: Value) -> Option<Value> {
        let mut config = self.config.clone();
        let patch = json!({"match": {"labels": {}}, "config": patch});
        let fields = config.as_object_mut()?;
        match fields.get_mut("overrides").and_then(Value::as_array_mut) {
            Some(overrides) => overrides.push(patch),
            None => {
                fields.insert("overrides".to_owned(), json!([patch]));
            }
        }
        Some(config)
    }

    /// `None` where it cannot be found out.
    pub fn decider(&self, is_parent_based: bool) -> Option<Decider> {
        let alone = |sampler: &str| json!({"sampler": sampler, "arg": null, "rules": null, "maxPerSecond": null});
        let off = alone("always_off");
        if self.is_sampled_with(off.clone())? {
            let mut unforced = off;
            unforced
                .as_object_mut()?
                .insert("forceHeader".to_owned(), Value::Null);
            return Some(match self.is_sampled_with(unforced)? {
                true => Decider::Debug,
                false => Decider::ForceHeader,
            });
        }
        let on = self.is_sampled_with(alone("parentbased_always_on"))?;
        let off = self.is_sampled_with(alone("parentbased_always_off"))?;
        Some(match on == off && is_parent_based {
            true => Decider::Caller,
            false => Decider::Here,
        })
    }

    /// The place of the first rule of `trust` that matches, and which rule that is.
    pub fn trust(&self, rules: &[Rule]) -> Option<(usize, Action)> {
        let of = |config: &'_ Value| config.get("trust").cloned();
        // A list replaces the one before it.
        let overrides = self.config.get("overrides").and_then(Value::as_array);
        let applying = overrides.into_iter().flatten().zip(self.overrides());
        let lists = applying
            .filter(|(_, applies)| *applies)
            .filter_map(|(entry, _)| of(entry.get("config")?));
        let list = lists.last().or_else(|| of(self.config))?;
        let list = list.as_array()?;
        let mut alone = list.iter().zip(rules).enumerate();
        alone.find_map(|(index, (rule, compiled))| {
            // A rule that lets pass matches fewer strangers than one that does not.
            let action = if compiled.action.lets_pass() {
                "ignore"
            } else {
                "strip"
            };
            let rule = json!({"match": rule.get("match"), "action": action});
            let config = self.with_override(json!({"trust": [rule]}))?;
            let outcome = self.run_with(&config).ok()?;
            let matched = outcome.label("throughline_requests") == Some("ignored")
                || outcome.has_counted("throughline_stripped");
            matched.then_some((index, compiled.action))
        })
    }

    /// Whether each of the overrides is for this proxy.
    pub fn overrides(&self) -> Vec<bool> {
        let overrides = self.config.get("overrides").and_then(Value::as_array);
        let is_for = |entry: &Value| {
            let criteria = entry.get("match").map(Value::to_string);
            criteria.is_some_and(|criteria| is_for(&criteria, self.at.proxy))
        };
        overrides.into_iter().flatten().map(is_for).collect()
    }
}

impl Outcome {
    /// `None` where it was left alone.
    pub fn is_sampled(&self) -> Option<bool> {
        let sampled = self.filter_state.get("throughline.sampled")?;
        Some(sampled == "true")
    }

    /// Whether a tracer of Envoy's starts the trace, of which nothing is known before the request is over.
    pub fn is_of_tracer(&self) -> bool {
        self.label("throughline_requests") == Some("started") && self.is_sampled().is_none()
    }

    /// The label of a counter that the request moved.
    pub fn label(&self, metric: &str) -> Option<&str> {
        let begin = format!("{metric}{{");
        let name = self
            .metrics
            .keys()
            .find_map(|name| name.strip_prefix(&begin))?;
        name.split('"').nth(1)
    }

    pub fn has_counted(&self, metric: &str) -> bool {
        self.metrics.contains_key(metric)
    }
}
