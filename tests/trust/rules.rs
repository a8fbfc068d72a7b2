//! The first rule that matches, and by what it does.

use crate::support::configure;
use crate::{INGRESS, SIDECAR, TRACEPARENT, WAYPOINT, action, host, sent};

type Properties<'a> = &'a [(&'a str, &'a str)];

/// What the rules make of a request without X-Forwarded-For.
fn becomes(rules: &str, node: &str, properties: Properties<'_>, authority: &str) -> &'static str {
    becomes_of(rules, node, properties, &[(":authority", authority)])
}

fn becomes_of(
    rules: &str,
    node: &str,
    properties: Properties<'_>,
    headers: &[(&str, &str)],
) -> &'static str {
    let mut headers = headers.to_vec();
    headers.push(("traceparent", TRACEPARENT));
    let config = format!(r#"{{"trust": [{rules}]}}"#);
    action(&sent(&mut host(node, properties), &config, &headers))
}

#[test]
fn a_rule_is_for_a_kind_of_proxy() {
    let inbound: Properties<'_> = &[("xds.listener_direction", "inbound")];
    let outbound: Properties<'_> = &[("xds.listener_direction", "outbound")];
    for (proxy, node, properties, expected) in [
        ("gateway", INGRESS, outbound, "restart"),
        ("gateway", SIDECAR, outbound, "continue"),
        ("gateway", "envoy", outbound, "continue"),
        ("waypoint", WAYPOINT, inbound, "restart"),
        ("waypoint", INGRESS, outbound, "continue"),
        ("sidecar-inbound", SIDECAR, inbound, "restart"),
        ("sidecar-inbound", SIDECAR, outbound, "continue"),
        ("sidecar-inbound", WAYPOINT, inbound, "continue"),
        ("sidecar-outbound", SIDECAR, outbound, "restart"),
        ("sidecar-outbound", SIDECAR, inbound, "continue"),
        ("sidecar-outbound", INGRESS, outbound, "continue"),
    ] {
        let rule = format!(r#"{{"match": {{"proxy": "{proxy}"}}, "action": "restart"}}"#);
        let got = becomes(&rule, node, properties, "a");
        assert_eq!(got, expected, "{proxy} at {node} {properties:?}");
    }
}

#[test]
fn a_rule_is_for_the_proxys_own_labels_and_namespace() {
    let own: Properties<'_> = &[
        ("xds.node.metadata.NAMESPACE", "istio-system"),
        ("xds.node.metadata.LABELS.istio", "ingressgateway"),
        ("xds.node.metadata.LABELS.app", "ingress"),
    ];
    for (criteria, expected) in [
        (r#""labels": {"istio": "ingressgateway"}"#, "restart"),
        (
            r#""labels": {"istio": "ingressgateway", "app": "ingress"}"#,
            "restart",
        ),
        (
            r#""labels": {"istio": "ingressgateway", "app": "other"}"#,
            "continue",
        ),
        (r#""labels": {"istio": "egressgateway"}"#, "continue"),
        (r#""labels": {"none": "x"}"#, "continue"),
        (r#""namespaces": ["a", "istio-system"]"#, "restart"),
        (r#""namespaces": ["a"]"#, "continue"),
        (
            r#""namespaces": ["istio-system"], "labels": {"app": "other"}"#,
            "continue",
        ),
    ] {
        let rule = format!(r#"{{"match": {{{criteria}}}, "action": "restart"}}"#);
        assert_eq!(becomes(&rule, INGRESS, own, "a"), expected, "{criteria}");
    }
}

#[test]
fn a_rule_is_for_peers_by_what_they_proved() {
    let inbound = ("xds.listener_direction", "inbound");
    let outbound = ("xds.listener_direction", "outbound");
    let mtls = ("connection.mtls", "true");
    let san = (
        "connection.uri_san_peer_certificate",
        "spiffe://cluster.local/ns/bookinfo/sa/productpage",
    );
    let tunnel = (
        "filter_state.io.istio.peer_principal",
        "spiffe://cluster.local/ns/bookinfo/sa/productpage",
    );
    let nobody = ("filter_state.io.istio.peer_principal", "-");
    let stranger = r#""peer": "unauthenticated""#;
    let productpage = r#""principals": ["cluster.local/ns/bookinfo/sa/productpage"]"#;
    let spiffe = r#""principals": ["spiffe://cluster.local/ns/bookinfo/*"]"#;
    let anybody = r#""principals": ["*"]"#;
    let another = r#""principals": ["*/sa/reviews", "cluster.local/ns/book/*"]"#;
    for (criteria, node, properties, expected) in [
        (stranger, SIDECAR, vec![inbound], "restart"),
        (
            stranger,
            SIDECAR,
            vec![inbound, ("connection.mtls", "false")],
            "restart",
        ),
        (stranger, SIDECAR, vec![inbound, mtls, san], "continue"),
        (stranger, SIDECAR, vec![inbound, mtls], "continue"),
        (stranger, SIDECAR, vec![inbound, tunnel], "continue"),
        (stranger, SIDECAR, vec![outbound], "continue"),
        (stranger, INGRESS, vec![outbound], "restart"),
        (stranger, WAYPOINT, vec![inbound, tunnel], "continue"),
        (stranger, WAYPOINT, vec![inbound, nobody], "restart"),
        (stranger, WAYPOINT, vec![inbound], "restart"),
        (stranger, "envoy", vec![outbound], "restart"),
        (productpage, SIDECAR, vec![inbound, mtls, san], "restart"),
        (productpage, WAYPOINT, vec![inbound, tunnel], "restart"),
        (productpage, SIDECAR, vec![inbound], "continue"),
        (productpage, SIDECAR, vec![inbound, mtls], "continue"),
        (spiffe, SIDECAR, vec![inbound, mtls, san], "restart"),
        (anybody, SIDECAR, vec![inbound, mtls, san], "restart"),
        (anybody, SIDECAR, vec![inbound], "continue"),
        (another, SIDECAR, vec![inbound, mtls, san], "continue"),
        // What the connection proved counts before what a tunnel is said to have.
        (
            another,
            SIDECAR,
            vec![
                inbound,
                mtls,
                san,
                ("filter_state.io.istio.peer_principal", "x/sa/reviews"),
            ],
            "continue",
        ),
    ] {
        let rule = format!(r#"{{"match": {{{criteria}}}, "action": "restart"}}"#);
        let got = becomes(&rule, node, &properties, "a");
        assert_eq!(got, expected, "{criteria} at {node} {properties:?}");
    }
}

#[test]
fn a_rule_is_for_peers_by_their_addresses() {
    let inside = |action: &str| {
        format!(
            r#"{{"match": {{"sourceCidrs": ["10.0.0.0/8", "fd00::/8"]}}, "action": "{action}"}}, {{"match": {{"hosts": ["*"]}}, "action": "ignore"}}"#
        )
    };
    for (source, is_inside) in [
        ("10.1.2.3:4711", true),
        ("11.1.2.3:4711", false),
        ("[fd00::1]:4711", true),
        ("[fe80::1]:4711", false),
        ("[::ffff:10.0.0.1]:80", true),
        ("10.1.2.3", true),
    ] {
        for action in ["continue", "restart", "strip"] {
            let expected = if is_inside { action } else { "ignore" };
            let got = becomes(&inside(action), INGRESS, &[("source.address", source)], "a");
            assert_eq!(got, expected, "{source} {action}");
        }
    }
    // A source that nobody knows earns nothing.
    for unknown in ["", "/tmp/socket", "10.0.0.1.2:80"] {
        let properties: Properties<'_> = &[("source.address", unknown)];
        for (action, expected) in [
            ("continue", "ignore"),
            ("restart", "restart"),
            ("strip", "strip"),
        ] {
            let got = becomes(&inside(action), INGRESS, properties, "a");
            assert_eq!(got, expected, "{unknown} {action}");
        }
    }
}

#[test]
fn nobody_chooses_an_address_by_a_header() {
    let rules = r#"{"match": {"sourceCidrs": ["10.0.0.0/8"]}, "action": "continue"}, {"match": {"hosts": ["*"]}, "action": "restart"}"#;
    let restarts = r#"{"match": {"sourceCidrs": ["192.168.0.0/16"]}, "action": "restart"}"#;
    let source = ("source.address", "10.0.0.1:0");
    let inbound = ("xds.listener_direction", "inbound");
    let mtls = ("connection.mtls", "true");
    let forwarded = [(":authority", "a"), ("x-forwarded-for", "10.0.0.1")];
    for (rules, node, properties, headers, expected) in [
        (
            rules,
            SIDECAR,
            vec![inbound, source],
            &forwarded[..],
            "restart",
        ),
        (
            rules,
            SIDECAR,
            vec![inbound, source],
            &forwarded[..1],
            "continue",
        ),
        (
            rules,
            SIDECAR,
            vec![inbound, source, mtls],
            &forwarded[..],
            "continue",
        ),
        (rules, WAYPOINT, vec![source], &forwarded[..], "restart"),
        (rules, WAYPOINT, vec![source], &forwarded[..1], "continue"),
        (
            rules,
            WAYPOINT,
            vec![source, ("filter_state.io.istio.peer_principal", "a/b")],
            &forwarded[..],
            "continue",
        ),
        // It knows from whom it takes the header.
        (rules, INGRESS, vec![source], &forwarded[..], "continue"),
        (
            restarts,
            SIDECAR,
            vec![inbound, source],
            &forwarded[..],
            "restart",
        ),
        (
            restarts,
            SIDECAR,
            vec![inbound, source],
            &forwarded[..1],
            "continue",
        ),
    ] {
        let got = becomes_of(rules, node, &properties, headers);
        assert_eq!(
            got, expected,
            "{rules} at {node} {properties:?} {headers:?}"
        );
    }
}

#[test]
fn a_rule_is_for_hosts() {
    let rule = r#"{"match": {"hosts": ["*.googleapis.com", "API.openai.com"]}, "action": "strip"}"#;
    for (authority, expected) in [
        ("storage.googleapis.com", "strip"),
        ("storage.googleapis.com:443", "strip"),
        ("Storage.GoogleAPIs.com", "strip"),
        ("storage.googleapis.com.", "strip"),
        ("storage.googleapis.com.:443", "strip"),
        // A port may be empty (RFC 3986 §3.2.3).
        ("storage.googleapis.com:", "strip"),
        ("api.openai.com.:", "strip"),
        ("somebody@storage.googleapis.com:80", "strip"),
        ("storage.googleapis.com@evil.example", "continue"),
        ("googleapis.com", "continue"),
        ("storage.googleapis.com.evil.example", "continue"),
        ("api.openai.com", "strip"),
        ("xapi.openai.com", "continue"),
        ("", "continue"),
    ] {
        assert_eq!(
            becomes(rule, SIDECAR, &[], authority),
            expected,
            "{authority}"
        );
    }
    let all = r#"{"match": {"hosts": ["*"]}, "action": "strip"}"#;
    assert_eq!(
        becomes_of(all, SIDECAR, &[], &[]),
        "strip",
        "no host at all"
    );
}

#[test]
fn a_rule_is_for_what_leaves_the_mesh() {
    const EXTERNAL: &str = "xds.cluster_metadata.filter_metadata.istio.external";
    let outside = r#"{"match": {"external": true}, "action": "strip"}"#;
    let inside = r#"{"match": {"external": false}, "action": "strip"}"#;
    for (properties, is_external) in [
        (vec![("xds.cluster_name", "PassthroughCluster")], true),
        (
            vec![
                ("xds.cluster_name", "outbound|80||api.example.com"),
                (EXTERNAL, "true"),
            ],
            true,
        ),
        (
            vec![
                ("xds.cluster_name", "outbound|80||api.example.com"),
                (EXTERNAL, "false"),
            ],
            false,
        ),
        (
            vec![(
                "xds.cluster_name",
                "outbound|9080||reviews.bookinfo.svc.cluster.local",
            )],
            false,
        ),
        (
            vec![("xds.cluster_name", "InboundPassthroughCluster")],
            false,
        ),
        (vec![], false),
    ] {
        let got = [outside, inside].map(|rule| becomes(rule, SIDECAR, &properties, "a"));
        let expected = if is_external {
            ["strip", "continue"]
        } else {
            ["continue", "strip"]
        };
        assert_eq!(got, expected, "{properties:?}");
    }
}

#[test]
fn the_first_that_matches_counts_and_all_of_it_has_to() {
    let rules = r#"
        {"match": {"proxy": "gateway", "hosts": ["partner.example"], "principals": ["*/sa/partner"]}, "action": "continue"},
        {"match": {"proxy": "gateway", "hosts": ["partner.example"]}, "action": "strip"},
        {"match": {"proxy": "gateway"}, "action": "restart"},
        {"match": {"proxy": "gateway"}, "action": "ignore"}"#;
    let partner: Properties<'_> = &[
        ("connection.mtls", "true"),
        (
            "connection.uri_san_peer_certificate",
            "spiffe://outside/sa/partner",
        ),
    ];
    for (properties, authority, expected) in [
        (partner, "partner.example", "continue"),
        (&[], "partner.example", "strip"),
        (partner, "other.example", "restart"),
    ] {
        assert_eq!(
            becomes(rules, INGRESS, properties, authority),
            expected,
            "{authority}"
        );
    }
    assert_eq!(
        becomes(rules, SIDECAR, partner, "partner.example"),
        "continue"
    );
}

/// What cannot change is not asked for, and what is behind a rule for all is not there.
#[test]
fn a_proxy_that_no_rule_is_for_asks_nothing() {
    let config = r#"{"trust": [
        {"match": {"proxy": "gateway", "labels": {"istio": "ingressgateway"}}, "action": "restart"},
        {"match": {"proxy": "sidecar-inbound", "peer": "unauthenticated"}, "action": "restart"}]}"#;
    for (node, properties, asked) in [
        ("envoy", vec![], 0),
        (WAYPOINT, vec![], 0),
        (INGRESS, vec![], 0),
        (
            INGRESS,
            vec![("xds.node.metadata.LABELS.istio", "ingressgateway")],
            0,
        ),
        // The direction, and of one inbound the peer.
        (SIDECAR, vec![("xds.listener_direction", "outbound")], 1),
        (
            SIDECAR,
            vec![
                ("xds.listener_direction", "inbound"),
                ("connection.mtls", "true"),
            ],
            2,
        ),
        (SIDECAR, vec![("xds.listener_direction", "inbound")], 3),
    ] {
        let outcome = sent(&mut host(node, &properties), config, &[]);
        let got = outcome.calls.get("property").copied().unwrap_or(0);
        assert_eq!(got, asked, "{node} {properties:?}");
    }
    let behind = r#"{"trust": [
        {"match": {"proxy": "gateway"}, "action": "restart"},
        {"match": {"external": true}, "action": "strip"}]}"#;
    let mut host = host(INGRESS, &[]);
    configure(&mut host, behind).expect("a good configuration");
    let (_, line) = host.log.pop().expect("a start-up line");
    assert!(line.contains("trust=1 of 2 rules"), "{line}");
}

/// What goes to an egress gateway has not left.
#[test]
fn a_call_through_an_egress_gateway_is_stripped_there() {
    const EGRESS: &str = "outbound|443||istio-egressgateway.istio-system.svc.cluster.local";
    const EXTERNAL: &str = "xds.cluster_metadata.filter_metadata.istio.external";
    let anywhere = r#"{"match": {"hosts": ["api.openai.com", "legacy*"]}, "action": "strip"}"#;
    let everybody = r#"{"match": {"hosts": ["*"]}, "action": "strip"}"#;
    let here = r#"{"match": {"proxy": "sidecar-outbound", "hosts": ["api.openai.com"]}, "action": "strip"}"#;
    let restart = r#"{"match": {"hosts": ["api.openai.com"]}, "action": "restart"}"#;
    let outbound = ("xds.listener_direction", "outbound");
    let to = |cluster| ("xds.cluster_name", cluster);
    for (rule, node, properties, authority, expected) in [
        (
            anywhere,
            SIDECAR,
            vec![outbound, to(EGRESS)],
            "api.openai.com",
            "continue",
        ),
        (
            here,
            SIDECAR,
            vec![outbound, to(EGRESS)],
            "api.openai.com",
            "strip",
        ),
        (
            restart,
            SIDECAR,
            vec![outbound, to(EGRESS)],
            "api.openai.com",
            "restart",
        ),
        (
            anywhere,
            SIDECAR,
            vec![outbound, to(EGRESS), (EXTERNAL, "true")],
            "api.openai.com",
            "strip",
        ),
        (
            anywhere,
            SIDECAR,
            vec![outbound, to("outbound|80||api.openai.com")],
            "API.openai.com.:80",
            "strip",
        ),
        (
            anywhere,
            SIDECAR,
            vec![outbound, to("PassthroughCluster")],
            "api.openai.com",
            "strip",
        ),
        (
            anywhere,
            SIDECAR,
            vec![outbound, to("some-cluster")],
            "api.openai.com",
            "strip",
        ),
        (anywhere, SIDECAR, vec![outbound], "api.openai.com", "strip"),
        (
            anywhere,
            SIDECAR,
            vec![outbound, to("outbound|80||legacy.shop.svc.cluster.local")],
            "legacy",
            "strip",
        ),
        (
            anywhere,
            SIDECAR,
            vec![outbound, to("outbound|80||legacy.shop.svc.cluster.local")],
            "legacy.shop:80",
            "strip",
        ),
        (
            anywhere,
            SIDECAR,
            vec![outbound, to("outbound|80||legacy2.shop.svc.cluster.local")],
            "legacy",
            "strip",
        ),
        // Whoever is not plainly an egress gateway may be what the rule means, by another name.
        (
            everybody,
            SIDECAR,
            vec![
                outbound,
                to("outbound|80||partner.gateway.svc.cluster.local"),
            ],
            "10.96.0.7",
            "strip",
        ),
        (
            anywhere,
            SIDECAR,
            vec![
                outbound,
                to("outbound|80||regress.egress.svc.cluster.local"),
            ],
            "api.openai.com",
            "strip",
        ),
        (
            anywhere,
            SIDECAR,
            vec![
                outbound,
                to("outbound|80||public-egress-istio.a.svc.cluster.local"),
            ],
            "api.openai.com",
            "continue",
        ),
        (
            everybody,
            SIDECAR,
            vec![outbound, to(EGRESS)],
            "api.openai.com",
            "strip",
        ),
        (
            anywhere,
            INGRESS,
            vec![outbound, to(EGRESS)],
            "api.openai.com",
            "strip",
        ),
        (
            anywhere,
            SIDECAR,
            vec![("xds.listener_direction", "inbound"), to(EGRESS)],
            "api.openai.com",
            "strip",
        ),
    ] {
        let got = becomes(rule, node, &properties, authority);
        assert_eq!(got, expected, "{rule} at {node} {properties:?} {authority}");
    }
}
