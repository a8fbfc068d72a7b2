//! One request through the module's own filter. What decided is found out by asking again with one thing changed, so that
//! nothing of the filter is written a second time here.

use super::host::{Circumstances, Stage};
use super::request::Request;
use crate::check::overrides::is_for;
use crate::check::plugin::Plugin;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use throughline::config::{self, Json};
use throughline::filter::{Filter, Stream};
use throughline::policy::sampling::Sampler;
use throughline::policy::trust::{Action, Rule};

/// Continues in the traces of nobody.
const TRACEPARENT: &str = "00-11111111111111111111111111111111-2222222222222222-01";

/// A request, and all that may decide on it.
#[derive(Clone, Copy)]
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

    /// The configuration without overrides: those that are for this proxy are merged, by the module's own code.
    fn merged(&self) -> Option<Value> {
        let config = Json::parse(self.config.to_string().as_bytes()).ok()?;
        let merged = config::merge(config, &mut &*self.at.proxy, |_| Ok(())).ok()?;
        Some(value(&merged))
    }

    /// The same with these fields in place of its own.
    fn merged_with(&self, fields: Value) -> Option<Value> {
        let (mut merged, Value::Object(fields)) = (self.merged()?, fields) else {
            return None;
        };
        merged.as_object_mut()?.extend(fields);
        Some(merged)
    }

    /// With a sampler and nothing else that decides, but for a header that forces.
    fn is_sampled_with(&self, sampler: &str, force_header: Option<&str>) -> Option<bool> {
        let sampling = json!({"sampler": sampler, "forceHeader": force_header});
        let config = self.merged_with(json!({"sampling": sampling}))?;
        self.run_with(&config).ok()?.is_sampled()
    }

    /// `None` where it cannot be found out.
    pub fn decider(&self, sampler: &Sampler) -> Option<Decider> {
        let force = sampler.force_header.as_deref();
        if self.is_sampled_with("always_off", force)? {
            return Some(match self.is_sampled_with("always_off", None)? {
                true => Decider::Debug,
                false => Decider::ForceHeader,
            });
        }
        let on = self.is_sampled_with("parentbased_always_on", force)?;
        let off = self.is_sampled_with("parentbased_always_off", force)?;
        Some(match on == off && sampler.parent_based {
            true => Decider::Caller,
            false => Decider::Here,
        })
    }

    /// The place of the first rule of `trust` that matches, and which rule that is.
    pub fn trust(&self, rules: &[Rule]) -> Option<(usize, Action)> {
        let merged = self.merged()?;
        let list = merged.get("trust")?.as_array()?;
        // What is done with this one shows. No rule asks for a trace.
        let request = self.request.with("traceparent", TRACEPARENT);
        let traced = Trial {
            request: &request,
            ..*self
        };
        let mut alone = list.iter().zip(rules).enumerate();
        alone.find_map(|(index, (rule, compiled))| {
            // It depends on the action what a rule matches. One that continues matches as one that ignores.
            let action = match compiled.action {
                Action::Continue => Action::Ignore,
                action => action,
            };
            let config = traced.merged_with(json!({
                "trust": [{"match": rule.get("match"), "action": action.name()}],
                "propagation": {"extract": ["tracecontext"]},
                "nativeTracer": "own",
            }))?;
            let outcome = traced.run_with(&config).ok()?;
            let origin = outcome.label("throughline_requests");
            let matched = matches!(origin, Some("ignored" | "restarted"))
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

/// The same to whom all else is written.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => json!(value),
        Json::Number(number) => json!(number),
        Json::String(text) => json!(text),
        Json::List(items) => items.iter().map(value).collect(),
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, json)| (name.clone(), value(json)));
            Value::Object(fields.collect())
        }
    }
}
