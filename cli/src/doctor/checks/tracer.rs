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
        fix(case.is_istio(), propagates, exports),
    ));
}

/// Either the tracer goes, or it reports what the filter then does not: one of the two writes headers, and one reports.
fn fix(is_istio: bool, propagates: bool, exports: bool) -> String {
    let off = if is_istio {
        "Switch the tracer off: take the tracing provider away (MeshConfig defaultProviders.tracing, extensionProviders, Telemetry)"
    } else {
        "Switch the tracer off: remove tracing.provider from the HTTP connection manager"
    };
    let export = if is_istio {
        "remove export from the plugin's configuration"
    } else {
        "remove export from the filter's configuration"
    };
    let field = if is_istio {
        "from Istio 1.30 on add this field to the Telemetry that names the provider:\n\
         \x20 spec:\n\
         \x20   tracing:\n\
         \x20   - providers: …                      # as it is\n\
         \x20     disableContextPropagation: true"
    } else {
        "add this field to the HTTP connection manager:\n\
         \x20 tracing:\n\
         \x20   no_context_propagation: true"
    };
    match (propagates, exports) {
        (true, true) => {
            format!("{off}. Or let it alone report, and not write headers: {export}, and {field}")
        }
        (true, false) => format!("{off}. Or let it report without writing headers: {field}"),
        (false, _) => format!("{off}. Or let it alone report: {export}."),
    }
}
