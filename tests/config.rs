//! pluginConfig and the OTEL_* variables: what is taken, and what is refused with which words.

mod support;

use support::{FakeHost, configure, configure_with};

/// The error that `config` gives.
fn error(config: &str) -> String {
    let mut host = FakeHost::default();
    configure(&mut host, config)
        .err()
        .unwrap_or_else(|| panic!("taken: {config}"))
}

/// The start-up line that `config` and these variables give.
fn start_line(config: &str, environment: &[(&str, &str)]) -> String {
    let mut host = FakeHost::default();
    let get = |name: &str| {
        let (_, value) = environment.iter().find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    };
    if let Err(error) = configure_with(&mut host, config, &get) {
        return error;
    }
    host.log.pop().expect("a start-up line").1
}

#[test]
fn every_mistake_is_named_with_its_path_and_a_hint() {
    for (config, expected) in [
        // Structure.
        (
            r#"{"samplng": {}}"#,
            "samplng: unknown field, did you mean sampling?",
        ),
        (
            r#"{"xyz": 1}"#,
            "xyz: unknown field; known here: propagation, sampling, service",
        ),
        ("[]", "expected an object with propagation, sampling"),
        (
            "{",
            "the configuration is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            "{} {}",
            "the configuration is not JSON: trailing characters at line 1 column 4",
        ),
        (
            r#"{"log": {}, "log": {}}"#,
            "the configuration is not JSON: the field log is given twice",
        ),
        ("\u{a}\u{1}{", "write it as a google.protobuf.StringValue"),
        // Fields that config.md names and no release has brought yet.
        (r#"{"enabled": false}"#, "enabled: unknown field"),
        (r#"{"overrides": []}"#, "overrides: unknown field"),
        (r#"{"trust": []}"#, "trust: unknown field; known here"),
        (r#"{"nativeTracer": "own"}"#, "nativeTracer: unknown field"),
        (r#"{"join": {}}"#, "join: unknown field"),
        (r#"{"response": {}}"#, "response: unknown field"),
        (
            r#"{"propagation": {"randomFlag": "drop"}}"#,
            "propagation.randomFlag: unknown field",
        ),
        (
            r#"{"propagation": {"baggage": "drop"}}"#,
            "propagation.baggage: unknown field",
        ),
        (
            r#"{"sampling": {"rules": []}}"#,
            "sampling.rules: unknown field",
        ),
        (
            r#"{"sampling": {"maxPerSecond": 50}}"#,
            "sampling.maxPerSecond: unknown field",
        ),
        (
            r#"{"sampling": {"forceHeader": "x"}}"#,
            "sampling.forceHeader: unknown field",
        ),
        // propagation
        (
            r#"{"propagation": []}"#,
            "propagation: expected an object with extract, inject, staleHeaders, got a list",
        ),
        (
            r#"{"propagation": {"extract": "b3"}}"#,
            r#"propagation.extract: expected a list, got "b3"; write ["b3"]"#,
        ),
        (
            r#"{"propagation": {"extract": []}}"#,
            "propagation.extract: expected at least one of tracecontext, b3, b3multi",
        ),
        (
            r#"{"propagation": {"inject": ["b3", "w3c"]}}"#,
            r#"propagation.inject[1]: expected one of tracecontext, b3, b3multi, got "w3c""#,
        ),
        (
            r#"{"propagation": {"inject": ["b3-multi"]}}"#,
            "did you mean b3multi?",
        ),
        (
            r#"{"propagation": {"inject": ["TraceContext"]}}"#,
            "did you mean tracecontext?",
        ),
        (
            r#"{"propagation": {"inject": ["jaeger"]}}"#,
            r#"propagation.inject[0]: expected one of tracecontext, b3, b3multi, got "jaeger""#,
        ),
        (
            r#"{"propagation": {"extract": ["b3", "b3"]}}"#,
            "propagation.extract[1]: b3 is there twice",
        ),
        (
            r#"{"propagation": {"extract": [1]}}"#,
            "propagation.extract[0]: expected a string, got 1; put it in quotes",
        ),
        (
            r#"{"propagation": {"staleHeaders": "keep"}}"#,
            r#"propagation.staleHeaders: expected one of rewrite, remove, got "keep""#,
        ),
        (
            r#"{"propagation": {"extracts": ["b3"]}}"#,
            "propagation.extracts: unknown field, did you mean extract?",
        ),
        // sampling
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
            r#"{"tags": {"to": ["header:sw8"]}}"#,
            "tags.to[0]: sw8 is not for tags",
        ),
        (
            r#"{"tags": {"to": ["accesslog"]}}"#,
            "did you mean accessLog?",
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
            "sampling.sampler: expected one of always_on",
        ),
        (
            r#"{"sampling": {"sampler": true}}"#,
            "sampling.sampler: expected a string, got true; put it in quotes",
        ),
        // service
        (
            r#"{"service": {"naming": "APP_LABEL_AND_NAMESPACE"}}"#,
            "did you mean appLabelAndNamespace?",
        ),
        (
            r#"{"service": {"name": 7}}"#,
            "service.name: expected a string, got 7; put it in quotes",
        ),
        (
            r#"{"service": {"name": "a\nb"}}"#,
            "service.name: control characters are not allowed",
        ),
        // log
        (
            r#"{"log": {"level": "warning"}}"#,
            r#"log.level: expected one of off, error, warn, info, debug, trace, got "warning""#,
        ),
        (
            r#"{"log": "debug"}"#,
            r#"log: expected an object with level, got "debug""#,
        ),
        // customTags
        (
            r#"{"customTags": []}"#,
            "customTags: expected an object, got a list",
        ),
        (
            r#"{"customTags": {"a": {}}}"#,
            "customTags.a: expected exactly one of literal, environment, header, node, attribute",
        ),
        (
            r#"{"customTags": {"a": {"literal": {"value": "x"}, "node": {"path": "NAME"}}}}"#,
            "customTags.a: expected exactly one of",
        ),
        (
            r#"{"customTags": {"service.name": {"litral": {"value": "x"}}}}"#,
            r#"customTags["service.name"].litral: unknown field, did you mean literal?"#,
        ),
        (
            r#"{"customTags": {"a": {"literal": {}}}}"#,
            "customTags.a.literal.value: is required",
        ),
        (
            r#"{"customTags": {"a": {"literal": {"value": 1}}}}"#,
            "customTags.a.literal.value: expected a string, got 1; put it in quotes",
        ),
        (
            r#"{"customTags": {"a": {"literal": {"value": "x\ny"}}}}"#,
            "customTags.a.literal.value: control characters are not allowed",
        ),
        (
            r#"{"customTags": {"a": {"environment": {"name": ""}}}}"#,
            "customTags.a.environment.name: must not be empty",
        ),
        (
            r#"{"customTags": {"a": {"header": {"name": "x tenant"}}}}"#,
            r#"customTags.a.header.name: expected a header name, got "x tenant""#,
        ),
        (
            r#"{"customTags": {"a": {"header": {"name": ":path"}}}}"#,
            "customTags.a.header.name: expected a header name",
        ),
        (
            r#"{"customTags": {"a": {"node": {"path": "A..B"}}}}"#,
            "customTags.a.node.path: expected a path below the node's metadata",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "xds"}}}}"#,
            "customTags.a.attribute.path: xds is not one value; name a field below it",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "request"}}}}"#,
            "request is not one value",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "xds.node"}}}}"#,
            "xds.node is not one value",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": ""}}}}"#,
            "customTags.a.attribute.path: expected an attribute",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "response.code"}}}}"#,
            "response.code is known only after the request was sent",
        ),
        (
            r#"{"customTags": {"a": {"attribute": {"path": "source.port", "type": "string"}}}}"#,
            r#"customTags.a.attribute.type: expected int, got "string""#,
        ),
        (
            r#"{"customTags": {"a b": {"literal": {"value": "x"}}}}"#,
            r#"" " is not allowed in a tag's name"#,
        ),
        (
            r#"{"customTags": {"": {"literal": {"value": "x"}}}}"#,
            "a tag's name has 1 to 128 characters",
        ),
        (
            r#"{"customTags": {"a.b": {"literal": {"value": "x"}}, "a_b": {"literal": {"value": "y"}}}}"#,
            "would overwrite a.b in the filter state throughline.tag.a_b; rename one",
        ),
        (
            r#"{"customTags": {}, "custom_tags": {}}"#,
            "custom_tags: the same as customTags, which is given too; keep one",
        ),
        (
            r#"{"customTags": {"a": {"header": {"name": "x", "defaultValue": "1", "default_value": "2"}}}}"#,
            "the same as defaultValue",
        ),
        // tags
        (
            r#"{"tags": {"to": "accessLog"}}"#,
            r#"tags.to: expected a list, got "accessLog""#,
        ),
        (
            r#"{"tags": {"to": ["filterState"]}}"#,
            r#"tags.to[0]: expected one of span, accessLog, nativeSpan, baggage, header:<name>, got "filterState""#,
        ),
        (
            r#"{"tags": {"to": ["header:"]}}"#,
            "tags.to[0]: expected a header name",
        ),
        (
            r#"{"tags": {"to": ["header:traceparent"]}}"#,
            "tags.to[0]: traceparent is not for tags",
        ),
        (
            r#"{"tags": {"to": ["header:X-B3-TraceId"]}}"#,
            "tags.to[0]: x-b3-traceid is not for tags",
        ),
        (
            r#"{"tags": {"to": ["accessLog", "header:X-a", "header:x-A"]}}"#,
            "tags.to[2]: header:x-A is there twice",
        ),
        (
            r#"{"tags": {"to": ["header:a", "header:b", "header:c", "header:d", "header:e", "header:f", "header:g", "header:h", "header:i"]}}"#,
            "tags.to: expected at most 8 sinks, got 9",
        ),
        (
            r#"{"customTags": {"traceparent": {"literal": {"value": "x"}}}, "tags": {"to": ["header:{tag}"]}}"#,
            "customTags.traceparent: the request header traceparent is not for tags; rename the tag",
        ),
        (
            r#"{"customTags": {"x.b3.traceid": {"literal": {"value": "x"}}}, "tags": {"to": ["header:{tag}"]}}"#,
            "the request header x-b3-traceid is not for tags",
        ),
        (
            r#"{"customTags": {"Content-Length": {"literal": {"value": "x"}}}, "tags": {"to": ["header:{tag}"]}}"#,
            "the request header content-length is not for tags",
        ),
        (
            r#"{"customTags": {"a.b": {"literal": {"value": "x"}}, "a-b": {"literal": {"value": "y"}}}, "tags": {"to": ["header:x-{tag}"]}}"#,
            "would overwrite a.b in the request header x-a-b; rename one",
        ),
        (
            r#"{"tags": {"to": ["header:expect"]}}"#,
            "tags.to[0]: expect is not for tags",
        ),
        (
            r#"{"tags": {"to": ["header:host"]}}"#,
            "tags.to[0]: host is not for tags",
        ),
        (
            r#"{"customTags": {"a": {"literal": {"value": "x"}}, "b": {"literal": {"value": "y"}}}, "tags": {"to": ["header:x-tag"]}}"#,
            "tags.to[0]: one header cannot carry several tags; write header:x-tag-{tag} for a header each",
        ),
        (
            r#"{"customTags": {"a/b": {"literal": {"value": "x"}}}, "tags": {"to": ["baggage"]}}"#,
            r#"customTags["a/b"]: the name is no baggage key"#,
        ),
    ] {
        let got = error(config);
        assert!(
            got.contains(expected),
            "{config}\n  got: {got}\n  expected: {expected}"
        );
    }
}

#[test]
fn tags_are_bounded_in_number_and_size() {
    let tags = |count: usize| {
        let tags: Vec<String> = (0..count)
            .map(|n| format!(r#""t{n}": {{"literal": {{"value": "x"}}}}"#))
            .collect();
        format!(r#"{{"customTags": {{{}}}}}"#, tags.join(","))
    };
    assert!(configure(&mut FakeHost::default(), &tags(32)).is_ok());
    assert!(error(&tags(33)).contains("customTags: expected at most 32 tags, got 33"));
    let long = |length| {
        format!(
            r#"{{"customTags": {{"a": {{"literal": {{"value": "{}"}}}}}}}}"#,
            "x".repeat(length)
        )
    };
    assert!(configure(&mut FakeHost::default(), &long(256)).is_ok());
    assert!(
        error(&long(257))
            .contains("customTags.a.literal.value: expected at most 256 bytes, got 257")
    );
}

#[test]
fn what_is_taken_says_what_it_means() {
    const W3C_AND_B3: &str = "extract=tracecontext,b3,b3multi inject=tracecontext,b3multi staleHeaders=rewrite log=warn tags=none";
    for (config, environment, expected, why) in [
        (
            "{}",
            vec![],
            format!("sampler=parentbased_always_on {W3C_AND_B3}"),
            "the defaults",
        ),
        ("", vec![], W3C_AND_B3.to_owned(), "no configuration at all"),
        ("null", vec![], W3C_AND_B3.to_owned(), "null means absent"),
        (
            r#"{"propagation": null, "log": {"level": null}}"#,
            vec![],
            W3C_AND_B3.to_owned(),
            "also inside",
        ),
        (
            "\n {}\n",
            vec![],
            W3C_AND_B3.to_owned(),
            "a text may begin with a line break, as a Struct's bytes do",
        ),
        (
            r#"{"sampling": {"arg": 0.25}}"#,
            vec![],
            "sampler=parentbased_traceidratio(0.25)".into(),
            "an argument alone can mean nothing else",
        ),
        (
            r#"{"sampling": {"sampler": "traceidratio"}}"#,
            vec![],
            "sampler=traceidratio(1)".into(),
            "OpenTelemetry's default",
        ),
        (
            r#"{"sampling": {"arg": 1}}"#,
            vec![],
            "(1)".into(),
            "Istio writes 1.0 as 1",
        ),
        (
            r#"{"sampling": {"arg": 1e-05}}"#,
            vec![],
            "(0.00001)".into(),
            "and small numbers with an exponent",
        ),
        (
            r#"{"propagation": {"extract": ["b3", "tracecontext"], "inject": ["b3"], "staleHeaders": "remove"}}"#,
            vec![],
            "extract=b3,b3multi,tracecontext inject=b3 staleHeaders=remove".into(),
            "b3 reads both spellings",
        ),
        (
            r#"{"service": {"name": "cart"}}"#,
            vec![("OTEL_SERVICE_NAME", "env")],
            "service.name=cart ".into(),
            "pluginConfig before the environment",
        ),
        (
            r#"{"service": {"name": ""}}"#,
            vec![("OTEL_SERVICE_NAME", "env")],
            "service.name=env ".into(),
            "an empty name is no name",
        ),
        (
            "{}",
            vec![("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=my%20cart")],
            "service.name=my cart ".into(),
            "the resource's name",
        ),
        (
            "{}",
            vec![
                ("OTEL_SERVICE_NAME", "x"),
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=y"),
            ],
            "service.name=x ".into(),
            "OTEL_SERVICE_NAME comes first",
        ),
        (
            "{}",
            vec![("OTEL_PROPAGATORS", "b3, baggage,b3")],
            "extract=b3,b3multi inject=b3 ".into(),
            "each once",
        ),
        (
            r#"{"propagation": {"inject": ["b3multi"]}}"#,
            vec![("OTEL_PROPAGATORS", "tracecontext")],
            "extract=tracecontext inject=b3multi ".into(),
            "the environment fills what is left out",
        ),
        (
            "{}",
            vec![("OTEL_PROPAGATORS", "jaeger")],
            "OTEL_PROPAGATORS: expected one of tracecontext, b3, b3multi, got \"jaeger\"".into(),
            "a format of a later release",
        ),
        (
            "{}",
            vec![("OTEL_PROPAGATORS", "none")],
            "OTEL_PROPAGATORS: expected one of".into(),
            "switching propagation off is not this filter's work",
        ),
        (
            "{}",
            vec![("OTEL_PROPAGATORS", "")],
            W3C_AND_B3.to_owned(),
            "empty is unset",
        ),
        (
            "{}",
            vec![
                ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
            ],
            "sampler=parentbased_traceidratio(0.1)".into(),
            "the sampler and its argument",
        ),
        (
            "{}",
            vec![
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", ".5"),
            ],
            "traceidratio(0.5)".into(),
            "the short form",
        ),
        (
            "{}",
            vec![
                ("OTEL_TRACES_SAMPLER", "traceidratio"),
                ("OTEL_TRACES_SAMPLER_ARG", "10"),
            ],
            "OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, got \"10\"".into(),
            "refused, not clamped",
        ),
        (
            "{}",
            vec![("OTEL_TRACES_SAMPLER", "jaeger_remote")],
            "OTEL_TRACES_SAMPLER: expected one of".into(),
            "no sampler of a proxy",
        ),
        (
            "{}",
            vec![
                ("OTEL_TRACES_SAMPLER", "always_on"),
                ("OTEL_TRACES_SAMPLER_ARG", "x"),
            ],
            "sampler=always_on ".into(),
            "an argument that nobody reads",
        ),
        (
            r#"{"sampling": {"sampler": "traceidratio"}}"#,
            vec![("OTEL_TRACES_SAMPLER_ARG", "0.5")],
            "sampler=traceidratio(0.5)".into(),
            "the argument alone from the environment",
        ),
        (
            r#"{"propagation": {"extract": ["b3"], "inject": ["b3"]}}"#,
            vec![("OTEL_PROPAGATORS", "jaeger")],
            "extract=b3,b3multi inject=b3 ".into(),
            "a variable that nobody reads",
        ),
        (
            r#"{"sampling": {"arg": 0.1}}"#,
            vec![("OTEL_TRACES_SAMPLER", "always_on")],
            "sampling.arg: only traceidratio and parentbased_traceidratio take an argument, and OTEL_TRACES_SAMPLER is neither".into(),
            "the variable is named",
        ),
        (
            "{}",
            vec![("OTEL_RESOURCE_ATTRIBUTES", "service.name=cart,")],
            "service.name=cart ".into(),
            "a comma at the end",
        ),
        (
            r#"{"custom_tags": {"service.name": {"literal": {"value": "istio-service"}}}}"#,
            vec![],
            "tags=service.name to=filterState".into(),
            "MeshConfig's spelling",
        ),
    ] {
        let got = start_line(config, &environment);
        assert!(
            got.contains(&expected),
            "{why}\n  {config} {environment:?}\n  got: {got}\n  expected: {expected}"
        );
    }
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
        let got = error(&format!(r#"{{"sampling": {{"arg": {arg}}}}}"#));
        assert!(got.ends_with(expected), "{got}");
    }
    let junk = [
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "e5"),
    ];
    assert!(start_line("{}", &junk).contains("OTEL_TRACES_SAMPLER_ARG: expected a number"));
}

#[test]
fn a_text_that_is_no_configuration_takes_no_time() {
    let long = format!(r#"{{"log": "{}"}}"#, "x".repeat(64 * 1024));
    assert!(error(&long).contains("the configuration has 65547 bytes; at most 65536 are taken"));
}

#[test]
fn a_bad_configuration_is_inert_and_says_so_in_a_gauge() {
    let mut host = FakeHost::default();
    assert!(configure(&mut host, "{").is_err());
    assert_eq!(host.metrics()["throughline.config_rejected"], 1);
    assert!(configure(&mut host, "{}").is_ok());
    assert_eq!(host.metrics()["throughline.config_rejected"], 0);
    let info = format!("throughline.info{{version={}}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(host.metrics()[&info], 1);
}

#[test]
fn each_configuration_is_announced_once_in_a_process() {
    const OTHER: &str = r#"{"sampling": {"arg": 0.5}}"#;
    const TAG: &str = r#"{"customTags": {"a": {"literal": {"value": "1"}}}}"#;
    const OTHER_TAG: &str = r#"{"customTags": {"a": {"literal": {"value": "2"}}}}"#;
    const SILENT: &str = r#"{"log": {"level": "off"}}"#;
    // One store for the process, as many VMs as there are workers.
    let mut host = FakeHost::default();
    let mut said = |second: u64, plugin: &str, config: &str| {
        host.now = (1_700_000_000 + second) * 1_000_000_000;
        host.properties
            .insert("plugin_name".into(), plugin.as_bytes().to_vec());
        host.log.clear();
        let _ = configure(&mut host, config);
        host.log.len()
    };
    for (second, plugin, config, expected, why) in [
        (0, "one", "{}", 1, "the first worker speaks"),
        (0, "one", "{}", 0, "the others do not"),
        (1, "two", "{}", 1, "another plugin does"),
        (2, "one", OTHER, 1, "a new configuration is news"),
        (
            2,
            "one",
            "{}",
            0,
            "two listeners of one plugin do not take turns",
        ),
        (3, "one", OTHER, 0, "in either of them"),
        (20, "one", "{}", 1, "going back is news"),
        (21, "one", TAG, 1, "so is a tag"),
        (21, "one", OTHER_TAG, 1, "and its value"),
        (30, "one", "{", 1, "an error is said once too"),
        (31, "one", "{", 0, "by one worker"),
        (40, "one", SILENT, 0, "below its level nothing is said"),
        (60, "one", "{", 1, "and the same error is news again"),
    ] {
        assert_eq!(said(second, plugin, config), expected, "{why}");
    }
    for plugin in 0..200 {
        assert_eq!(
            said(100, &format!("p{plugin}"), "{}"),
            1,
            "more plugins than are remembered"
        );
    }
}

#[test]
fn the_gauge_counts_the_plugins_whose_configuration_was_refused() {
    let mut host = FakeHost::default();
    let mut rejected = |plugin: &str, config: &str| {
        host.properties
            .insert("plugin_name".into(), plugin.as_bytes().to_vec());
        let _ = configure(&mut host, config);
        host.metrics()["throughline.config_rejected"]
    };
    assert_eq!(rejected("one", "{"), 1);
    assert_eq!(rejected("one", "{"), 1, "every worker says it");
    assert_eq!(
        rejected("two", "{}"),
        1,
        "a good one beside it hides nothing"
    );
    assert_eq!(rejected("two", "["), 2);
    assert_eq!(rejected("one", "{}"), 1);
    assert_eq!(rejected("two", "{}"), 0);
}

#[test]
fn no_start_up_line_below_its_level() {
    let mut host = FakeHost::default();
    assert!(configure(&mut host, r#"{"log": {"level": "error"}}"#).is_ok());
    assert_eq!(host.log, [], "not even a start-up line");
}
