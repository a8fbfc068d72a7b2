//! `sampling.rules`.

use crate::support::FakeHost;
use crate::{filter, is_sampled};

#[test]
fn the_first_rule_that_matches_decides_before_the_sampler() {
    let config = r#"{"sampling": {"sampler": "parentbased_always_off", "rules": [
        {"match": {"paths": ["/healthz", "/ready*"], "userAgents": ["kube-probe/*"]}, "ratio": 0},
        {"match": {"methods": ["POST"], "paths": ["/checkout/*"]}, "ratio": 1},
        {"match": {"hosts": ["*.SHOP.example", "shop"]}, "ratio": 1},
        {"match": {"headers": {"X-Tenant": ["gold", "g-*"]}}, "ratio": 1},
        {"match": {"paths": ["/healthz"]}, "ratio": 1}
    ]}}"#;
    let mut host = FakeHost::default();
    let filter = filter(&mut host, config);
    for (expected, why, headers) in [
        (false, "no rule", vec![(":path", "/")]),
        (
            false,
            "all of a rule has to match",
            vec![(":method", "GET"), (":path", "/checkout/1")],
        ),
        (
            true,
            "both do",
            vec![(":method", "POST"), (":path", "/checkout/1?a=/healthz")],
        ),
        (
            false,
            "a method has its case",
            vec![(":method", "post"), (":path", "/checkout/1")],
        ),
        (
            false,
            "the first one that matches",
            vec![(":path", "/healthz"), ("user-agent", "kube-probe/1.31")],
        ),
        (
            true,
            "a later one without the agent",
            vec![(":path", "/healthz"), ("user-agent", "curl/8")],
        ),
        (true, "the query is no path", vec![(":path", "/healthz?x")]),
        (
            true,
            "a host has no case",
            vec![(":authority", "A.Shop.Example")],
        ),
        (true, "nor a port", vec![(":authority", "shop:8080")]),
        (false, "another host", vec![(":authority", "shop.example")]),
        (true, "a header", vec![("x-tenant", "gold")]),
        (
            true,
            "any of its values",
            vec![("x-tenant", "tin"), ("x-tenant", "g-2")],
        ),
        (false, "another value", vec![("x-tenant", "golden")]),
        (
            false,
            "a decision that came in stays",
            vec![
                ("x-tenant", "gold"),
                (
                    "traceparent",
                    "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-00",
                ),
            ],
        ),
    ] {
        assert_eq!(is_sampled(&filter, &mut host, &headers), expected, "{why}");
    }
}

#[test]
fn samplers_that_follow_no_parent_ask_the_rules_every_time() {
    let config = r#"{"sampling": {"sampler": "always_on", "rules": [{"match": {"paths": ["/quiet"]}, "ratio": 0}]}}"#;
    let mut host = FakeHost::default();
    let filter = filter(&mut host, config);
    let traceparent = (
        "traceparent",
        "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01",
    );
    assert!(!is_sampled(
        &filter,
        &mut host,
        &[(":path", "/quiet"), traceparent]
    ));
    assert!(is_sampled(
        &filter,
        &mut host,
        &[(":path", "/loud"), traceparent]
    ));
}
