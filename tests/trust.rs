//! Whose context counts: which rule is whose, and what each action does with what came in.

mod support;

#[path = "trust/actions.rs"]
mod actions;
#[path = "trust/hostile.rs"]
mod hostile;
#[path = "trust/rules.rs"]
mod rules;

use support::{FakeHost, Outcome, configure, run};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const INGRESS: &str = "router~10.0.0.1~ingress-x.istio-system~istio-system.svc.cluster.local";
const SIDECAR: &str = "sidecar~10.0.0.2~reviews-x.bookinfo~bookinfo.svc.cluster.local";
const WAYPOINT: &str = "waypoint~10.0.0.3~waypoint-x.bookinfo~bookinfo.svc.cluster.local";

/// A host that is this node, with these properties besides. `true` is a property of one byte.
fn host(node: &str, properties: &[(&str, &str)]) -> FakeHost {
    let mut host = FakeHost::default();
    let mut set = |name: &str, value: Vec<u8>| host.properties.insert(name.to_owned(), value);
    set("xds.node.id", node.as_bytes().to_vec());
    for (name, value) in properties {
        let bytes = match *value {
            "true" => vec![1],
            "false" => vec![0],
            "inbound" => 1_i64.to_le_bytes().to_vec(),
            "outbound" => 2_i64.to_le_bytes().to_vec(),
            text => text.as_bytes().to_vec(),
        };
        set(name, bytes);
    }
    host
}

/// What becomes of a request on that host.
fn sent(host: &mut FakeHost, config: &str, headers: &[(&str, &str)]) -> Outcome {
    let filter = configure(host, config).expect("a good configuration");
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    host.set_request(&headers);
    run(&filter, host)
}

/// What was done with a request that brought [`TRACEPARENT`].
fn action(outcome: &Outcome) -> &'static str {
    match outcome.one("traceparent") {
        None => "strip",
        Some(TRACEPARENT) if outcome.filter_state.is_empty() => "ignore",
        Some(TRACEPARENT) => "continue",
        Some(_) => "restart",
    }
}
