//! `throughline explain`: the same as the filter does in an Envoy, and why.

use crate::program::{Run, root, throughline, throughline_reading};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

/// What `--format json` says of a request under that configuration.
fn explained(config: &Value, arguments: &[&str]) -> Result<Value> {
    let arguments = [&["explain", "--format", "json", "-"], arguments].concat();
    let run = throughline_reading(&arguments, config.to_string().as_bytes())?;
    ensure!(run.code == 0, "{run:?}");
    Ok(serde_json::from_str(&run.out)?)
}

fn header<'a>(story: &'a Value, name: &str) -> Result<&'a Value> {
    let headers = story["headers"].as_array().context("headers")?;
    let mut named = headers.iter().filter(|header| header["name"] == name);
    named
        .next()
        .with_context(|| format!("no {name} in {story:#}"))
}

#[test]
fn what_came_in_is_told_format_by_format() -> Result<()> {
    let b3 = format!("b3: {TRACE}-{SPAN}-1");
    let config = json!({"propagation": {"extract": ["tracecontext", "b3"]}});
    let story = explained(
        &config,
        &[
            "-H",
            &b3,
            "-H",
            "traceparent: 00-zz",
            "-H",
            "uber-trace-id: 1:2:0:1",
        ],
    )?;
    let told: Vec<Value> = story["extract"]
        .as_array()
        .context("a list")?
        .iter()
        .map(|one| {
            json!([
                one["format"],
                one["precedence"],
                one["result"],
                one["reason"],
                one["continued"]
            ])
        })
        .collect();
    ensure!(
        json!(told)
            == json!([
                ["tracecontext", 1, "rejected", "length", false],
                ["b3", 2, "read", null, true],
                ["b3multi", 3, "absent", null, false],
                ["jaeger", null, "read", null, false],
            ]),
        "{story:#}"
    );
    let decision = &story["decision"];
    ensure!(
        decision["origin"] == "b3"
            && decision["traceId"] == json!({"value": TRACE, "generated": false})
            && decision["spanId"] == json!({"value": SPAN, "generated": false})
            && decision["by"] == "caller",
        "{story:#}"
    );
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    ensure!(
        *header(&story, "traceparent")?
            == json!({"name": "traceparent", "action": "changed", "from": ["00-zz"], "to": [traceparent], "why": "inject has tracecontext"}),
        "{story:#}"
    );
    ensure!(header(&story, "b3")?["action"] == "left", "{story:#}");
    ensure!(
        header(&story, "uber-trace-id")?["why"] == "jaeger came in: staleHeaders is rewrite",
        "{story:#}"
    );
    ensure!(
        story["metrics"][r#"throughline_rejected_headers{format="tracecontext",reason="length"}"#]
            == 1,
        "{story:#}"
    );
    Ok(())
}

#[test]
fn who_decided_is_told() -> Result<()> {
    let config = json!({
        "sampling": {
            "arg": 0.5,
            "rules": [
                {"match": {"paths": ["/healthz"]}, "ratio": 0},
                {"match": {"methods": ["POST"], "hosts": ["shop.example"]}, "ratio": 1},
            ],
            "forceHeader": "x-force",
        },
    });
    let denied = format!("b3: {TRACE}-{SPAN}-0");
    let accepted = format!("b3: {TRACE}-{SPAN}-1");
    let deferred = format!("b3: {TRACE}-{SPAN}");
    let rows: [(&[&str], Value); 9] = [
        (&["--url", "http://a/healthz"], json!([false, "rule", 0])),
        (
            &["--url", "http://shop.example:80/x", "-X", "POST"],
            json!([true, "rule", 1]),
        ),
        (
            &["--url", "http://a/healthz", "-H", &accepted],
            json!([true, "caller", null]),
        ),
        (
            &["--url", "http://a/healthz", "-H", &deferred],
            json!([false, "rule", 0]),
        ),
        (&["-H", &denied], json!([false, "caller", null])),
        (
            &["-H", "x-b3-flags: 1", "-H", &denied],
            json!([false, "caller", null]),
        ),
        (&["-H", "x-b3-flags: 1"], json!([true, "debug", null])),
        (
            &["-H", "x-force: 1", "-H", &denied, "--peer", "td/ns/a/sa/b"],
            json!([true, "forceHeader", null]),
        ),
        // Nobody vouches for this peer.
        (
            &["-H", "x-force: 1", "-H", &denied],
            json!([false, "caller", null]),
        ),
    ];
    for (arguments, expected) in rows {
        let story = explained(&config, arguments)?;
        let decision = &story["decision"];
        let told = json!([decision["sampled"], decision["by"], decision["rule"]]);
        ensure!(told == expected, "{arguments:?}: {told}, not {expected}");
    }
    // Both answers of the sampler, by the id.
    let sampled = |seed: u32| -> Result<Value> {
        let story = explained(&config, &["--seed", &seed.to_string()])?;
        ensure!(story["decision"]["by"] == "sampler", "{story:#}");
        Ok(story["decision"]["sampled"].clone())
    };
    let all = (1..20).map(sampled).collect::<Result<Vec<_>>>()?;
    ensure!(
        all.contains(&json!(true)) && all.contains(&json!(false)),
        "{all:?}"
    );
    // A decision that came in does not count here.
    let story = explained(
        &json!({"sampling": {"sampler": "always_off"}}),
        &["-H", &accepted],
    )?;
    ensure!(story["decision"]["by"] == "sampler", "{story:#}");
    Ok(())
}

#[test]
fn beside_a_tracer_of_envoys_it_is_the_tracer_that_decides() -> Result<()> {
    let mirror = json!({"nativeTracer": "mirror"});
    for (request, expected) in [
        (
            format!("b3: {TRACE}-{SPAN}-1"),
            json!([TRACE, true, "tracer"]),
        ),
        (
            format!("b3: {TRACE}-{SPAN}-d"),
            json!([TRACE, true, "debug"]),
        ),
        (
            format!("b3: {TRACE}-{SPAN}-0"),
            json!([TRACE, false, "tracer"]),
        ),
        // Nobody knows yet.
        ("x-tenant: acme".to_owned(), json!([null, null, null])),
    ] {
        let story = explained(&mirror, &["-H", &request])?;
        let decision = &story["decision"];
        let told = json!([
            decision["traceId"]["value"],
            decision["sampled"],
            decision["by"]
        ]);
        ensure!(told == expected, "{request}: {told}\n{story:#}");
    }
    Ok(())
}

/// What it reads, it was seen to write; until then that is taken for granted.
#[test]
fn beside_a_tracer_of_envoys_it_is_said_what_nobody_knows() -> Result<()> {
    let mirror = json!({"nativeTracer": "mirror"});
    let said = |request: &str| {
        let input = mirror.to_string();
        throughline_reading(&["explain", "-H", request, "-"], input.as_bytes())
    };
    let kept = "Envoy's own tracer keeps the decision that came in, as far as it reads";
    let until = "before its first response on a listener nobody knows";
    for (request, format) in [
        (format!("b3: {TRACE}-{SPAN}-1"), "b3"),
        (format!("traceparent: 00-{TRACE}-{SPAN}-01"), "tracecontext"),
    ] {
        let run = said(&request)?;
        let line = format!("  sampled  yes: {kept} {format}; {until}\n");
        ensure!(run.out.contains(&line), "{request}: {run:?}");
    }
    let run = said("x-tenant: acme")?;
    let line = "  wasm.throughline.trace_id (not known here: Envoy's own tracer makes it)\n";
    ensure!(run.out.contains(line), "{run:?}");
    let restart = json!([{"match": {"hosts": ["*"]}, "action": "restart"}]);
    let ends = json!({"nativeTracer": "mirror", "trust": restart});
    let b3 = format!("b3: {TRACE}-{SPAN}-1");
    for (config, request) in [(&mirror, "x-tenant: acme"), (&ends, &b3)] {
        let story = explained(config, &["-H", request])?;
        ensure!(
            story["filterState"] == json!({"throughline.trace_id": null}),
            "{story:#}"
        );
    }
    Ok(())
}

/// Whether a span is made of it is known when the request is over, and so it is not said.
#[test]
fn beside_a_tracer_of_envoys_what_only_the_end_tells_is_not_told() -> Result<()> {
    let export = json!({"service": "a.b.svc"});
    let mirror =
        json!({"nativeTracer": "mirror", "spans": {"whenMirroring": "export"}, "export": export});
    let alone = json!({"nativeTracer": "mirror"});
    let own = json!({"nativeTracer": "own", "export": export});
    let b3 = format!("b3: {TRACE}-{SPAN}-1");
    for (config, request, recorded) in [
        (&mirror, &*b3, json!(null)),
        (&mirror, "x-tenant: acme", json!(null)),
        (&alone, &b3, json!(false)),
        (&own, &b3, json!(true)),
    ] {
        let story = explained(config, &["-H", request])?;
        let decision = &story["decision"];
        ensure!(
            decision["recorded"] == recorded && decision["nativeTracer"] == config["nativeTracer"],
            "{config} {request}: {story:#}"
        );
    }
    let run = throughline_reading(&["explain", "-H", &b3, "-"], mirror.to_string().as_bytes())?;
    ensure!(
        run.out.contains("  tracer   nativeTracer is mirror")
            && run.out.contains("  recorded not known here"),
        "{run:?}"
    );
    Ok(())
}

#[test]
fn why_a_header_goes_is_told() -> Result<()> {
    let restart = json!([{"match": {"hosts": ["*"]}, "action": "restart"}]);
    let inject = json!({"inject": ["tracecontext", "b3multi"]});
    let own = json!({"trust": restart, "propagation": inject});
    let mirror = json!({"trust": restart, "nativeTracer": "mirror"});
    let started = json!({"nativeTracer": "mirror"});
    let traceparent = format!("traceparent: 00-{TRACE}-{SPAN}-01");
    let ends = "trust: restart, and it says something of the trace that ends here";
    let tracers = "trust: restart; Envoy's own tracer writes what leaves";
    let contradicts = "Envoy's own tracer starts the trace, which this one would contradict";
    for (config, request, why) in [
        (&own, "tracestate: a=b", ends),
        (&own, "x-b3-flags: 0", ends),
        (&own, "x-b3-parentspanid: e457b5a2e4d86bd1", ends),
        (
            &own,
            "uber-trace-id: 1:2:0:1",
            "trust: restart, and inject does not have jaeger",
        ),
        (
            &own,
            "sw8: 1",
            "trust: restart: nothing of the trace that came in leaves",
        ),
        (&mirror, &traceparent, tracers),
        (&mirror, "b3: 1", tracers),
        (&started, "b3: 1", contradicts),
        (&started, "tracestate: a=b", contradicts),
    ] {
        let story = explained(config, &["-H", request])?;
        let (name, _) = request.split_once(':').context("a name")?;
        let header = header(&story, name)?;
        ensure!(
            header["action"] == "removed" && header["why"] == why,
            "{config} {request}: {header}"
        );
    }
    Ok(())
}

#[test]
fn the_proxy_decides_on_overrides_and_what_envoy_would_know_is_asked_for() -> Result<()> {
    let config = json!({
        "customTags": {
            "up": {"attribute": {"path": "xds.cluster_name"}},
            "port": {"attribute": {"path": "source.port"}},
            "pod": {"node": {"path": "NAME"}},
        },
        "tags": {"to": ["accessLog", "header:x-{tag}"]},
        "overrides": [
            {"match": {"namespaces": ["a"]}, "config": {"propagation": {"staleHeaders": "remove"}}},
            {"match": {"labels": {"app": "b"}}, "config": {"enabled": false}},
        ],
    });
    let story = explained(&config, &["-n", "a", "-H", "b3: 1", "-H", "x-up: forged"])?;
    ensure!(
        story["overrides"]
            == json!([
                {"path": "overrides[0]", "applies": true},
                {"path": "overrides[1]", "applies": false},
            ]),
        "{story:#}"
    );
    ensure!(header(&story, "b3")?["action"] == "removed", "{story:#}");
    let up = header(&story, "x-up")?;
    ensure!(
        up["action"] == "removed"
            && up["why"] == "customTags.up has no value: what came in is not the tag",
        "{story:#}"
    );
    ensure!(
        story["unknown"] == json!(["source.port", "xds.cluster_name"]),
        "{story:#}"
    );
    let story = explained(
        &config,
        &[
            "--property",
            "source.port=77",
            "--property",
            "xds.cluster_name=c",
            "--node",
            "NAME=p",
        ],
    )?;
    ensure!(story["unknown"] == json!([]), "{story:#}");
    ensure!(
        header(&story, "x-port")?["to"] == json!(["77"]),
        "{story:#}"
    );
    ensure!(header(&story, "x-pod")?["to"] == json!(["p"]), "{story:#}");
    ensure!(
        story["filterState"]["throughline.tag.up"] == "c",
        "{story:#}"
    );
    let off = throughline_reading(
        &["explain", "-l", "app=b", "-"],
        config.to_string().as_bytes(),
    )?;
    ensure!(off.code == 0 && off.out.contains("disabled"), "{off:?}");
    Ok(())
}

#[test]
fn a_filter_that_is_switched_off_is_explained_in_the_same_shape() -> Result<()> {
    let b3 = format!("b3: {TRACE}-{SPAN}-1");
    let overrides =
        json!({"overrides": [{"match": {"namespaces": ["a"]}, "config": {"enabled": false}}]});
    for (config, arguments) in [
        (json!({"enabled": false}), &[][..]),
        (json!({}), &["-e", "OTEL_SDK_DISABLED=true"]),
        (overrides, &["-n", "a"]),
    ] {
        let story = explained(&config, &[arguments, &["-H", &b3]].concat())?;
        let filter = story["filter"].as_str().context("a line")?;
        let left = json!({"name": "b3", "action": "left", "from": [&b3[4..]], "to": [&b3[4..]], "why": "the filter is switched off"});
        ensure!(
            story["place"] == "sidecar-inbound"
                && filter.contains("disabled")
                && story["headers"] == json!([left])
                && story["extract"] == json!([])
                && story["decision"]["origin"] == Value::Null
                && story["decision"]["recorded"] == false,
            "{config}: {story:#}"
        );
    }
    Ok(())
}

/// Those that a request has, those below a map, and those that come later.
#[test]
fn attributes_of_envoys_are_taken() -> Result<()> {
    for property in [
        "source.address=10.1.1.1:80",
        "plugin_vm_id=x",
        r"xds.node.metadata.LABELS.app\.kubernetes\.io/name=x",
        "filter_state.io.istio.peer_principal=x",
        "upstream.address=10.1.1.2:80",
    ] {
        let run = throughline(&["explain", "--property", property])?;
        ensure!(run.code == 0, "{property}: {run:?}");
    }
    Ok(())
}

/// docs/cli.md names every field, and the two that are written otherwise than in the text.
#[test]
fn the_page_describes_the_fields_of_the_json() -> Result<()> {
    let page = fs::read_to_string(root().join("docs/cli.md"))?;
    let story = explained(&json!({}), &["-H", "traceparent: 00-1"])?;
    let mut names: Vec<&String> = Vec::new();
    for part in [
        &story,
        &story["decision"],
        &story["trust"],
        &story["extract"][0],
        &story["headers"][0],
    ] {
        names.extend(part.as_object().context("an object")?.keys());
    }
    for name in names {
        ensure!(page.contains(&format!("`{name}`")), "{name} is not there");
    }
    let header = header(&story, "traceparent")?;
    ensure!(
        header["from"].is_array() && header["to"].is_array(),
        "{header}"
    );
    ensure!(page.contains("`from`, `to` (lists of all values)"));
    ensure!(
        story["filterState"]["throughline.trace_id"].is_string(),
        "{story:#}"
    );
    ensure!(page.contains("`filterState` | by the names without `wasm.`"));
    Ok(())
}

#[test]
fn the_rule_of_trust_is_told() -> Result<()> {
    let config = json!({
        "trust": [
            {"match": {"proxy": "gateway"}, "action": "restart"},
            {"match": {"hosts": ["*.example.com"]}, "action": "strip"},
            // A source that nobody vouches for is in no range that lets pass, and in every other.
            {"match": {"sourceCidrs": ["10.0.0.0/8"]}, "action": "ignore"},
            {"match": {"sourceCidrs": ["11.0.0.0/8"]}, "action": "restart"},
            {"match": {"principals": ["*/ns/x/*"]}, "action": "continue"},
        ],
        "overrides": [
            {"match": {"namespaces": ["other"]}, "config": {"trust": [{"match": {"hosts": ["*"]}, "action": "ignore"}]}},
        ],
    });
    let b3 = format!("b3: {TRACE}-{SPAN}-1");
    let rows: [(&[&str], Value, Value); 6] = [
        (
            &["--place", "gateway"],
            json!([0, "restart"]),
            json!("restarted"),
        ),
        (
            &[
                "--place",
                "sidecar-outbound",
                "--url",
                "http://a.example.com/",
            ],
            json!([1, "strip"]),
            json!("b3"),
        ),
        (
            &["--property", "source.address=10.1.1.1:80"],
            json!([2, "ignore"]),
            json!("ignored"),
        ),
        (
            &[
                "--peer",
                "td/ns/x/sa/y",
                "--property",
                "source.address=12.1.1.1:80",
            ],
            json!([4, "continue"]),
            json!("b3"),
        ),
        (
            &["--place", "sidecar-outbound"],
            json!([null, "continue"]),
            json!("b3"),
        ),
        (&["-n", "other"], json!([0, "ignore"]), json!("ignored")),
    ];
    for (arguments, trust, origin) in rows {
        let story = explained(&config, &[arguments, &["-H", &b3]].concat())?;
        let told = json!([story["trust"]["rule"], story["trust"]["action"]]);
        ensure!(
            told == trust && story["decision"]["origin"] == origin,
            "{arguments:?}: {told} {}",
            story["decision"]
        );
    }
    Ok(())
}

/// What a rule matches depends on what it does, and whether it matches not on what the request brings.
#[test]
fn a_rule_of_trust_is_told_by_its_own_action() -> Result<()> {
    let gateway =
        "xds.cluster_name=outbound|443||istio-egressgateway.istio-system.svc.cluster.local";
    let to_gateway = [
        "--place",
        "sidecar-outbound",
        "--url",
        "http://api.openai.com/",
        "--property",
        gateway,
    ];
    let traceparent = format!("traceparent: 00-{TRACE}-{SPAN}-01");
    for (action, header, rule, origin) in [
        ("restart", &*traceparent, json!(0), "restarted"),
        ("restart", "b3: 0", json!(0), "started"),
        ("restart", "x-tenant: acme", json!(0), "started"),
        ("ignore", &traceparent, json!(0), "ignored"),
        ("continue", &traceparent, json!(0), "tracecontext"),
        // It waits for the gateway.
        ("strip", &traceparent, json!(null), "tracecontext"),
    ] {
        let trust = json!([{"match": {"hosts": ["api.openai.com"]}, "action": action}]);
        let for_all = json!({"match": {"namespaces": ["a"]}, "config": {"log": {"level": "info"}}});
        for overrides in [0, 64] {
            let config = json!({"trust": trust, "overrides": vec![&for_all; overrides]});
            let story = explained(
                &config,
                &[&to_gateway[..], &["-n", "a", "-H", header]].concat(),
            )?;
            ensure!(
                story["trust"]["rule"] == rule && story["decision"]["origin"] == origin,
                "{action} {header}, {overrides} overrides: {story:#}"
            );
        }
    }
    Ok(())
}

/// As many overrides as there may be leave no room for one more.
#[test]
fn who_decided_is_told_of_any_number_of_overrides() -> Result<()> {
    let sampling =
        json!({"match": {"namespaces": ["a"]}, "config": {"sampling": {"forceHeader": "x-force"}}});
    let config = json!({"overrides": vec![sampling; 64]});
    let b3 = format!("b3: {TRACE}-{SPAN}-0");
    for (header, by) in [("x-force: 1", "forceHeader"), ("x-force: 0", "caller")] {
        let arguments = ["-n", "a", "--peer", "td/ns/a/sa/b", "-H", &b3, "-H", header];
        let story = explained(&config, &arguments)?;
        ensure!(story["decision"]["by"] == by, "{header}: {story:#}");
    }
    Ok(())
}

#[test]
fn every_place_is_where_it_says() -> Result<()> {
    let config = json!({"export": {"service": "a.b.svc"}, "sampling": {"sampler": "always_on"}});
    for place in [
        "sidecar-inbound",
        "sidecar-outbound",
        "gateway",
        "waypoint",
        "envoy",
    ] {
        let story = explained(&config, &["--place", place])?;
        let sent = header(&story, "x-b3-spanid")?["to"][0].clone();
        let own = &story["decision"]["spanId"]["value"];
        ensure!(
            story["place"] == place && story["decision"]["recorded"] == true,
            "{story:#}"
        );
        // Where the hop is both sides, what leaves is the client's span.
        let is_both = matches!(place, "gateway" | "waypoint" | "envoy");
        ensure!((sent != *own) == is_both, "{place}: {story:#}");
    }
    Ok(())
}

#[test]
fn what_the_response_gets_is_told() -> Result<()> {
    let config = json!({"response": {"serverTiming": true, "traceId": "x-trace-id"}});
    let b3 = format!("b3: {TRACE}-{SPAN}-1");
    let story = explained(&config, &["-H", &b3])?;
    let timing = format!("traceparent;desc=\"00-{TRACE}-{SPAN}-01\"");
    ensure!(
        story["response"] == json!({"x-trace-id": TRACE, "server-timing": timing}),
        "{story:#}"
    );
    Ok(())
}

#[test]
fn what_is_left_alone_is_told() -> Result<()> {
    let run = throughline(&["explain", "-H", "b3: 0"])?;
    ensure!(
        run.code == 0 && run.out.contains("it gets no trace") && run.out.contains("= b3: 0"),
        "{run:?}"
    );
    // Its trace headers are; tags and baggage are another matter.
    let config = json!({
        "propagation": {"baggage": "drop"},
        "customTags": {"j": {"literal": {"value": "x"}}},
        "tags": {"to": ["header:x-{tag}"]},
    });
    let run = throughline_reading(
        &["explain", "-H", "b3: 0", "-H", "baggage: a=b", "-"],
        config.to_string().as_bytes(),
    )?;
    ensure!(
        run.out
            .contains("= b3: 0\n        trace headers are left alone")
            && run.out.contains("- baggage: a=b")
            && run.out.contains("+ x-j: x")
            && !run.out.contains("untouched")
            && !run.out.contains("request is left alone"),
        "{run:?}"
    );
    Ok(())
}

/// A rule's tags, of which some have a source of their own besides.
#[test]
fn where_a_tag_comes_from_is_told() -> Result<()> {
    let config = json!({
        "customTags": {
            "both": {"literal": {"value": "custom"}},
            "a.b": {"literal": {"value": "custom"}},
        },
        "sampling": {"rules": [
            {"match": {"paths": ["/other"]}, "ratio": 1, "tags": {"j": "other"}},
            {"match": {"paths": ["/checkout"]}, "ratio": 1, "tags": {"j": "checkout", "both": "ruled"}},
        ]},
        "tags": {"to": ["header:x-{tag}"]},
    });
    for (path, name, to, why) in [
        (
            "/checkout",
            "x-j",
            json!(["checkout"]),
            "sampling.rules[1].tags.j",
        ),
        (
            "/checkout",
            "x-both",
            json!(["ruled"]),
            "sampling.rules[1].tags.both",
        ),
        (
            "/checkout",
            "x-a-b",
            json!(["custom"]),
            "customTags[\"a.b\"]",
        ),
        ("/", "x-both", json!(["custom"]), "customTags.both"),
        (
            "/",
            "x-j",
            json!([]),
            "sampling.rules[…].tags.j has no value: what came in is not the tag",
        ),
    ] {
        let url = format!("http://shop.example{path}");
        let story = explained(&config, &["--url", &url, "-H", "x-j: forged"])?;
        let header = header(&story, name)?;
        ensure!(
            header["to"] == to && header["why"] == why,
            "{path} {name}: {header:#}"
        );
    }
    Ok(())
}

/// A head as it goes over the wire, and the same from options.
#[test]
fn a_request_comes_from_a_file_or_from_options() -> Result<()> {
    let head = format!(
        "POST /checkout?a=b HTTP/1.1\r\nHost: shop.example\r\nB3: {TRACE}-{SPAN}-1\r\n\r\nb3: body\r\n"
    );
    let from_head = throughline_reading(&["explain", "-H", "@-"], head.as_bytes())?;
    let b3 = format!("b3: {TRACE}-{SPAN}-1");
    let from_options = throughline(&[
        "explain",
        "-X",
        "POST",
        "--url",
        "http://shop.example/checkout?a=b",
        "-H",
        &b3,
    ])?;
    ensure!(
        from_head.code == 0 && from_head.out == from_options.out,
        "{from_head:?}"
    );
    Ok(())
}

#[test]
fn what_is_no_request_or_no_configuration_is_refused() -> Result<()> {
    for (arguments, input, said, code) in [
        (&["explain", "-H", "b3"][..], "", "expected NAME: VALUE", 2),
        (
            &["explain", "-H", "a b: 1"],
            "",
            "has a name that is none",
            2,
        ),
        (&["explain", "-H", ": 1"], "", "is none", 2),
        (&["explain", "-H", "a: \u{1}"], "", "control characters", 2),
        (&["explain", "-H", "@/nowhere"], "", "cannot be read", 2),
        (
            &["explain", "--url", "shop"],
            "",
            "expected http://HOST/PATH",
            2,
        ),
        (
            &["explain", "--url", "http://"],
            "",
            "expected http://HOST/PATH",
            2,
        ),
        (
            &["explain", "--url", "http:///x"],
            "",
            "expected http://HOST/PATH",
            2,
        ),
        (
            &["explain", "--url", "http://:80/x"],
            "",
            "expected http://HOST/PATH",
            2,
        ),
        (&["explain", "-X", "GE T"], "", "method is none", 2),
        (&["explain", "-X", ""], "", "method is none", 2),
        (&["explain", "-H", ":method: G,T"], "", "method is none", 2),
        (
            &["explain", "--property", "source.adress=10.0.0.1"],
            "",
            "--property source.adress: source.adress is no attribute, did you mean source.address?",
            2,
        ),
        (
            &["explain", "--property", "source=10.0.0.1"],
            "",
            "source is not one value",
            2,
        ),
        (
            &["explain", "--property", "a..b=1"],
            "",
            "--property a..b: ",
            2,
        ),
        (&["explain", "--place", "moon"], "", "sidecar-inbound", 2),
        (&["explain", "--seed", "x"], "", "invalid", 2),
        (&["explain", "-"], "{", "2:1", 2),
        (&["explain", "-"], "", "has 0 configurations", 2),
        (
            &["explain", "-"],
            "a: 1\n---\nb: 1\n",
            "has 2 configurations",
            2,
        ),
        (
            &["explain", "-"],
            "samplng: {}",
            "1:1: error: samplng: unknown field, did you mean sampling?",
            1,
        ),
    ] {
        let run: Run = throughline_reading(arguments, input.as_bytes())?;
        let all = run.out.clone() + &run.err;
        ensure!(
            run.code == code && all.contains(said),
            "{arguments:?}: {run:?}"
        );
    }
    let many = "a: 1\n".repeat(300_000);
    let run = throughline_reading(&["explain", "-H", "@-"], many.as_bytes())?;
    ensure!(run.code == 2 && run.err.contains("60 KiB"), "{run:?}");
    Ok(())
}

/// docs/cli.md shows what is really said.
#[test]
fn the_page_shows_what_is_said() -> Result<()> {
    let page = fs::read_to_string(root().join("docs/cli.md"))?;
    let mut shown = 0;
    for block in page.split("```console\n$ throughline ").skip(1) {
        let (block, _) = block.split_once("\n```").context("an end")?;
        let (command, expected) = block.split_once('\n').unwrap_or((block, ""));
        // What is typed over two lines.
        let command = command.replace('\'', "\"");
        let arguments: Vec<&str> = command
            .split('"')
            .enumerate()
            .flat_map(|(index, part)| match index % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            })
            .collect();
        let run = throughline(&arguments)?;
        ensure!(
            run.out.trim_end() == expected.trim_end(),
            "throughline {command} says:\n{}",
            run.out
        );
        shown += 1;
    }
    ensure!(shown > 1, "docs/cli.md shows nothing");
    Ok(())
}
