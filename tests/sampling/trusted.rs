//! `sampling.forceHeader`.

use crate::support::FakeHost;
use crate::{filter, is_sampled};

const CONFIG: &str =
    r#"{"sampling": {"sampler": "parentbased_always_off", "forceHeader": "X-Trace-Force"}}"#;

#[test]
fn only_the_application_and_workloads_of_the_mesh_may_force() {
    let (inbound, outbound) = (1_i64.to_le_bytes(), 2_i64.to_le_bytes());
    let sidecar = "sidecar~10.0.0.1~a.b~b.svc";
    let gateway = "router~10.0.0.1~a.b~b.svc";
    for (expected, why, node, direction, mtls) in [
        (true, "the application", sidecar, outbound, None),
        (true, "a workload", sidecar, inbound, Some(1)),
        (false, "a stranger", sidecar, inbound, Some(0)),
        (false, "a stranger without TLS", sidecar, inbound, None),
        (false, "a stranger at the edge", gateway, outbound, None),
        (true, "a workload at the edge", gateway, outbound, Some(1)),
        (false, "a plain Envoy's peer", "envoy", outbound, None),
    ] {
        let mut host = FakeHost::default();
        let mut property = |name: &str, value: &[u8]| {
            host.properties.insert(name.to_owned(), value.to_vec());
        };
        property("xds.node.id", node.as_bytes());
        property("xds.listener_direction", &direction);
        if let Some(mtls) = mtls {
            property("connection.mtls", &[mtls]);
        }
        let filter = filter(&mut host, CONFIG);
        for (forced, value) in [("1", true), (" true ", true), ("0", false), ("yes", false)] {
            let got = is_sampled(&filter, &mut host, &[("x-trace-force", forced)]);
            assert_eq!(got, expected && value, "{why}, {forced:?}");
        }
        assert!(!is_sampled(&filter, &mut host, &[]), "{why}, not asked");
    }
}

#[test]
fn a_forced_request_leaves_a_denied_parent_by_a_new_span() {
    let mut host = FakeHost::default();
    let properties = [
        ("xds.node.id", b"sidecar~10.0.0.1~a.b~b.svc".to_vec()),
        ("xds.listener_direction", 2_i64.to_le_bytes().to_vec()),
    ];
    for (name, value) in properties {
        host.properties.insert(name.to_owned(), value);
    }
    let filter = filter(&mut host, CONFIG);
    let denied = "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-00";
    assert!(is_sampled(
        &filter,
        &mut host,
        &[("traceparent", denied), ("x-trace-force", "1")]
    ));
    let leaves = host.headers.iter().find(|(name, _)| name == "traceparent");
    let leaves = String::from_utf8(leaves.unwrap().1.clone()).unwrap();
    assert!(leaves.starts_with("00-80f198ee56343ba864fe8b2a57d3eff7-"));
    assert!(
        leaves.ends_with("-01") && !leaves.contains("e457b5a2e4d86bd1"),
        "{leaves}"
    );
}
