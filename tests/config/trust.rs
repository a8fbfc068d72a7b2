//! `trust`: what is taken, and what is refused with which words.

use super::{refused, said, taken};
use throughline::policy::trust::Action;

#[test]
fn mistakes_are_named() {
    let rule = |rule: &str| format!(r#"{{"trust": [{rule}]}}"#);
    let matching = |fields: &str| {
        rule(&format!(
            r#"{{"match": {{{fields}}}, "action": "restart"}}"#
        ))
    };
    let rows = [
        (
            r#"{"trust": {}}"#.to_owned(),
            "trust: expected a list, got an object",
        ),
        (
            rule("1"),
            "trust[0]: expected an object with match, action, got 1",
        ),
        (
            rule(r#"{"action": "restart"}"#),
            "trust[0].match: is required",
        ),
        (
            rule(r#"{"match": {"proxy": "gateway"}}"#),
            "trust[0].action: is required",
        ),
        (
            rule(r#"{"match": {"proxy": "gateway"}, "action": "reject"}"#),
            "trust[0].action: expected one of continue, restart, ignore, strip, got \"reject\"",
        ),
        (
            rule(r#"{"match": {"proxy": "gateway"}, "action": "restrat"}"#),
            "did you mean restart?",
        ),
        (
            rule(r#"{"match": {"proxy": "gateway"}, "action": "strip", "else": 1}"#),
            "trust[0].else: unknown field",
        ),
        (
            matching(r#""proxy": "sidecar""#),
            "trust[0].match.proxy: expected one of sidecar-inbound, sidecar-outbound, gateway, waypoint, got \"sidecar\"",
        ),
        (
            matching(r#""proxi": "gateway""#),
            "trust[0].match.proxi: unknown field, did you mean proxy?",
        ),
        (
            matching(""),
            "trust[0].match: expected at least one of proxy, ",
        ),
        (
            matching(r#""peer": null"#),
            "what is for every request says hosts: [\"*\"]",
        ),
        (
            matching(r#""peer": "authenticated""#),
            "trust[0].match.peer: expected one of unauthenticated, got \"authenticated\"; did you mean unauthenticated?",
        ),
        (
            matching(r#""labels": {}"#),
            "trust[0].match.labels: expected 1 to 64 labels, got 0",
        ),
        (
            matching(r#""labels": {"app": 1}"#),
            "trust[0].match.labels.app: expected a string, got 1",
        ),
        (
            matching(r#""namespaces": "a""#),
            "trust[0].match.namespaces: expected a list",
        ),
        (
            matching(r#""principals": []"#),
            "trust[0].match.principals: expected 1 to 64 patterns, got 0",
        ),
        (
            matching(r#""hosts": ["a", 1]"#),
            "trust[0].match.hosts[1]: expected a string",
        ),
        (
            matching(r#""hosts": ["HTTPS://me@API.openai.com.:443/v1"]"#),
            "trust[0].match.hosts[0]: expected a host without scheme, user, port, path and a dot at its end, got \"HTTPS://me@API.openai.com.:443/v1\"; write api.openai.com",
        ),
        (
            matching(r#""hosts": ["[fd00::1]:80"]"#),
            "; write [fd00::1]",
        ),
        (
            matching(r#""hosts": [""]"#),
            "trust[0].match.hosts[0]: expected a host without scheme, user, port, path and a dot at its end, got \"\"; * is every host",
        ),
        (
            matching(r#""external": "yes""#),
            "trust[0].match.external: expected true or false, got \"yes\"",
        ),
        (
            matching(r#""sourceCidrs": ["10.0.0.0/8", "10.0.0/8"]"#),
            "trust[0].match.sourceCidrs[1]: expected a range of addresses, as 10.0.0.0/8 or fd00::/8, got \"10.0.0/8\"",
        ),
        (
            matching(r#""sourceCidrs": ["::ffff:10.1.2.3/104"]"#),
            "trust[0].match.sourceCidrs[0]: \"::ffff:10.1.2.3/104\" says more than its prefix",
        ),
        (
            matching(r#""sourceCidrs": ["10.1.2.3/8"]"#),
            "trust[0].match.sourceCidrs[0]: \"10.1.2.3/8\" says more than its prefix; write zeros behind it",
        ),
        (
            matching(r#""peer": "unauthenticated", "principals": ["*"]"#),
            "trust[0].match.principals: a peer that is unauthenticated has none",
        ),
        (
            matching(r#""proxy": "sidecar-outbound", "peer": "unauthenticated""#),
            "trust[0].match.peer: the peer of sidecar-outbound is the proxy's own application",
        ),
        (
            matching(r#""proxy": "sidecar-outbound", "principals": ["*"]"#),
            "trust[0].match.principals: the peer of sidecar-outbound",
        ),
        (
            matching(r#""proxy": "sidecar-outbound", "sourceCidrs": ["10.0.0.0/8"]"#),
            "trust[0].match.sourceCidrs: the peer of sidecar-outbound",
        ),
        (
            r#"{"overrides": [{"match": {"namespaces": ["a"]}, "config": {"trust": [{}]}}]}"#
                .to_owned(),
            "overrides[0].config: trust[0].match: is required",
        ),
    ];
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(config, words)| (config.as_str(), *words))
        .collect();
    refused(&rows);
}

#[test]
fn every_action_is_taken_in_the_order_written() {
    let actions = ["continue", "restart", "ignore", "strip"];
    let rules =
        actions.map(|action| format!(r#"{{"match": {{"external": true}}, "action": "{action}"}}"#));
    let settings = taken(&format!(r#"{{"trust": [{}]}}"#, rules.join(",")), &[]);
    let got: Vec<Action> = settings.trust.iter().map(|rule| rule.action).collect();
    assert_eq!(
        got,
        [
            Action::Continue,
            Action::Restart,
            Action::Ignore,
            Action::Strip
        ]
    );
}

#[test]
fn hosts_that_can_match_are_taken() {
    for host in [
        "*",
        "a.*",
        "*.example.com",
        "10.0.0.1",
        "[::1]",
        "[fd00:*",
        "*:1]",
        "é",
    ] {
        let rule = format!(r#"{{"match": {{"hosts": ["{host}"]}}, "action": "strip"}}"#);
        taken(&format!(r#"{{"trust": [{rule}]}}"#), &[]);
    }
}

#[test]
fn the_start_up_line_counts_the_rules() {
    said(&[
        (
            r#"{"trust": [{"match": {"hosts": ["a"]}, "action": "strip"}, {"match": {"proxy": "gateway"}, "action": "restart"}]}"#,
            &[],
            " staleHeaders=rewrite trust=1 of 2 rules log=warn",
            "a plain Envoy is no gateway",
        ),
        (
            "{}",
            &[],
            " staleHeaders=rewrite log=warn",
            "none was written",
        ),
        (
            r#"{"trust": [{"match": {"labels": {"app": "a"}}, "action": "strip"}]}"#,
            &[],
            "trust=0 of 1 rules",
            "it has no such label",
        ),
        (
            r#"{"trust": [{"match": {"hosts": ["*"]}, "action": "strip"}, {"match": {"hosts": ["a"]}, "action": "continue"}]}"#,
            &[],
            "trust=2 of 2 rules",
            "hosts are the requests'",
        ),
    ]);
}
