//! What the filter is told to do, and whether it was told at all.

use super::some;
use crate::doctor::case::{Case, Instance, State};
use crate::doctor::finding::{Code, Finding};
use crate::doctor::input::Wasm;
use throughline::config::{Problem, Settings};
use throughline::policy::sampling::RootSampler;

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    // What is true of several is said once.
    let mut all: Vec<(Finding, Vec<usize>)> = Vec::new();
    for (index, instance) in case.instances.iter().enumerate() {
        let mut own = Vec::new();
        of_one(case, instance, &mut own);
        for finding in own {
            match all.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, of)) => of.push(index),
                None => all.push((finding, vec![index])),
            }
        }
    }
    for (mut finding, of) in all {
        if of.iter().any(|index| has_namesakes(case, *index)) {
            let listeners = of.iter().flat_map(|index| case.listeners(*index));
            finding.why += &format!(" (On {}.)", some(listeners));
        }
        found.push(finding);
    }
    disagreement(case, found);
}

/// Whether its name does not tell which it is: of filters that stand in the listeners themselves.
fn has_namesakes(case: &Case, index: usize) -> bool {
    let name = case.instances.get(index).map(|instance| &instance.name);
    let namesakes = case.instances.iter();
    namesakes.filter(|known| Some(&known.name) == name).count() > 1
}

fn of_one(case: &Case, instance: &Instance, found: &mut Vec<Finding>) {
    match &instance.state {
        State::Plugin { wasm, settings } => {
            policy(case, instance, wasm, found);
            match settings {
                Ok(settings) => told(case, instance, settings, found),
                Err(problem) => found.push(rejected(case, instance, problem)),
            }
        }
        State::StandIn { denies } => found.push(not_pulled(case, instance, *denies)),
        State::Missing => found.push(missing(case, instance)),
        State::Unknown => {}
    }
}

fn rejected(case: &Case, instance: &Instance, problem: &Problem) -> Finding {
    Finding::new(
        Code::ConfigRejected,
        format!("The filter refuses its configuration: {problem}"),
        format!(
            "{} is inert: requests pass untouched, and no span is made.",
            instance.name
        ),
        if case.is_istio() {
            format!(
                "Correct pluginConfig (docs/configuration.md lists every field), and apply it again:\n\x20 kubectl edit {}",
                instance.resource()
            )
        } else {
            "Correct the plugin's configuration; docs/configuration.md lists every field."
                .to_owned()
        },
    )
}

/// The running module may know fewer fields than this program.
fn disagreement(case: &Case, found: &mut Vec<Finding>) {
    if found
        .iter()
        .any(|finding| finding.code == Code::ConfigRejected)
    {
        return;
    }
    let said = case.log.as_ref().and_then(|log| log.rejected.as_deref());
    // The gauge follows what happens after the log was written.
    let refused = match &case.stats {
        Some(stats) => stats.sum("config_rejected", &[]) > 0,
        None => said.is_some(),
    };
    let is_there = |instance: &Instance| !matches!(instance.state, State::StandIn { .. });
    if refused && case.instances.iter().any(is_there) {
        let running = case.version();
        let running = running.as_deref().unwrap_or("another version");
        let own = env!("CARGO_PKG_VERSION");
        found.push(Finding::new(
            Code::ConfigRejected,
            match said {
                Some(said) => format!("The filter refuses its configuration: {said}"),
                None => "The filter refused a configuration (the gauge throughline_config_rejected)".to_owned(),
            },
            format!(
                "Requests pass untouched. What the dump holds is in order for {own}, and {running} runs: an older module does \
                 not know newer fields. (The gauge also stays up for a refused plugin that was deleted, until Envoy restarts.)"
            ),
            "Roll image and configuration together: set url and sha256 of the WasmPlugin to the image that the configuration is for.",
        ));
    }
}

fn not_pulled(case: &Case, instance: &Instance, denies: bool) -> Finding {
    let (stand_in, effect) = if denies {
        (
            "wasm-default-deny",
            "so every request is refused with 403: failStrategy is not FAIL_OPEN",
        )
    } else {
        ("wasm-default-allow", "so requests pass untouched")
    };
    Finding::new(
        Code::ImageNotPulled,
        format!("Istio could not pull the image of {}", instance.name),
        match case.log.as_ref().and_then(|log| log.not_pulled.as_deref()) {
            Some(said) => format!(
                "An RBAC filter called {stand_in} stands in its place, {effect}. The agent's log: {said}"
            ),
            None => format!("An RBAC filter called {stand_in} stands in its place, {effect}."),
        },
        format!(
            "The agent's log names the reason; mostly a wrong address or digest (sha256 is the image's manifest digest, not the \
             module's), a missing imagePullSecret, or a registry that is out of reach (behind a proxy: HTTPS_PROXY and NO_PROXY in \
             MeshConfig's defaultConfig.proxyMetadata):\n\
             \x20 kubectl logs {} -c istio-proxy | grep -i wasm\n\
             \x20 kubectl edit {}      # url, sha256, imagePullSecret; failStrategy: FAIL_OPEN",
            case.pod(),
            instance.resource()
        ),
    )
}

fn missing(case: &Case, instance: &Instance) -> Finding {
    Finding::new(
        Code::FilterConfigMissing,
        format!(
            "Envoy has no configuration for the filter {}",
            instance.name
        ),
        "The listener names it, to be delivered apart (ECDS); it never came or was refused. Envoy answers requests with 500, or \
         keeps the listener waiting.",
        if case.is_istio() {
            format!(
                "kubectl logs {} -c istio-proxy | grep -i wasm      # what was refused\n\
                 istioctl proxy-status      # whether istiod has sent it",
                case.pod()
            )
        } else {
            "Envoy's log names what is wrong with the delivered file: grep -i -e wasm -e config"
                .to_owned()
        },
    )
}

fn policy(case: &Case, instance: &Instance, wasm: &Wasm, found: &mut Vec<Finding>) {
    if !wasm.fails_open {
        found.push(Finding::new(
            Code::FilterFailsClosed,
            format!("If {} breaks, it stops traffic", instance.name),
            "Its failure policy is not FAIL_OPEN: a module that does not load or ends makes every request fail.",
            if case.is_istio() {
                "spec:\n\x20 failStrategy: FAIL_OPEN"
            } else {
                "failure_policy: FAIL_OPEN      # beside root_id"
            },
        ));
    }
}

fn told(case: &Case, instance: &Instance, settings: &Settings, found: &mut Vec<Finding>) {
    const RATIO: (&str, &str) = (
        "sampling: {sampler: parentbased_traceidratio, arg: 0.1}",
        r#""sampling": {"sampler": "parentbased_traceidratio", "arg": 0.1}"#,
    );

    if !settings.enabled {
        found.push(Finding::new(
            Code::SwitchedOff,
            format!("{} is switched off in this proxy", instance.name),
            "Its configuration says so (enabled, perhaps by an override, or OTEL_SDK_DISABLED): requests pass untouched, and no \
             span is made.",
            configured(case, "enabled: true", r#""enabled": true"#) + "\nFor some namespaces or labels alone: overrides (docs/configuration.md).",
        ));
        return;
    }
    if settings.export.is_none() {
        found.push(Finding::new(
            Code::NoExport,
            "The filter records no spans: its configuration has no export",
            format!(
                "{} keeps trace headers together, and nothing else.",
                instance.name
            ),
            configured(
                case,
                "export: {protocol: otlp-grpc, service: tempo.monitoring.svc.cluster.local}",
                r#""export": {"protocol": "otlp-http", "cluster": "CLUSTER"}"#,
            ),
        ));
        return;
    }
    let ratio = match settings.sampler.root {
        RootSampler::AlwaysOn => 1.0,
        RootSampler::AlwaysOff => 0.0,
        RootSampler::TraceIdRatio(ratio) => ratio.probability(),
    };
    let sampler = settings.sampler.name();
    let parent = match settings.sampler.parent_based {
        true => " Requests that come in with a decision keep theirs.",
        false => "",
    };
    if ratio <= 0.0 {
        found.push(Finding::new(
            Code::SamplesNothing,
            format!("No trace that starts here is sampled ({sampler})"),
            format!("They make no spans.{parent}"),
            configured(case, RATIO.0, RATIO.1),
        ));
    } else if ratio >= 1.0 {
        found.push(Finding::new(
            Code::SamplesEverything,
            format!("Every trace that starts here is sampled ({sampler})"),
            format!("On a busy mesh that is many spans.{parent}"),
            configured(case, RATIO.0, RATIO.1),
        ));
    }
}

/// A field of the configuration, where users write it: in a manifest, or as the JSON that Envoy hands to the plugin.
fn configured(case: &Case, yaml: &str, json: &str) -> String {
    if case.is_istio() {
        format!("pluginConfig:\n\x20 {yaml}")
    } else {
        format!(
            "configuration:\n\x20 \"@type\": type.googleapis.com/google.protobuf.StringValue\n\x20 value: '{{{json}}}'"
        )
    }
}
