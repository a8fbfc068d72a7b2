//! `tags` of a rule: given where the rule decides, and left alone elsewhere.

use crate::filter;
use crate::support::{FakeHost, run};

const CONFIG: &str = r#"{
    "sampling": {"sampler": "always_off", "forceHeader": "x-force", "rules": [
        {"match": {"paths": ["/quiet/*"]}, "ratio": 0, "tags": {"journey": "quiet"}},
        {"match": {"paths": ["/checkout/*"]}, "ratio": 1, "tags": {"journey": "checkout", "team": "shop"}},
        {"match": {"paths": ["/plain"]}, "ratio": 1}
    ]},
    "customTags": {"team": {"header": {"name": "x-team", "defaultValue": "nobody"}}},
    "tags": {"to": ["accessLog", "header:x-tag-{tag}", "baggage"]}
}"#;

#[test]
fn the_rule_that_decides_tags_its_requests() {
    let traceparent = "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01";
    let forged = [("x-tag-journey", "forged"), ("baggage", "journey=forged")];
    let before = ("traceparent", traceparent);
    for (why, config, headers, journey, team) in [
        (
            "its tags",
            CONFIG,
            vec![(":path", "/checkout/1")],
            Some("checkout"),
            "shop",
        ),
        (
            "one that samples nothing decides, too",
            CONFIG,
            vec![(":path", "/quiet/1")],
            Some("quiet"),
            "nobody",
        ),
        (
            "a rule without tags",
            CONFIG,
            vec![(":path", "/plain")],
            None,
            "nobody",
        ),
        (
            "the sampler decides",
            CONFIG,
            vec![(":path", "/")],
            None,
            "nobody",
        ),
        (
            "no client says it",
            CONFIG,
            [&[(":path", "/")], &forged[..]].concat(),
            None,
            "nobody",
        ),
        (
            "nor another value",
            CONFIG,
            [&[(":path", "/checkout/1")], &forged[..]].concat(),
            Some("checkout"),
            "shop",
        ),
        (
            "the rule wins over a custom tag",
            CONFIG,
            vec![(":path", "/checkout/1"), ("x-team", "theirs")],
            Some("checkout"),
            "shop",
        ),
        (
            "elsewhere the custom tag holds",
            CONFIG,
            vec![(":path", "/plain"), ("x-team", "theirs")],
            None,
            "theirs",
        ),
    ] {
        let got = tags(config, &headers);
        assert_eq!(got, (journey.map(str::to_owned), team.to_owned()), "{why}");
    }
    // A decision that came in is no rule's: what the hop before tagged goes on.
    let parent_based = CONFIG.replace("\"always_off\"", "\"parentbased_always_off\"");
    for (why, headers, journey) in [
        (
            "nothing to go on",
            vec![before, (":path", "/checkout/1")],
            None,
        ),
        (
            "what came stays",
            vec![
                before,
                (":path", "/plain"),
                ("x-tag-journey", "checkout"),
                ("baggage", "journey=checkout"),
            ],
            Some("checkout"),
        ),
    ] {
        let (got, team) = tags(&parent_based, &headers);
        assert_eq!(got.as_deref(), journey, "{why}");
        assert_eq!(team, "nobody", "{why}");
    }
}

/// Tags are for the mesh: where the trace is stripped off, none leaves, nor what came in under its name.
#[test]
fn where_the_trace_is_stripped_off_no_rules_tag_leaves() {
    let config = CONFIG
        .replace("\"always_off\"", "\"parentbased_always_off\"")
        .replacen(
            '{',
            r#"{"trust": [{"match": {"hosts": ["*"]}, "action": "strip"}], "#,
            1,
        );
    let traceparent = "00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01";
    for came in [vec![("traceparent", traceparent.as_bytes())], Vec::new()] {
        let mut host = FakeHost::default();
        let filter = filter(&mut host, &config);
        let mut request: Vec<(&str, &[u8])> = vec![
            (":authority", b"api.example"),
            (":path", b"/checkout/1"),
            ("x-tag-journey", b"theirs"),
            ("baggage", b"journey=theirs"),
        ];
        request.extend(came);
        host.set_request(&request);
        let outcome = run(&filter, &mut host);
        for name in ["x-tag-journey", "x-tag-team", "baggage", "traceparent"] {
            assert_eq!(outcome.one(name), None, "{name}");
        }
    }
}

/// What leaves as `journey` in header and baggage, which agree, and `team`; the access log has them where the filter gave
/// them.
fn tags(config: &str, headers: &[(&str, &str)]) -> (Option<String>, String) {
    let mut host = FakeHost::default();
    let filter = filter(&mut host, config);
    let headers: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    host.set_request(&headers);
    let outcome = run(&filter, &mut host);
    let journey = outcome.one("x-tag-journey").map(str::to_owned);
    let member = journey.as_ref().map(|journey| format!("journey={journey}"));
    let baggage = outcome.one("baggage").unwrap_or_default();
    let in_baggage = baggage
        .split(',')
        .find(|member| member.starts_with("journey="));
    assert_eq!(in_baggage, member.as_deref(), "{baggage}");
    let logged = outcome.filter_state.get("throughline.tag.journey");
    if let Some(logged) = logged {
        assert_eq!(
            Some(String::from_utf8_lossy(logged).as_ref()),
            journey.as_deref()
        );
    }
    let team = outcome.one("x-tag-team").expect("always there").to_owned();
    (journey, team)
}
