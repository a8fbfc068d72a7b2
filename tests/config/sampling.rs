//! `sampling`, and OTEL_TRACES_SAMPLER with its argument.

use crate::{refusal, refused, refused_with, said};

#[test]
fn mistakes_are_named() {
    refused(&[
        (
            r#"{"sampling": {"sampler": "traceidratio", "arg": 10}}"#,
            "sampling.arg: expected a number from 0 to 1, got 10; 10 % is 0.1",
        ),
        (
            r#"{"sampling": {"arg": -0.5}}"#,
            "sampling.arg: expected a number from 0 to 1, got -0.5",
        ),
        (
            r#"{"sampling": {"arg": "0.5"}}"#,
            r#"sampling.arg: expected a number from 0 to 1, got "0.5"; write it without quotes"#,
        ),
        (
            r#"{"sampling": {"arg": "10%"}}"#,
            r#"sampling.arg: expected a number from 0 to 1, got "10%"; 10 % is 0.1"#,
        ),
        (
            r#"{"sampling": {"arg": 1e300}}"#,
            "sampling.arg: expected a number from 0 to 1, got a huge number",
        ),
        (
            r#"{"sampling": {"sampler": "always_on", "arg": 0.5}}"#,
            "sampling.arg: only traceidratio and parentbased_traceidratio take an argument",
        ),
        (
            r#"{"sampling": {"sampler": "parentbased_alwayson"}}"#,
            "did you mean parentbased_always_on?",
        ),
        (
            r#"{"sampling": {"sampler": "xray"}}"#,
            r#"sampling.sampler: expected one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio, got "xray": it asks AWS X-Ray's daemon for its rules while requests run, and the filter asks nobody; write them as sampling.rules and sampling.maxPerSecond"#,
        ),
        (
            r#"{"sampling": {"sampler": "jaeger_remote"}}"#,
            r#"got "jaeger_remote": it asks a Jaeger collector for its ratios while requests run, and the filter asks nobody; write them as sampling.arg and sampling.rules"#,
        ),
        (
            r#"{"sampling": {"sampler": true}}"#,
            "sampling.sampler: expected a string, got true; put it in quotes",
        ),
    ]);
    refused(&[
        (
            r#"{"sampling": {"maxPerSecond": 0}}"#,
            "sampling.maxPerSecond: expected an integer from 1 to 1000000, got 0",
        ),
        (
            r#"{"sampling": {"forceHeader": "x trace"}}"#,
            "sampling.forceHeader: expected a header name",
        ),
        (
            r#"{"sampling": {"forceHeader": ":path"}}"#,
            "sampling.forceHeader: expected a header name",
        ),
        (
            r#"{"sampling": {"forceHeader": "Cookie"}}"#,
            "sampling.forceHeader: cookie has a meaning already; choose a name of your own, as x-trace-force",
        ),
        (
            r#"{"sampling": {"rules": {}}}"#,
            "sampling.rules: expected a list",
        ),
        (
            r#"{"sampling": {"rules": [{"ratio": 1}]}}"#,
            "sampling.rules[0].match: ",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {}, "ratio": 1}]}}"#,
            "sampling.rules[0].match: expected at least one of paths, methods, hosts, userAgents, headers",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}}]}}"#,
            "sampling.rules[0].ratio: ",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 5}]}}"#,
            "sampling.rules[0].ratio: expected a number from 0 to 1, got 5; 5 % is 0.05",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": "/"}, "ratio": 1}]}}"#,
            r#"sampling.rules[0].match.paths: expected a list, got "/"; write ["/"]"#,
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"path": ["/"]}, "ratio": 1}]}}"#,
            "sampling.rules[0].match.path: unknown field, did you mean paths?",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"hosts": []}, "ratio": 1}]}}"#,
            "sampling.rules[0].match.hosts: expected 1 to 64 patterns, got 0",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"headers": {"a b": ["c"]}}, "ratio": 1}]}}"#,
            "expected a header name",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tag": {}}]}}"#,
            "sampling.rules[0].tag: unknown field, did you mean tags?",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tags": ["a"]}]}}"#,
            "sampling.rules[0].tags: expected an object, got a list",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tags": {"a": {"literal": {"value": "b"}}}}]}}"#,
            "sampling.rules[0].tags.a: expected a string, got an object",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tags": {"a": true}}]}}"#,
            "sampling.rules[0].tags.a: expected a string, got true; put it in quotes",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tags": {"a": "b\n"}}]}}"#,
            "sampling.rules[0].tags.a: control characters are not allowed",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tags": {"a b": "c"}}]}}"#,
            r#"sampling.rules[0].tags["a b"]: " " is not allowed in a tag's name"#,
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tags": {"host": "c"}}]}, "tags": {"to": ["header:{tag}"]}}"#,
            "sampling.rules[0].tags.host: the request header host is not for tags",
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tags": {"a.b": "c"}}]}, "customTags": {"a_b": {"literal": {"value": "x"}}}}"#,
            r#"sampling.rules[0].tags["a.b"]: would overwrite a_b in the filter state throughline.tag.a_b; rename one"#,
        ),
        (
            r#"{"sampling": {"rules": [{"match": {"paths": ["/"]}, "ratio": 1, "tags": {"http.method": "c"}}]}, "export": {"cluster": "c"}}"#,
            r#"sampling.rules[0].tags["http.method"]: every span has an attribute of that name already"#,
        ),
    ]);
    refused_with(&[
        (
            "{}",
            &[
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "10"),
            ],
            "OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, got \"10\"",
        ),
        (
            "{}",
            &[("OTEL_TRACES_SAMPLER", "jaeger_remote")],
            r#"got "jaeger_remote": it asks a Jaeger collector"#,
        ),
        (
            "{}",
            &[("OTEL_TRACES_SAMPLER", "parentbased_jaeger_remote")],
            r#"got "parentbased_jaeger_remote": it asks a Jaeger collector"#,
        ),
        (
            "{}",
            &[("OTEL_TRACES_SAMPLER", "xray")],
            "OTEL_TRACES_SAMPLER: expected one of always_on, always_off, traceidratio,",
        ),
        (
            r#"{"sampling": {"arg": 0.1}}"#,
            &[("OTEL_TRACES_SAMPLER", "always_on")],
            "sampling.arg: only traceidratio and parentbased_traceidratio take an argument, and OTEL_TRACES_SAMPLER is neither",
        ),
    ]);
}

#[test]
fn what_is_taken_says_what_it_means() {
    said(&[
        (
            r#"{"sampling": {"arg": 0.25}}"#,
            &[],
            "sampler=parentbased_traceidratio(0.25)",
            "an argument alone can mean nothing else",
        ),
        (
            r#"{"sampling": {"sampler": "traceidratio"}}"#,
            &[],
            "sampler=traceidratio(1)",
            "OpenTelemetry's default",
        ),
        (
            r#"{"sampling": {"arg": 1}}"#,
            &[],
            "(1)",
            "Istio writes 1.0 as 1",
        ),
        (
            r#"{"sampling": {"arg": 1e-05}}"#,
            &[],
            "(0.00001)",
            "and small numbers with an exponent",
        ),
        (
            r#"{"sampling": {"arg": 0.1, "maxPerSecond": 50, "forceHeader": "x-force", "rules": [{"match": {"paths": ["/a"]}, "ratio": 0}]}}"#,
            &[],
            "sampler=parentbased_traceidratio(0.1) maxPerSecond=50 rules=1 forceHeader=x-force extract=",
            "what else decides",
        ),
        (
            "{}",
            &[
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
            ],
            "sampler=parentbased_traceidratio(0.1)",
            "the sampler and its argument",
        ),
        (
            "{}",
            &[
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", ".5"),
            ],
            "traceidratio(0.5)",
            "the short form",
        ),
        (
            "{}",
            &[
                ("OTEL_TRACES_SAMPLER", "always_on"),
                ("OTEL_TRACES_SAMPLER_ARG", "x"),
            ],
            "sampler=always_on ",
            "an argument that nobody reads",
        ),
        (
            r#"{"sampling": {"sampler": "traceidratio"}}"#,
            &[("OTEL_TRACES_SAMPLER_ARG", "0.5")],
            "sampler=traceidratio(0.5)",
            "the argument alone from the environment",
        ),
    ]);
}

#[test]
fn no_hint_leads_to_another_error() {
    for (arg, expected) in [
        ("150", "got 150"),
        ("true", "got true"),
        (r#""5""#, r#"got "5""#),
        (r#""""#, r#"got """#),
        (r#""e5""#, r#"got "e5""#),
    ] {
        let got = refusal(&format!(r#"{{"sampling": {{"arg": {arg}}}}}"#), &[]);
        assert!(got.ends_with(expected), "{got}");
    }
    let junk = [
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "e5"),
    ];
    assert_eq!(
        refusal("{}", &junk),
        r#"OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, got "e5""#
    );
}
