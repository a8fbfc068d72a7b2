//! Envoy's own tracers, which write trace headers after every filter.

use super::some;
use crate::doctor::case::Case;
use crate::doctor::finding::{Code, Finding};

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    let beside = || {
        let with = case.chains.iter().filter(|chain| case.has_filter(chain));
        with.filter_map(|chain| Some((chain, chain.manager.tracer.as_ref()?)))
    };
    if beside().next().is_none() {
        return;
    }
    let names = some(beside().map(|(_, tracer)| &*tracer.name));
    let listeners = some(beside().map(|(chain, _)| &*chain.listener));
    let exports = case.settings().any(|settings| settings.export.is_some());
    let both = if exports {
        " Both report spans of the same hop."
    } else {
        ""
    };
    let propagates = beside().any(|(_, tracer)| tracer.propagates);
    if !propagates && !exports {
        return;
    }
    let writes = if propagates {
        " It writes its headers last, over the filter's: formats disagree at the next hop, and traces break."
    } else {
        ""
    };
    found.push(Finding::new(
        Code::NativeTracer,
        format!("Envoy's own tracer {names} runs beside the filter"),
        format!("On {listeners}.{writes}{both}"),
        fix(case.is_istio(), propagates),
    ));
}

fn fix(is_istio: bool, propagates: bool) -> &'static str {
    match (is_istio, propagates) {
        (true, true) => {
            "Take the tracing provider away (MeshConfig defaultProviders.tracing, extensionProviders, Telemetry), or from Istio 1.30 let it \
             report without writing headers:\n\
             \x20 apiVersion: telemetry.istio.io/v1\n\
             \x20 kind: Telemetry\n\
             \x20 metadata: {name: mesh-default, namespace: istio-system}\n\
             \x20 spec:\n\
             \x20   tracing:\n\
             \x20   - disableContextPropagation: true"
        }
        (true, false) => {
            "Take the tracing provider away (MeshConfig defaultProviders.tracing, extensionProviders, Telemetry), or export out of the \
             plugin's configuration."
        }
        (false, true) => {
            "Remove tracing.provider from the HTTP connection manager, or let it report without writing headers:\n\
             \x20 tracing:\n\
             \x20   no_context_propagation: true"
        }
        (false, false) => {
            "Remove tracing.provider from the HTTP connection manager, or export from the filter's configuration."
        }
    }
}
