//! `sampling`, and `OTEL_TRACES_SAMPLER` with its `_ARG`.

use core::num::NonZeroU32;

use super::{
    Environment, Problem,
    environment::non_empty,
    json::Json,
    reader::{Node, Object, choose, quoted},
    requests,
    tags::{header_name, is_taken},
};
use crate::{
    policy::sampling::{Ratio, RootSampler, Rule, Sampler},
    text::{MAX_VALUE, decimal},
};

pub const FIELDS: [&str; 5] = ["sampler", "arg", "maxPerSecond", "rules", "forceHeader"];

const RULE: [&str; 3] = ["match", "ratio", "tags"];

/// The most rules.
const MAX_RULES: usize = 32;
/// More than any backend takes from one proxy.
const MAX_PER_SECOND: usize = 1_000_000;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    AlwaysOn,
    AlwaysOff,
    Ratio,
}

const SAMPLERS: [(&str, (bool, Kind)); 6] = [
    ("always_on", (false, Kind::AlwaysOn)),
    ("always_off", (false, Kind::AlwaysOff)),
    ("traceidratio", (false, Kind::Ratio)),
    ("parentbased_always_on", (true, Kind::AlwaysOn)),
    ("parentbased_always_off", (true, Kind::AlwaysOff)),
    ("parentbased_traceidratio", (true, Kind::Ratio)),
];

/// OpenTelemetry's names for what the filter has not, and why.
const ELSEWHERE: [(&str, &str); 3] = [
    ("jaeger_remote", JAEGER_REMOTE),
    ("parentbased_jaeger_remote", JAEGER_REMOTE),
    (
        "xray",
        "it asks AWS X-Ray's daemon for its rules while requests run, and the filter asks nobody; write them as sampling.rules and sampling.maxPerSecond",
    ),
];
const JAEGER_REMOTE: &str = "it asks a Jaeger collector for its ratios while requests run, and the filter asks nobody; write them as sampling.arg and sampling.rules";

fn sampler_of(word: &str) -> Result<(bool, Kind), String> {
    choose(word, &SAMPLERS).map_err(|message| {
        match ELSEWHERE.iter().find(|(name, _)| *name == word) {
            Some((_, why)) => {
                // What is near to it is not what it does.
                let known = message.split("; did you mean").next().unwrap_or(&message);
                format!("{known}: {why}")
            }
            None => message,
        }
    })
}

/// Also notes in `tag_nodes` where each tag that a rule gives is written.
pub fn load<'a>(
    section: Option<&Object<'a>>,
    tag_nodes: &mut Vec<(&'a str, Node<'a>)>,
    environment: &impl Environment,
) -> Result<Sampler, Problem> {
    let sampler = section.and_then(|section| section.get("sampler"));
    let arg = section.and_then(|section| section.get("arg"));
    let (parent_based, kind) = match (&sampler, non_empty(environment, "OTEL_TRACES_SAMPLER")) {
        (Some(node), _) => sampler_of(node.string()?).map_err(|message| node.problem(message))?,
        (None, Some(word)) => {
            sampler_of(&word).map_err(|message| Problem::new("OTEL_TRACES_SAMPLER", message))?
        }
        // A ratio without a sampler can only mean the sampler that takes one.
        (None, None) if arg.is_some() => (true, Kind::Ratio),
        (None, None) => (true, Kind::AlwaysOn),
    };
    let root = match (kind, &arg) {
        (Kind::Ratio, Some(node)) => RootSampler::TraceIdRatio(ratio(node)?),
        (Kind::Ratio, None) => RootSampler::TraceIdRatio(ratio_from(environment)?),
        (_, Some(node)) => {
            let whose = if sampler.is_some() {
                "sampling.sampler"
            } else {
                "OTEL_TRACES_SAMPLER"
            };
            return Err(node.problem(format!(
                "only traceidratio and parentbased_traceidratio take an argument, and {whose} is neither"
            )));
        }
        (Kind::AlwaysOn, None) => RootSampler::AlwaysOn,
        (Kind::AlwaysOff, None) => RootSampler::AlwaysOff,
    };
    let get = |name: &str| section.and_then(|section| section.get(name));
    let rules = get("rules")
        .map(|node| rules(&node, tag_nodes))
        .transpose()?;
    let max_per_second = get("maxPerSecond")
        .map(|node| node.integer(1, MAX_PER_SECOND))
        .transpose()?;
    let force_header = get("forceHeader")
        .map(|node| force_header(&node))
        .transpose()?;
    Ok(Sampler {
        parent_based,
        root,
        rules: rules.unwrap_or_default(),
        max_per_second: max_per_second
            .and_then(|most| u32::try_from(most).ok())
            .and_then(NonZeroU32::new),
        force_header,
    })
}

/// It is removed where its peer may not force: that must be nobody else's.
fn force_header(node: &Node<'_>) -> Result<String, Problem> {
    let name = header_name(node, node.string()?)?;
    if is_taken(&name) {
        return Err(node.problem(format!(
            "{name} has a meaning already; choose a name of your own, as x-trace-force"
        )));
    }
    Ok(name)
}

fn rules<'a>(
    node: &Node<'a>,
    tag_nodes: &mut Vec<(&'a str, Node<'a>)>,
) -> Result<Vec<Rule>, Problem> {
    let rules = node.list()?;
    if rules.len() > MAX_RULES {
        return Err(node.problem(format!(
            "expected at most {MAX_RULES} rules, got {}",
            rules.len()
        )));
    }
    rules.iter().map(|node| rule(node, tag_nodes)).collect()
}

fn rule<'a>(node: &Node<'a>, tag_nodes: &mut Vec<(&'a str, Node<'a>)>) -> Result<Rule, Problem> {
    let rule = node.object(&RULE)?;
    Ok(Rule {
        requests: requests::load(&rule.required("match")?)?,
        ratio: ratio(&rule.required("ratio")?)?,
        tags: rule
            .get("tags")
            .map(|node| tags(&node, tag_nodes))
            .transpose()?
            .unwrap_or_default(),
    })
}

fn tags<'a>(
    node: &Node<'a>,
    tag_nodes: &mut Vec<(&'a str, Node<'a>)>,
) -> Result<Vec<(String, String)>, Problem> {
    let mut tags = Vec::new();
    for (name, value) in node.map()?.fields() {
        tags.push((name.to_owned(), value.text(MAX_VALUE)?));
        tag_nodes.push((name, value));
    }
    Ok(tags)
}

fn ratio(node: &Node<'_>) -> Result<Ratio, Problem> {
    if let Some(ratio) = node.number().and_then(Ratio::new) {
        return Ok(ratio);
    }
    let mut problem = node.expected("a number from 0 to 1");
    let text = node.string().unwrap_or_default();
    let percent = number(text.trim_end_matches(['%', ' '])).filter(|_| text.ends_with('%'));
    let hint = match (percent.or(node.number()), number(text)) {
        (Some(percent), _) if percent > 0.0 && percent <= 100.0 => format!(
            "; {} % is {}",
            decimal(percent).unwrap_or_default(),
            decimal(percent / 100.0).unwrap_or_default()
        ),
        (_, Some(number)) if Ratio::new(number).is_some() => "; write it without quotes".to_owned(),
        _ => String::new(),
    };
    problem.message.push_str(&hint);
    Err(problem)
}

/// A number in text: JSON's, and the short form .5 that SDKs read.
fn number(text: &str) -> Option<f64> {
    let parsed = if text.starts_with('.') {
        Json::parse(format!("0{text}").as_bytes())
    } else {
        Json::parse(text.as_bytes())
    };
    match parsed {
        Ok(Json::Number(number)) => Some(number),
        _ => None,
    }
}

/// OpenTelemetry: "the default probability is 1.0 if unset".
fn ratio_from(environment: &impl Environment) -> Result<Ratio, Problem> {
    const NAME: &str = "OTEL_TRACES_SAMPLER_ARG";
    let text = non_empty(environment, NAME).unwrap_or_else(|| "1".to_owned());
    number(&text).and_then(Ratio::new).ok_or_else(|| {
        Problem::new(
            NAME,
            format!("expected a number from 0 to 1, got {}", quoted(&text)),
        )
    })
}
