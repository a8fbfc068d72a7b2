//! Envoy's own tracers, which write trace headers after every filter.

use super::{count, some};
use crate::doctor::case::Case;
use crate::doctor::finding::{Code, Finding};
use throughline::policy::tracer::NativeTracer;

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    let beside = || {
        let with = case.chains.iter().filter(|chain| case.has_filter(chain));
        with.filter_map(|chain| Some((chain, chain.manager.tracer.as_ref()?)))
    };
    if beside().next().is_none() {
        return found.extend(unknown_writer(case));
    }
    let names = some(beside().map(|(_, tracer)| &*tracer.name));
    let listeners = some(beside().map(|(chain, _)| &*chain.listener));
    let exports = case.settings().any(|settings| settings.export.is_some());
    let is = |mode| {
        case.settings()
            .any(|settings| settings.native_tracer == mode)
    };
    let propagates = beside().any(|(_, tracer)| tracer.propagates);
    let is_ignored = propagates && is(NativeTracer::Own);
    let is_missed = !propagates && is(NativeTracer::Mirror);
    if !propagates && !exports && !is_missed {
        return;
    }
    let mut why = format!("On {listeners}.");
    if is_ignored {
        why.push_str(" It writes its headers last, over the filter's (nativeTracer: own): formats disagree at the next hop, and traces break.");
    } else if propagates {
        why.push_str(" It writes its headers last, so the filter stands back there: it starts no trace, exports no span that the tracer reports, and a trace that the tracer cannot read ends.");
    }
    if is_missed {
        why.push_str(" It leaves the headers alone, and the filter waits for it to write (nativeTracer: mirror): nobody starts a trace.");
    }
    if exports && (is_ignored || !propagates) && !is_missed {
        why.push_str(" Both report spans of the same hop.");
    }
    why.push_str(&seen(case));
    let fix = if is_missed {
        "Take nativeTracer: mirror away".to_owned()
    } else {
        fix(case.is_istio(), propagates, exports)
    };
    found.push(Finding::new(
        Code::NativeTracer,
        format!("Envoy's own tracer {names} runs beside the filter"),
        why,
        fix,
    ));
}

/// The filter saw somebody write after it, and no listener that was given has a tracer.
fn unknown_writer(case: &Case) -> Option<Finding> {
    let formats = written(case);
    (!formats.is_empty()).then(|| {
        Finding::new(
            Code::NativeTracer,
            format!("Something writes trace headers after the filter: {formats}"),
            format!(
                "The gauge throughline_native_tracer says so, and no HTTP connection manager that was given has a tracing provider.{}",
                seen(case)
            ),
            "Look for a later filter or a route that adds trace headers (Lua, request_headers_to_add), and take it away",
        )
    })
}

/// What the statistics say of it.
fn seen(case: &Case) -> String {
    let formats = written(case);
    let mut seen = String::new();
    if !formats.is_empty() {
        seen.push_str(&format!(" The filter saw it write {formats}."));
    }
    let stats = case.stats.as_ref();
    let overridden = stats.map_or(0, |stats| stats.sum("native_override", &[]));
    if overridden > 0 {
        seen.push_str(&format!(
            " It wrote over the headers of {} (throughline_native_override).",
            count(overridden, "request")
        ));
    }
    seen
}

/// The formats whose gauge is up.
fn written(case: &Case) -> String {
    let stats = case.stats.iter();
    let samples = stats.flat_map(|stats| stats.samples("native_tracer"));
    some(
        samples
            .filter(|sample| sample.value > 0)
            .map(|sample| sample.label("format")),
    )
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
