//! What the filter says in Envoy's log.

use super::VERSION;
use crate::{
    config::{Problem, Settings},
    engine::Plan,
    policy::{
        place::{Direction, Place, Proxy},
        sampling::RootSampler,
        tracer::{Formats, NativeTracer},
        trust::{Action, Trust},
    },
    propagation::{Format, StaleHeaders, tracecontext},
    text::decimal,
};

/// The version, where it runs, and the configuration in force.
pub fn start(settings: &Settings, proxy: Proxy, trust: &Trust, service: &str) -> String {
    let Settings {
        propagation,
        trust: rules,
        sampler,
        tags,
        sinks,
        log,
        ..
    } = settings;
    let ratio = match sampler.root {
        RootSampler::TraceIdRatio(ratio) => {
            format!("({})", decimal(ratio.probability()).unwrap_or_default())
        }
        RootSampler::AlwaysOn | RootSampler::AlwaysOff => String::new(),
    };
    let mut also = String::new();
    if let Some(limit) = sampler.max_per_second {
        also += &format!(" maxPerSecond={limit}");
    }
    if !sampler.rules.is_empty() {
        also += &format!(" rules={}", sampler.rules.len());
    }
    if let Some(header) = &sampler.force_header {
        also += &format!(" forceHeader={header}");
    }
    let stale = match propagation.stale_headers {
        StaleHeaders::Rewrite => "rewrite",
        StaleHeaders::Remove => "remove",
    };
    // Nobody has to read of what they did not write.
    let trust = match rules.len() {
        0 => String::new(),
        all => format!(" trust={} of {all} rules", trust.count()),
    };
    let headers = tags.iter().flat_map(|tag| &tag.headers);
    let mut to: Vec<&str> = headers.map(String::as_str).collect();
    to.extend((sinks.span && settings.export.is_some()).then_some("span"));
    to.extend(sinks.filter_state.then_some("filterState"));
    to.extend(sinks.baggage.then_some("baggage"));
    let tags: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
    let tags = match (tags.is_empty(), to.is_empty()) {
        (true, _) => "none".to_owned(),
        (false, true) => format!("{} to=none", tags.join(",")),
        (false, false) => format!("{} to={}", tags.join(","), to.join(",")),
    };
    let export = match &settings.export {
        Some(export) => format!(
            "{} to {}",
            export.protocol.name(),
            export.destination.cluster()
        ),
        None => "none".to_owned(),
    };
    let tracer = match settings.native_tracer {
        NativeTracer::Auto => String::new(),
        set => format!(" nativeTracer={}", set.name()),
    };
    format!(
        "throughline {VERSION} on {proxy}: service.name={service} sampler={}{ratio}{also} extract={} inject={} \
         staleHeaders={stale}{trust} log={} tags={tags} export={export}{tracer}",
        sampler.name(),
        names(&propagation.readers),
        names(&propagation.inject),
        log.as_str().to_ascii_lowercase(),
    )
}

/// It touches nothing, as it was told.
pub fn disabled(proxy: Proxy) -> String {
    format!(
        "throughline {VERSION} on {proxy}: disabled (enabled: false, or OTEL_SDK_DISABLED), requests pass untouched"
    )
}

pub fn export_fails(destination: &str, why: &str) -> String {
    format!("throughline {VERSION}: spans do not leave by {destination}: {why}")
}

pub fn export_works(destination: &str) -> String {
    format!("throughline {VERSION}: spans leave again by {destination}")
}

pub fn spans_refused(destination: &str, answer: &str) -> String {
    format!(
        "throughline {VERSION}: spans that leave by {destination} are refused in part: {answer}; \
         throughline_spans counts them"
    )
}

pub fn spans_dropped(destination: &str, reason: &str) -> String {
    format!(
        "throughline {VERSION}: spans are dropped before they leave by {destination}: {reason}; \
         throughline_spans counts them"
    )
}

/// A tracer of Envoy's was seen to write those formats, or was seen to write none any more.
pub fn tracer(direction: Option<Direction>, writes: Formats) -> String {
    let place = match direction {
        Some(Direction::Inbound) => "inbound listeners",
        Some(Direction::Outbound) => "outbound listeners",
        None => "listeners without a direction",
    };
    if writes.is_empty() {
        return format!(
            "throughline {VERSION}: Envoy's own tracer writes no trace headers on {place} any more: the filter does \
             (nativeTracer: auto)"
        );
    }
    let writes: Vec<Format> = writes.iter().collect();
    format!(
        "throughline {VERSION}: Envoy's own tracer writes {} after the filter on {place}: there the filter translates \
         what comes in, starts no trace, and exports no span that the tracer reports (nativeTracer: auto)",
        names(&writes)
    )
}

pub fn rejection(problem: &Problem) -> String {
    format!("throughline {VERSION}: configuration rejected, requests pass untouched: {problem}")
}

/// One request, for debugging.
pub fn request(place: Place, plan: &Plan, action: Action) -> String {
    let rejected: String = plan
        .rejections
        .iter()
        .flatten()
        .map(|rejection| {
            let (format, reason) = (rejection.format.name(), rejection.reason.name());
            format!(" rejected={format}/{reason}")
        })
        .collect();
    format!(
        "{place} {} origin={}{}{}{rejected}",
        String::from_utf8_lossy(tracecontext::traceparent(&plan.context).as_bytes()),
        plan.origin.name(),
        said(action),
        if plan.conflict { " conflict" } else { "" },
    )
}

/// One that a rule leaves as it is.
pub fn ignored(place: Place) -> String {
    format!("{place}{}", said(Action::Ignore))
}

fn said(action: Action) -> String {
    match action {
        Action::Continue => String::new(),
        Action::Restart | Action::Ignore | Action::Strip => format!(" trust={}", action.name()),
    }
}

fn names(formats: &[Format]) -> String {
    let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
    names.join(",")
}
