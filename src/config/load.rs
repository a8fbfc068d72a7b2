//! From the text of pluginConfig to [`Settings`].

use super::{
    Environment, Problem, Settings,
    environment::non_empty,
    export,
    json::Json,
    overrides, propagation,
    reader::{Node, Object, choose},
    redaction, resource, response, sampling, service, spans, tags, trust,
};
use crate::{
    policy::{service::Node as Proxy, tracer::NativeTracer},
    span,
};

const FIELDS: [&str; 16] = [
    "enabled",
    "overrides",
    "propagation",
    "trust",
    "sampling",
    "service",
    "customTags",
    "custom_tags",
    "tags",
    "resource",
    "spans",
    "redaction",
    "export",
    "nativeTracer",
    "response",
    "log",
];

const NATIVE_TRACERS: [(&str, NativeTracer); 3] = [
    ("auto", NativeTracer::Auto),
    ("own", NativeTracer::Own),
    ("mirror", NativeTracer::Mirror),
];

const LEVELS: [(&str, log::LevelFilter); 6] = [
    ("off", log::LevelFilter::Off),
    ("error", log::LevelFilter::Error),
    ("warn", log::LevelFilter::Warn),
    ("info", log::LevelFilter::Info),
    ("debug", log::LevelFilter::Debug),
    ("trace", log::LevelFilter::Trace),
];

/// Compiles pluginConfig for the proxy that `proxy` describes. No text at all, `null` and `{}` mean the defaults.
pub fn load(
    text: &[u8],
    environment: &impl Environment,
    proxy: &mut impl Proxy,
) -> Result<Settings, Problem> {
    let document = overrides::merge(parse(text)?, proxy, |document| {
        compile(document, environment).map(drop)
    })?;
    compile(&document, environment)
}

fn compile(document: &Json, environment: &impl Environment) -> Result<Settings, Problem> {
    let root = Node::root(document).object(&FIELDS)?;
    if let Some(node) = root.get("overrides") {
        return Err(node.problem("an override has no overrides of its own"));
    }
    let enabled = match root.get("enabled") {
        Some(node) => node.bool()?,
        None => !is_disabled(environment)?,
    };
    let section = |name: &str, fields: &[&str]| -> Result<Option<Object<'_>>, Problem> {
        root.get(name).map(|node| node.object(fields)).transpose()
    };
    let propagation = propagation::load(
        section("propagation", &propagation::FIELDS)?.as_ref(),
        environment,
    )?;
    let trust = trust::load(root.get("trust").as_ref())?;
    let sampling = section("sampling", &sampling::FIELDS)?;
    let mut of_rules = Vec::new();
    let sampler = sampling::load(sampling.as_ref(), &mut of_rules, environment)?;
    let service = service::load(section("service", &service::FIELDS)?.as_ref(), environment)?;
    let custom_tags = root.either("customTags", "custom_tags")?;
    let (tags, sinks) = tags::load(
        custom_tags.as_ref(),
        &of_rules,
        section("tags", &tags::FIELDS)?.as_ref(),
        environment,
    )?;
    if let Some(force) = &sampler.force_header
        && let Some(tag) = tags.iter().find(|tag| tag.headers.contains(force))
    {
        return Err(Problem::new(
            "tags.to",
            format!(
                "{} would be written into {force}, by which a request forces its sampling (sampling.forceHeader)",
                tag.name
            ),
        ));
    }
    let resource = resource::load(root.get("resource").as_ref(), environment)?;
    let spans = spans::load(section("spans", &spans::FIELDS)?.as_ref(), environment)?;
    let redaction = redaction::load(section("redaction", &redaction::FIELDS)?.as_ref())?;
    let response = response::load(section("response", &response::FIELDS)?.as_ref())?;
    let export = export::load(section("export", &export::FIELDS)?.as_ref(), environment)?;
    if export.is_some() && sinks.span {
        if let Some(node) = &custom_tags {
            of_rules.extend(node.map()?.fields());
        }
        if let Some((_, tag)) = of_rules.iter().find(|(name, _)| span::is_own(name)) {
            return Err(tag.problem(
                "every span has an attribute of that name already; rename the tag, or take span out of tags.to",
            ));
        }
    }
    let native_tracer = match root.get("nativeTracer") {
        Some(node) => node.choice(&NATIVE_TRACERS)?,
        None => NativeTracer::Auto,
    };
    let log = match section("log", &["level"])?.and_then(|log| log.get("level")) {
        Some(node) => node.choice(&LEVELS)?,
        None => log::LevelFilter::Warn,
    };
    Ok(Settings {
        enabled,
        propagation,
        trust,
        sampler,
        service,
        tags,
        sinks,
        resource,
        spans,
        redaction,
        response,
        export,
        native_tracer,
        log,
    })
}

/// OTEL_SDK_DISABLED.
fn is_disabled(environment: &impl Environment) -> Result<bool, Problem> {
    const NAME: &str = "OTEL_SDK_DISABLED";
    const WORDS: [(&str, bool); 2] = [("true", true), ("false", false)];
    match non_empty(environment, NAME) {
        Some(word) => choose(&word.to_ascii_lowercase(), &WORDS)
            .map_err(|message| Problem::new(NAME, message)),
        None => Ok(false),
    }
}

/// Many times what 32 tags take. It bounds the time that a worker spends on a text that is no configuration.
const MAX_BYTES: usize = 64 * 1024;

fn parse(text: &[u8]) -> Result<Json, Problem> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the configuration has {} bytes; at most {MAX_BYTES} are taken",
            text.len()
        );
        return Err(Problem::new("", message));
    }
    if text.trim_ascii().is_empty() {
        return Ok(Json::Object(Vec::new()));
    }
    match Json::parse(text) {
        Ok(Json::Null) => Ok(Json::Object(Vec::new())),
        Ok(value) => Ok(value),
        // Field 1, length-delimited: how a protobuf message with a map begins. Envoy hands a Struct over like this.
        Err(_) if text.first() == Some(&0x0a) && text.iter().any(|byte| *byte < 0x09) => {
            Err(Problem::new(
                "",
                "the configuration is a google.protobuf.Struct, which Envoy passes as protobuf bytes; \
                 write it as a google.protobuf.StringValue that holds JSON",
            ))
        }
        Err(error) => Err(Problem::new(
            "",
            format!("the configuration is not JSON: {error}"),
        )),
    }
}
