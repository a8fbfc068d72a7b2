//! Where the filter is, and what is before it.

use super::some;
use crate::doctor::case::{Case, HttpChain, Instance, Resource};
use crate::doctor::finding::{Code, Finding};
use crate::doctor::input::Extension;
use throughline::policy::place::Proxy;

pub fn check(case: &Case, found: &mut Vec<Finding>) {
    listeners(case, found);
    presence(case, found);
    for chain in &case.chains {
        twice(chain, case, found);
    }
    disabled(case, found);
    order(case, found);
    passthrough(case, found);
}

fn listeners(case: &Case, found: &mut Vec<Finding>) {
    for (name, details) in &case.refused {
        found.push(Finding::new(
            Code::ListenerRefused,
            format!("Envoy refused the listener {name} that it was given"),
            format!("It runs the one before, or none. It says: {details}"),
            "Correct what it names; in Istio, istioctl proxy-status shows who is out of date, and istiod's log (NACK) why.",
        ));
    }
    if !case.warming.is_empty() {
        found.push(Finding::new(
            Code::ListenerWarming,
            format!(
                "Envoy does not run the listener {} yet",
                some(case.warming.iter().map(String::as_str))
            ),
            "It waits for a part of its configuration: often the Wasm plugin's image, or a secret.",
            format!(
                "kubectl logs {} -c istio-proxy | grep -i -e wasm -e sds",
                case.pod()
            ),
        ));
    }
}

fn presence(case: &Case, found: &mut Vec<Finding>) {
    if case.chains.is_empty() {
        found.push(Finding::new(
            Code::NoHttpListener,
            "Envoy has no HTTP listener: no HTTP filter sees a request",
            "It has no listener at all, or every one passes its traffic on as TCP.",
            if case.is_istio() {
                "Did istiod send any? istioctl proxy-status; at a gateway: does a Gateway select it? If so, name the\n\
                 Service's ports for their protocol, so that Istio knows that they carry HTTP:\n\
                 \x20 ports:\n\
                 \x20 - name: http-web          # or grpc-…, or appProtocol: http"
            } else {
                "Put an envoy.filters.network.http_connection_manager on the listener, as in examples/envoy/envoy.yaml."
            },
        ));
        return;
    }
    let without: Vec<&HttpChain> = case
        .chains
        .iter()
        .filter(|chain| chain.spots.is_empty())
        .collect();
    if without.len() == case.chains.len() {
        found.push(absent(case));
    } else if !without.is_empty() {
        found.push(partly_absent(case, &without));
    }
}

fn absent(case: &Case) -> Finding {
    let names = some(case.chains.iter().map(|chain| &*chain.listener));
    let mut why =
        format!("HTTP listeners: {names}. None has a Wasm filter that is called throughline.");
    if !case.strangers.is_empty() {
        let strangers = some(case.strangers.iter().map(String::as_str));
        why += &format!(
            " Istio could not pull the image of {strangers}: if that is this filter under another name, the registry, \
             the digest or the pull secret is wrong (kubectl logs {} -c istio-proxy | grep -i wasm).",
            case.pod()
        );
    }
    Finding::new(
        Code::FilterAbsent,
        "The filter is on no HTTP listener of this proxy",
        why,
        install(case.proxy),
    )
}

/// What puts it there.
fn install(proxy: Proxy) -> &'static str {
    match proxy {
        Proxy::Sidecar | Proxy::Gateway => {
            "Apply the plugin in Istio's root namespace; a selector must match this pod's labels, and a plugin with \
             targetRefs is for the gateways and waypoints that these name, never for a sidecar:\n\
             \x20 kubectl apply -k wasmplugin/overlays/prod\n\
             \x20 kubectl get wasmplugin -A          # is it there, and in which namespace?"
        }
        Proxy::Waypoint => {
            "A waypoint takes a plugin by targetRefs alone, never by a selector; for all waypoints, in Istio's root namespace:\n\
             \x20 spec:\n\
             \x20   targetRefs:\n\
             \x20   - {group: gateway.networking.k8s.io, kind: GatewayClass, name: istio-waypoint}"
        }
        Proxy::Plain => {
            "Put it before the router in http_filters, as examples/envoy/envoy.yaml does:\n\
             \x20 http_filters:\n\
             \x20 - name: throughline\n\
             \x20   typed_config:\n\
             \x20     \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n\
             \x20     config: {name: throughline, root_id: throughline, failure_policy: FAIL_OPEN, vm_config: …}"
        }
    }
}

fn partly_absent(case: &Case, without: &[&HttpChain]) -> Finding {
    let names = some(without.iter().map(|chain| &*chain.listener));
    let places = without
        .iter()
        .map(|chain| chain.place.to_string())
        .collect::<Vec<_>>();
    let places = some(places.iter().map(String::as_str));
    let (without, all) = (without.len(), case.chains.len());
    Finding::new(
        Code::FilterPartlyAbsent,
        format!("The filter is missing on {without} of {all} HTTP filter chains ({places})"),
        format!(
            "Without it: {names}. Requests there keep whatever trace headers they have, and make no span."
        ),
        match case.proxy {
            Proxy::Sidecar | Proxy::Gateway => {
                "A plugin is on inbound and outbound alike unless something takes it away: remove match (mode, ports) from the \
                 WasmPlugin's spec, and replace an EnvoyFilter whose context is SIDECAR_INBOUND by a plugin (docs/install.md)."
            }
            Proxy::Waypoint => {
                "A plugin whose targetRefs name a Service is for that service alone; name the Gateway or GatewayClass istio-waypoint instead."
            }
            Proxy::Plain => "Add the same http_filters entry to each HTTP connection manager.",
        },
    )
}

fn twice(chain: &HttpChain, case: &Case, found: &mut Vec<Finding>) {
    let acting = case.acting(chain);
    let is_known = |finding: &Finding| finding.code == Code::SecondInstance;
    if acting.len() < 2 || found.iter().any(is_known) {
        return;
    }
    let (first, others) = acting.split_first().unzip();
    let first = first.map_or("", |instance| &*instance.name);
    let others = some(others.into_iter().flatten().map(|instance| &*instance.name));
    found.push(Finding::new(
        Code::SecondInstance,
        format!(
            "The filter is {} times in one chain of {}: {others} stands aside",
            acting.len(),
            chain.listener
        ),
        format!(
            "Each request is for {first}, which sees it first; what {others} is configured to do does not happen there \
             (throughline_stood_aside counts)."
        ),
        if case.is_istio() {
            keep_one(&acting, case)
        } else {
            "Take all but one out of http_filters.".to_owned()
        },
    ));
}

/// Which to keep is the mesh's choice, not this pod's: a plugin that reaches other namespaces is never the one to delete.
fn keep_one(acting: &[&Instance], case: &Case) -> String {
    let resources: Vec<_> = acting
        .iter()
        .filter_map(|instance| Resource::of(&instance.name))
        .collect();
    let mut fix = "Keep one: plugins of the root namespace and of the pod's own namespace add up, and so do a WasmPlugin, a \
                   TrafficExtension and an EnvoyFilter."
        .to_owned();
    let mut surplus = Vec::new();
    for resource in &resources {
        let reach = if case.is_local(resource.namespace) {
            surplus.push(format!("\n\x20 kubectl delete {resource}"));
            "is for this namespace alone"
        } else {
            "may be for the whole mesh: do not delete it for this pod's sake"
        };
        fix += &format!("\n\x20 {resource}   # {reach}");
    }
    if surplus.len() == resources.len() {
        surplus = surplus.into_iter().skip(1).collect();
    }
    if !surplus.is_empty() {
        fix += &format!("\nNo other namespace misses:{}", surplus.concat());
    }
    fix + "\nWhat is to differ between namespaces, the overrides of the one that stays can say (docs/configuration.md)."
}

fn disabled(case: &Case, found: &mut Vec<Finding>) {
    let is_disabled = |chain: &&HttpChain| {
        !chain.spots.is_empty() && !chain.spots.iter().any(|spot| chain.is_on(spot))
    };
    let names: Vec<&str> = case
        .chains
        .iter()
        .filter(is_disabled)
        .map(|chain| &*chain.listener)
        .collect();
    if !names.is_empty() {
        found.push(Finding::new(
            Code::FilterDisabled,
            format!(
                "The filter is in the chain of {}, but disabled",
                some(names.into_iter())
            ),
            "disabled: true makes it run only on routes that have a configuration for it.",
            "Remove disabled: true from its http_filters entry.",
        ));
    }
}

/// Filters that answer requests themselves.
fn denies(config: Option<&Extension>, name: &str) -> bool {
    let kind = match config {
        Some(Extension::Rbac) => "RBAC",
        Some(Extension::Other(kind)) => kind,
        _ => "",
    };
    matches!(
        kind,
        "RBAC" | "ExtAuthz" | "JwtAuthentication" | "LocalRateLimit" | "RateLimit" | "HTTPFault"
    ) || (config.is_none() && name.contains("authz"))
}

fn order(case: &Case, found: &mut Vec<Finding>) {
    let mut before: Vec<String> = Vec::new();
    for chain in &case.chains {
        let Some(spot) = chain.spots.first() else {
            continue;
        };
        for filter in chain.manager.filters.iter().take(spot.position) {
            if denies(filter.config.as_ref(), &filter.name) && !before.contains(&filter.name) {
                before.push(filter.name.clone());
            }
        }
    }
    if !before.is_empty() {
        found.push(Finding::new(
            Code::BehindDenyingFilters,
            format!("Before the filter comes {}", some(before.iter().map(String::as_str))),
            "What that answers itself still makes a span and a log line with its trace id, but it sees the request \
             before its trace headers agree.",
            if case.is_istio() {
                "phase: AUTHN in the WasmPlugin's spec puts the filter before authentication and authorization. (A custom ext_authz \
                 provider comes before every plugin.)"
            } else {
                "Put the filter first in http_filters."
            },
        ));
    }
}

fn passthrough(case: &Case, found: &mut Vec<Finding>) {
    if !case.passed_through.is_empty() {
        found.push(Finding::new(
            Code::HttpsPassthrough,
            "TLS that applications start themselves passes unread",
            format!(
                "For {}. No HTTP filter sees those requests: no header is written, no span is made.",
                some(case.passed_through.iter().map(String::as_str))
            ),
            if case.is_istio() {
                "Let the application speak plain HTTP and the proxy speak TLS:\n\
                 \x20 kind: ServiceEntry      # port 80, protocol HTTP, targetPort 443\n\
                 \x20 kind: DestinationRule   # trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: SIMPLE}}]}"
            } else {
                "Let the application speak plain HTTP, and give the cluster a TLS transport_socket."
            },
        ));
    }
}
