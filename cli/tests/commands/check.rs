//! `throughline check`: what is wrong, where, in which words, and with which exit code.

use crate::program::{root, throughline, throughline_reading};
use anyhow::{Context, Result, anyhow, ensure};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use throughline::config;
use throughline::policy::service::UnknownNode;
use throughline_cli::check::{Report, check};
use throughline_cli::proxy::Proxy;
use throughline_cli::source::Text;
use throughline_cli::yaml::Documents;

/// A text, what is said of it (without the text's name), and the exit code.
type Row<'a> = (&'a str, &'a str, &'a str, i32);

fn said(rows: &[Row<'_>]) -> Result<()> {
    let mut failures = Vec::new();
    for (what, text, expected, code) in rows {
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        let out = run.out.replace("standard input:", "");
        if out.trim_end() != *expected || run.code != *code {
            failures.push(format!("{what}: exit code {}, said:\n{out}", run.code));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn configurations_by_themselves() -> Result<()> {
    said(&[
        (
            "a good one",
            "sampling: {arg: 0.1}\n",
            "1 configuration checked: nothing is wrong",
            0,
        ),
        (
            "a mistake, with its hint",
            "propagation: {}\nsampling:\n  sampler: parentbased_traceidratio\n  arg: 10\n",
            "4:3: error: sampling.arg: expected a number from 0 to 1, got 10; 10 % is 0.1\n\
             1 configuration checked: 1 error",
            1,
        ),
        (
            "JSON, indented by tabs",
            "{\n\t\"sampling\": {\n\t\t\"arg\": 10\n\t}\n}",
            "3:3: error: sampling.arg: expected a number from 0 to 1, got 10; 10 % is 0.1\n\
             1 configuration checked: 1 error",
            1,
        ),
        (
            "several mistakes, of which none comes from another",
            "samplng: {}\n\
             sampling: {arg: 10, maxPerSecond: 0}\n\
             propagation: {extract: [w3c], inject: [b4]}\n\
             export: {service: \"http://x\", port: 4317, timeout: soon}\n\
             customTags: {a b: {literal: {value: x}}, c: {header: {nam: x}}, d: {literal: {value: x}}}\n",
            "1:1: error: samplng: unknown field, did you mean sampling?\n\
             2:12: error: sampling.arg: expected a number from 0 to 1, got 10; 10 % is 0.1\n\
             2:21: error: sampling.maxPerSecond: expected an integer from 1 to 1000000, got 0\n\
             3:25: error: propagation.extract[0]: expected one of tracecontext, b3, b3multi, jaeger, xray, datadog, gcp, got \"w3c\"\n\
             3:40: error: propagation.inject[0]: expected one of tracecontext, b3, b3multi, jaeger, xray, datadog, gcp, got \"b4\"\n\
             4:10: error: export.service: expected a name, not a URL: leave off http:// or https://\n\
             5:14: error: customTags[\"a b\"]: \" \" is not allowed in a tag's name; use letters, digits and ._-/:\n\
             5:55: error: customTags.c.header.nam: unknown field, did you mean name?\n\
             1 configuration checked: 8 errors",
            1,
        ),
        (
            "rules and overrides, by their place in the text",
            "sampling:\n  rules:\n  - {match: {paths: /x}, ratio: 0}\n  - {match: {paths: [/y]}, ratio: 0}\n  - {match: {paths: [/z]}, ratio: 5}\n\
             overrides:\n- match: {namespaces: [a]}\n  config:\n    sampling: {arg: 7}\n- match: {}\n  config: {}\n",
            "3:14: error: sampling.rules[0].match.paths: expected a list, got \"/x\"; write [\"/x\"]\n\
             5:28: error: sampling.rules[2].ratio: expected a number from 0 to 1, got 5; 5 % is 0.05\n\
             9:16: error: overrides[0].config: sampling.arg: expected a number from 0 to 1, got 7; 7 % is 0.07\n\
             10:3: error: overrides[1].match: needs namespaces or labels; what is for all belongs outside\n\
             1 configuration checked: 4 errors",
            1,
        ),
        (
            "words that are something else to kubectl",
            "customTags: {a: {literal: {value: no}}, b: {literal: {value: 010}}, c: {literal: {value: \"no\"}}}\nenabled: off\n",
            "1:28: error: customTags.a.literal.value: expected a string, got false; put it in quotes\n\
             1:55: error: customTags.b.literal.value: expected a string, got 8; put it in quotes\n\
             1 configuration checked: 2 errors",
            1,
        ),
        (
            "a tag that is no service name",
            "customTags: {service.name: {literal: {value: shop}}}\nexport: {service: tempo.monitoring.svc}\n",
            "1:14: warning: customTags[\"service.name\"]: an attribute of spans, not the resource's service.name, by which backends \
             name a service: that is service: {name: shop}\n\
             1 configuration checked: 1 warning",
            0,
        ),
        (
            "strip where a stranger comes in",
            "trust:\n- {match: {proxy: sidecar-inbound, peer: unauthenticated}, action: strip}\n\
             - {match: {proxy: gateway}, action: strip}\n",
            "2:60: warning: trust[0].action: whoever sends chooses the ids and the sampling of this hop's span all the same: what is not to go \
             on is for restart (docs/trust.md)\n\
             3:29: warning: trust[1].action: whoever sends chooses the ids and the sampling of this hop's span all the same: what is not to go \
             on is for restart (docs/trust.md)\n\
             1 configuration checked: 2 warnings",
            0,
        ),
        (
            "strip where something leaves",
            "trust:\n- {match: {proxy: gateway, hosts: [api.openai.com]}, action: strip}\n\
             - {match: {proxy: gateway, external: true}, action: strip}\n- {match: {proxy: gateway}, action: restart}\n\
             - {match: {hosts: [\"*\"]}, action: strip}\n",
            "1 configuration checked: nothing is wrong",
            0,
        ),
        (
            "formats of which one hop reads nothing that the one before it wrote",
            "propagation:\n  extract: [b3]\n  inject: [tracecontext]\n",
            "3:3: warning: propagation.inject: nothing of it is in extract: what one hop writes, the next does not read, and starts anew \
             (docs/propagation.md)\n\
             1 configuration checked: 1 warning",
            0,
        ),
        (
            "the same in an extract alone",
            "propagation: {extract: [jaeger, xray]}\n",
            "1:15: warning: propagation.inject: nothing of it is in extract: what one hop writes, the next does not read, and starts anew \
             (docs/propagation.md)\n\
             1 configuration checked: 1 warning",
            0,
        ),
        (
            "b3 in one header, which is read with those in several",
            "propagation: {extract: [b3], inject: [b3multi]}\n",
            "1 configuration checked: nothing is wrong",
            0,
        ),
        (
            "an alias, which is wrong where it stands for something",
            "samplng: &a 10\nsampling: {arg: *a}\n",
            "1:1: error: samplng: unknown field, did you mean sampling?\n\
             2:12: error: sampling.arg: expected a number from 0 to 1, got 10; 10 % is 0.1\n\
             1 configuration checked: 2 errors",
            1,
        ),
        (
            "escapes in two halves, which only JSON has",
            r#"{"service": {"name": "\ud83d\ude00"}, "samplng": {}}"#,
            "1:1: error: samplng: unknown field, did you mean sampling?\n1 configuration checked: 1 error",
            1,
        ),
    ])
}

const PLUGIN: &str = "\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: throughline, namespace: istio-system}
spec:
  url: oci://registry.example/throughline:1
  sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
  failStrategy: FAIL_OPEN
  phase: AUTHN
";

#[test]
fn manifests() -> Result<()> {
    let good = format!("{PLUGIN}  pluginConfig: {{sampling: {{arg: 0.1}}}}\n");
    let rendered = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: x}}\n---\n---\n{good}---\napiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: Service}}\n- {{apiVersion: v1, kind: ConfigMap}}\n"
    );
    let wrong = good.replace("arg: 0.1", "arg: 10");
    let extension = good
        .replace("WasmPlugin", "TrafficExtension")
        .replace("  phase: AUTHN\n", "")
        .replace("spec:\n", "spec:\n  phase: AUTHN\n  wasm:\n")
        .replace("\n  url", "\n    url")
        .replace("\n  sha256", "\n    sha256")
        .replace("\n  failStrategy", "\n    failStrategy")
        .replace("\n  pluginConfig", "\n    pluginConfig");
    let listed: Value = serde_yaml_ng::from_str(&wrong)?;
    let listed = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [listed]});
    let variables = "  vmConfig:\n    env:\n    - {name: OTEL_TRACES_SAMPLER, value: sometimes}\n    - {name: KEY, valueFrom: HOST}\n  pluginConfig:\n    export: {service: a.b.svc, headers: {x: \"${env:KEY}\", y: \"${env:OTHER}\"}}\n";
    let careless = good
        .replace(
            "  sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
            "",
        )
        .replace("FAIL_OPEN", "FAIL_CLOSE")
        .replace("AUTHN", "STATS")
        .replace("pluginConfig:", "pluginConfg:");
    let rows = [
        (
            "one",
            good.clone(),
            "1 configuration checked: nothing is wrong",
            0,
        ),
        (
            "among others",
            rendered,
            "1 configuration checked: nothing is wrong (skipped: 1 ConfigMap, 2 Service)",
            0,
        ),
        (
            "wrong",
            wrong,
            "9:29: error: sampling.arg: expected a number from 0 to 1, got 10; 10 % is 0.1\n1 configuration checked: 1 error",
            1,
        ),
        (
            "a TrafficExtension",
            extension.clone(),
            "1 configuration checked: nothing is wrong",
            0,
        ),
        (
            "a TrafficExtension that is wrong",
            extension.replace("arg: 0.1", "arg: 10"),
            "10:31: error: sampling.arg: expected a number from 0 to 1, got 10; 10 % is 0.1\n1 configuration checked: 1 error",
            1,
        ),
        (
            "variables",
            PLUGIN.to_owned() + variables,
            "11:7: error: OTEL_TRACES_SAMPLER: expected one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio, got \"sometimes\"\n\
             14:59: error: export.headers.y: the variable \"OTHER\" is not set in vmConfig.env\n\
             1 configuration checked: 2 errors",
            1,
        ),
        (
            "what Istio lets pass",
            careless,
            "5:3: warning: url: a tag may be moved to another image, and each proxy takes what it finds: pin it with sha256, or url: …@sha256:… (make pin)\n\
             6:3: warning: failStrategy: a module that cannot be pulled or ends stops traffic, as FAIL_CLOSE is the default: write FAIL_OPEN (docs/security.md)\n\
             7:3: warning: phase: what authentication and authorization refuse is refused before its trace headers agree: write AUTHN, the earliest\n\
             8:3: warning: pluginConfg: not a field of Istio's, did you mean pluginConfig?\n\
             1 configuration checked: 4 warnings",
            0,
        ),
        (
            "somebody else's",
            good.replace("throughline", "other"),
            "0 configurations checked: nothing to say (skipped: 1 WasmPlugin)",
            2,
        ),
        (
            "nothing",
            String::new(),
            "0 configurations checked: nothing to say",
            2,
        ),
        (
            "a template",
            "spec:\n  {{ .Values.x }}: 1\n".to_owned(),
            "2:3: error: a field's name is a list or a map; a template of Helm's? What it renders can be checked: helm template\n0 configurations checked: 1 error",
            1,
        ),
    ];
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(what, text, expected, code)| (*what, &**text, *expected, *code))
        .collect();
    said(&rows)?;
    // A List in JSON, and the other shape of what is said.
    let run = throughline_reading(
        &["check", "--format", "json", "-"],
        listed.to_string().as_bytes(),
    )?;
    let report: Value = serde_json::from_str(&run.out)?;
    ensure!(run.code == 1, "{run:?}");
    let diagnostic = &report["diagnostics"][0];
    ensure!(
        report["format"] == 1
            && report["errors"] == 1
            && report["checked"][0]["object"] == "WasmPlugin istio-system/throughline"
            && diagnostic["severity"] == "error"
            && diagnostic["path"] == "sampling.arg"
            && diagnostic["line"] == 1
            && diagnostic["message"] == "expected a number from 0 to 1, got 10; 10 % is 0.1",
        "{report:#}"
    );
    let denied = throughline_reading(
        &["check", "--deny-warnings", "-"],
        good.replace("AUTHN", "STATS").as_bytes(),
    )?;
    ensure!(denied.code == 1, "{denied:?}");
    Ok(())
}

/// As the module says it, which gets it from Envoy as it is.
#[test]
fn a_file_that_is_called_json_is_json() -> Result<()> {
    let directory = TempDir::new()?;
    for (text, code, said) in [
        ("{\"sampling\": {\"arg\": 0.1}}\n", 0, "nothing is wrong"),
        (
            "{\"sampling\": {\"arg\": 0.1,}}",
            1,
            ":1:26: error: not JSON, as which Envoy would read a file of this name: trailing comma",
        ),
        ("{} # none", 1, ":1:4: error: not JSON"),
        ("\u{feff}{}", 1, ":1:1: error: not JSON"),
        ("{'sampling': {}}", 1, ":1:2: error: not JSON"),
        ("sampling: {arg: 0.1}\n", 1, ":1:1: error: not JSON"),
        ("{}\n{}\n", 1, ":2:1: error: not JSON"),
    ] {
        let loaded = config::load(text.as_bytes(), &|_: &str| None, &mut UnknownNode);
        ensure!(loaded.is_ok() == (code == 0), "{text}: {loaded:?}");
        for (name, code, said) in [("a.json", code, said), ("a.yaml", 0, "")] {
            let file = directory.path().join(name);
            fs::write(&file, text)?;
            let file = file.display().to_string();
            let checked = throughline(&["check", &file])?;
            // Two documents in JSON are none in YAML, either.
            let is_one = !text.contains("{}\n{}");
            ensure!(
                (checked.code == code || !is_one) && checked.out.contains(said),
                "{name} {text}: {checked:?}"
            );
            let explained = throughline(&["explain", &file])?;
            ensure!(
                (explained.code == 0) == (checked.code == 0),
                "{name} {text}: {explained:?}"
            );
        }
    }
    Ok(())
}

/// docs/cli.md names what is read otherwise than by kubectl, and go-yaml under it.
#[test]
fn what_kubectl_reads_otherwise_is_on_the_page() -> Result<()> {
    let page = fs::read_to_string(root().join("docs/cli.md"))?;
    for (text, named, code) in [
        (
            "nativeTracer:\tmirror\n",
            "a tab between `key:` and a plain word",
            1,
        ),
        ("service: {name: !!binary YWI=}\n", "`!!binary`", 1),
        ("service: {name: \"a\\/b\"}\n", "`\"\\/\"`", 0),
        (
            "propagation:\n  extract:\n  -\tb3\n  -\tb3multi\n",
            "a tab after `-`",
            0,
        ),
    ] {
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        ensure!(run.code == code && page.contains(named), "{text}: {run:?}");
    }
    Ok(())
}

/// Envoy hands over the text as it is, with all that stands around it.
#[test]
fn a_file_that_is_called_json_is_as_large_as_it_is() -> Result<()> {
    let directory = TempDir::new()?;
    let said = "error: the configuration has 65537 bytes; at most 65536 are taken\n";
    let object = json!({"apiVersion": "v1", "kind": "List", "items": []}).to_string();
    let manifest = " ".repeat(65_535)
        + &object.replace(
            "[]",
            &serde_json::to_string(&[serde_yaml_ng::from_str::<Value>(PLUGIN)?])?,
        );
    for (name, text, code, said) in [
        ("a.json", " ".repeat(65_534) + "{}", 0, ""),
        ("a.json", " ".repeat(65_535) + "{}", 1, said),
        // They become JSON, without what is around them.
        ("a.yaml", " ".repeat(65_535) + "{}", 0, ""),
        ("a.json", manifest, 0, ""),
    ] {
        let file = directory.path().join(name);
        fs::write(&file, &text)?;
        let file = file.display().to_string();
        for command in ["check", "explain"] {
            let run = throughline(&[command, &file])?;
            ensure!(
                run.code == code && run.out.contains(said),
                "{command} {name} of {} bytes: {run:?}",
                text.len()
            );
        }
    }
    Ok(())
}

#[test]
fn fields_are_merged() -> Result<()> {
    let rule = |merge: &str| {
        format!(
            "sampling:\n  sampler: &s parentbased_traceidratio\n  rules:\n  - &a {{match: {{paths: [/a]}}, ratio: 0}}\n  - &b {{match: {{paths: [/b]}}, ratio: 1}}\n  - {{{merge}}}\n"
        )
    };
    for (merge, expected) in [
        (
            "<<: *a, match: {paths: [/c]}",
            json!({"match": {"paths": ["/c"]}, "ratio": 0}),
        ),
        (
            "match: {paths: [/c]}, <<: {ratio: 1}",
            json!({"match": {"paths": ["/c"]}, "ratio": 1}),
        ),
        (
            "<<: [*b, *a]",
            json!({"match": {"paths": ["/b"]}, "ratio": 1}),
        ),
        ("<<: []", json!({})),
        ("\"<<\": 1", json!({"<<": 1})),
    ] {
        let text = rule(merge);
        let document = Documents::of(&text).next().context("a document")?;
        let document = document.map_err(|fault| anyhow!("{merge}: {fault:?}"))?;
        let json = document.to_json(&[], 1000).context("few values")?;
        let json: Value = serde_json::from_str(&json)?;
        ensure!(
            json["sampling"]["rules"][2] == expected,
            "{merge}: {json:#}"
        );
    }
    let no_map = "<< takes a map, or a list of maps";
    for (wrong, column, said) in [
        ("<<: 1", 6, no_map),
        ("<<: *s", 6, no_map),
        ("<<: [*a, 1]", 6, no_map),
        ("<<: null", 6, no_map),
        ("<<: [[*a]]", 6, no_map),
        ("<<: *a, <<: *b", 14, "<< is given twice"),
        // kubectl label --local takes the merged one, kustomize build this one.
        ("ratio: 1, <<: *a", 16, "the field ratio is given before <<"),
    ] {
        let run = throughline_reading(&["check", "-"], rule(wrong).as_bytes())?;
        let said = format!(":6:{column}: error: {said}");
        ensure!(run.code == 1 && run.out.contains(&said), "{wrong}: {run:?}");
    }
    let wrong = rule("<<: *a").replace("ratio: 0", "ratio: 5");
    let run = throughline_reading(&["check", "-"], wrong.as_bytes())?;
    ensure!(
        run.code == 1
            && run
                .out
                .contains(":4:31: error: sampling.rules[2].ratio: expected a number"),
        "{run:?}"
    );
    Ok(())
}

#[test]
fn variables_that_an_api_server_refuses_are_told() -> Result<()> {
    for (vm, expected) in [
        (
            "{env: [{name: A, value: x}, {name: B, valueFrom: HOST}, {name: C, valueFrom: INLINE, value: \"\"}]}",
            "",
        ),
        (
            "[]",
            "9:3: warning: vmConfig: expected {env: […]}; an API server refuses this\n",
        ),
        (
            "{evn: []}",
            "9:14: warning: vmConfig.evn: not a field of Istio's, it will be dropped\n",
        ),
        (
            "{env: {A: x}}",
            "9:14: warning: vmConfig.env: expected a list of {name: …, value: …}; an API server refuses this\n",
        ),
        (
            "{env: [x]}",
            "9:20: warning: vmConfig.env[0]: expected {name: …, value: …}; an API server refuses this\n",
        ),
        (
            "{env: [{name: A, value: 0.1}]}",
            "9:30: warning: vmConfig.env[0].value: expected a string: put it in quotes; an API server refuses this\n",
        ),
        (
            "{env: [{name: A, value: a}, {name: A, value: b}]}",
            "9:42: warning: vmConfig.env[1]: A is given twice; an API server refuses this\n",
        ),
        (
            "{env: [{nam: x, value: z}]}",
            "9:20: warning: vmConfig.env[0]: expected {name: …, value: …}; an API server refuses this\n\
             9:21: warning: vmConfig.env[0].nam: not a field of Istio's, did you mean name?\n",
        ),
        (
            "{env: [{name: 1}]}",
            "9:20: warning: vmConfig.env[0]: expected {name: …, value: …}; an API server refuses this\n",
        ),
        (
            "{env: [{name: A, valueFrom: SECRET}]}",
            "9:30: warning: vmConfig.env[0].valueFrom: expected HOST or INLINE; an API server refuses this\n",
        ),
    ] {
        let text = format!("{PLUGIN}  vmConfig: {vm}\n");
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        let out = run.out.replace("standard input:", "");
        let (said, _) = out
            .split_once("1 configuration checked")
            .context("an end")?;
        ensure!(run.code == 0 && said == expected, "{vm}: {run:?}");
    }
    Ok(())
}

/// The module takes them as they stand.
#[test]
fn what_then_matches_nothing_or_is_sent_nowhere_is_told() -> Result<()> {
    const VARIABLE: &str = "a variable is written ${env:NAME}; this is sent as it stands";
    let service = |whole: &str| {
        format!(
            "export.service: Istio's cluster of a Service has its whole name: write {whole} (unless it is a ServiceEntry's host)"
        )
    };
    for (config, said) in [
        ("export: {service: tempo}", vec![service("tempo.NAMESPACE.svc.cluster.local")]),
        (
            "export: {service: tempo.monitoring}",
            vec![service("tempo.monitoring.svc.cluster.local")],
        ),
        ("export: {service: tempo.monitoring.svc}", vec![]),
        ("export: {service: api.honeycomb.io}", vec![]),
        ("export: {cluster: tempo}", vec![]),
        (
            "export: {service: a.b.svc, protocol: otlp-grpc, port: 4318}",
            vec!["export.port: collectors take OTLP over HTTP there; otlp-grpc's port is 4317".into()],
        ),
        (
            "export: {service: a.b.svc, port: 4317}",
            vec!["export.port: collectors take OTLP over gRPC there; otlp-http's port is 4318".into()],
        ),
        ("export: {service: a.b.svc, protocol: otlp-grpc, port: 4317}", vec![]),
        // One proxy may have both overrides.
        (
            "{export: {service: a.b.svc}, overrides: [{match: {labels: {a: b}}, config: {export: {protocol: otlp-grpc}}}, {match: {labels: {c: d}}, config: {export: {port: 4317}}}]}",
            vec![],
        ),
        (
            "export: {service: a.b.svc, protocol: zipkin, path: /v1/traces}",
            vec!["export.path: that is OTLP's; zipkin's is /api/v2/spans".into()],
        ),
        (
            "export: {service: a.b.svc, path: /api/v2/spans}",
            vec!["export.path: that is Zipkin's; OTLP's is /v1/traces".into()],
        ),
        (
            "export: {service: a.b.svc, headers: {a: \"${KEY}\", b: {value: \"Bearer $env:KEY\"}, c: \"$(KEY)\"}}",
            ["a", "b", "c"].map(|name| format!("export.headers.{name}: {VARIABLE}")).into(),
        ),
        // A secret may have any of these.
        ("export: {service: a.b.svc, headers: {a: \"pa$$word{}\", b: $KEY}}", vec![]),
        (
            "sampling: {rules: [{match: {hosts: [münchen.example, b]}, ratio: 1}, {match: {paths: [/a b]}, ratio: 1}]}",
            vec![
                "sampling.rules[0].match.hosts[0]: matches nothing: clients send such a host as punycode (xn--…)".into(),
                "sampling.rules[1].match.paths[0]: matches nothing: clients send %20 for a space".into(),
            ],
        ),
        (
            "sampling: {rules: [{match: {paths: [/a, /*], methods: [\"*\"]}, ratio: 1}, {match: {paths: [/a]}, ratio: 0}]}",
            vec!["sampling.rules[1]: is never reached: sampling.rules[0] is for every request".into()],
        ),
        (
            "sampling: {rules: [{match: {paths: [/*], methods: [GET]}, ratio: 1}, {match: {userAgents: [\"*\"]}, ratio: 0}, {match: {paths: [/a]}, ratio: 0}]}",
            vec![],
        ),
        (
            "trust: [{match: {hosts: [\"*\"]}, action: continue}, {match: {proxy: gateway, principals: [\"spiffe://\"]}, action: restart}]",
            vec![
                "trust[1]: is never reached: trust[0] is for every request".into(),
                "trust[1].match.principals[0]: matches nothing: who has no identity is for peer: unauthenticated".into(),
            ],
        ),
        (
            "trust: [{match: {proxy: gateway, hosts: [\"*\"]}, action: continue}, {match: {hosts: [ü]}, action: strip}]",
            vec!["trust[1].match.hosts[0]: matches nothing: clients send such a host as punycode (xn--…)".into()],
        ),
        (
            "export: {service: a.b.svc, protocol: otlp-grpc}\noverrides: [{match: {namespaces: [a]}, config: {export: {port: 4318}}}]",
            vec!["overrides[0].config.export.port: collectors take OTLP over HTTP there; otlp-grpc's port is 4317".into()],
        ),
    ] {
        let run = throughline_reading(&["check", "-"], config.as_bytes())?;
        let told = run.out.lines().filter_map(|line| line.split_once(": warning: "));
        let told: Vec<_> = told.map(|(_, said)| said.to_owned()).collect();
        ensure!(run.code == 0 && told == said, "{config}: {run:?}");
    }
    Ok(())
}

/// By the schema of Istio's definitions.
#[test]
fn manifests_that_an_api_server_refuses_are_told() -> Result<()> {
    const GROUP: &str = "apiVersion: extensions.istio.io/v1alpha1";
    let with = |field: &str| format!("{PLUGIN}  {field}\n");
    let extension = format!(
        "{GROUP}\nkind: TrafficExtension\nmetadata: {{name: throughline}}\nspec:\n  phase: AUTHN\n  priority: high\n  \
         match: [{{mode: SERVR}}]\n  wasm: {{imagePullPolicy: always}}\n"
    );
    for (text, code, expected) in [
        (
            with(
                "imagePullPolicy: Always\n  priority: -10.0\n  type: HTTP\n  match: [{mode: SERVER}, {ports: [{number: 80}]}]",
            ),
            0,
            "",
        ),
        (
            PLUGIN.replace(GROUP, "apiVersion: extension.istio.io/v1alpha1"),
            0,
            "1:1: warning: apiVersion: expected extensions.istio.io/v1alpha1; an API server refuses this\n",
        ),
        (
            with("imagePullPolicy: always"),
            0,
            "9:3: warning: imagePullPolicy: expected one of IfNotPresent, Always; an API server refuses this\n",
        ),
        (
            with("priority: high"),
            0,
            "9:3: warning: priority: expected an integer of 32 bits; an API server refuses this\n",
        ),
        (
            with("priority: 3000000000"),
            0,
            "9:3: warning: priority: expected an integer of 32 bits; an API server refuses this\n",
        ),
        (
            with("priority: 1.5"),
            0,
            "9:3: warning: priority: expected an integer of 32 bits; an API server refuses this\n",
        ),
        (
            with("match: [{mode: SERVER}, {mode: SERVR}]"),
            0,
            "9:28: warning: match[1].mode: expected one of CLIENT, SERVER, CLIENT_AND_SERVER; an API server refuses this\n",
        ),
        (
            with("match: {mode: SERVER}"),
            0,
            "9:3: warning: match: expected a list; an API server refuses this\n",
        ),
        (
            with("type: Http"),
            0,
            "9:3: warning: type: expected one of HTTP, NETWORK; an API server refuses this\n",
        ),
        (
            extension,
            0,
            "6:3: warning: priority: expected an integer of 32 bits; an API server refuses this\n\
             7:12: warning: match[0].mode: expected one of CLIENT, SERVER, CLIENT_AND_SERVER; an API server refuses this\n\
             8:10: warning: imagePullPolicy: expected one of IfNotPresent, Always; an API server refuses this\n",
        ),
        (
            with("pluginConfig: \"{\\\"sampling\\\": {\\\"arg\\\": 0.1}}\""),
            1,
            "9:3: error: pluginConfig: is text, which an API server refuses: take the quotes off (or the | before it)\n",
        ),
        (
            with("pluginConfig: |\n    sampling: {arg: 0.1}"),
            1,
            "9:3: error: pluginConfig: is text, which an API server refuses: take the quotes off (or the | before it)\n",
        ),
    ] {
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        let out = run.out.replace("standard input:", "");
        let (said, _) = out
            .split_once("1 configuration checked")
            .context("an end")?;
        ensure!(run.code == code && said == expected, "{text}: {run:?}");
    }
    Ok(())
}

/// The same files are refused by a real API server, where Istio runs.
#[test]
fn what_a_real_api_server_refuses_is_told() -> Result<()> {
    let mut told = 0;
    for entry in fs::read_dir(root().join("tests/manifests/refused"))? {
        let name = entry?.file_name().into_string().unwrap_or_default();
        // Patches have no url; Telemetry and Lua are no plugins of the filter's.
        let is_apart = [
            "no-url.yaml",
            "telemetry-formatter.yaml",
            "traffic-extension-lua.yaml",
            "README.md",
        ];
        if is_apart.contains(&&*name) {
            continue;
        }
        let file = format!("tests/manifests/refused/{name}");
        let run = throughline(&["check", "--deny-warnings", &file])?;
        let is_told = [
            "; an API server refuses this",
            "which an API server refuses",
            "not a field of Istio's",
            ": error: ",
        ];
        ensure!(
            run.code == 1 && is_told.iter().any(|words| run.out.contains(words)),
            "{name}: {run:?}"
        );
        told += 1;
    }
    ensure!(told >= 20, "{told}");
    for name in ["plugin-config-text", "traffic-extension-empty"] {
        let run = throughline(&["check", &format!("tests/manifests/refused/{name}.yaml")])?;
        ensure!(run.code == 1, "{name}: {run:?}");
    }
    Ok(())
}

/// By Istio's definitions and its webhook (`ValidateWasmPlugin`), as Go reads an address.
#[test]
fn images_that_cannot_be_pulled_are_told() -> Result<()> {
    const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const SCHEME: &str = "url: expected oci://…, or one with http, https or file before ://; an API server refuses this";
    const UNREAD: &str =
        "url: istiod cannot read this, and drops the plugin: write oci:// before it";
    const IN_URL: &str =
        "url: after @ stand sha256: and 64 digits of 0-9a-f: no proxy can pull this";
    const SHA256: &str = "sha256: expected 64 digits of 0-9a-f, without sha256: before them; an API server refuses this";
    for (url, sha256, said) in [
        ("oci://registry.example/throughline", DIGEST, ""),
        ("OCI://registry.example/throughline", DIGEST, ""),
        ("https://registry.example/throughline.wasm", DIGEST, ""),
        ("file:///etc/throughline.wasm", DIGEST, ""),
        // Without a scheme it is an image.
        ("registry.example/throughline:1", DIGEST, ""),
        ("registry.example:5000/throughline:1", DIGEST, SCHEME),
        ("localhost:5000/throughline", DIGEST, SCHEME),
        ("127.0.0.1:5000/throughline", DIGEST, UNREAD),
        ("registry_1:5000/throughline", DIGEST, UNREAD),
        ("docker://registry.example/throughline", DIGEST, SCHEME),
        ("replace-this-with-oci://throughline", DIGEST, SCHEME),
        ("oci://throughline", "replace-this", SHA256),
        ("oci://throughline", &DIGEST.to_uppercase(), SHA256),
        ("oci://throughline", &format!("sha256:{DIGEST}"), SHA256),
        (&format!("oci://throughline@sha256:{DIGEST}"), DIGEST, ""),
        ("oci://throughline@sha256:0123", DIGEST, IN_URL),
        (&format!("throughline@{DIGEST}"), DIGEST, IN_URL),
        (
            &format!("oci://throughline@sha256:{}", DIGEST.to_uppercase()),
            DIGEST,
            IN_URL,
        ),
        ("https://me@throughline/x.wasm", DIGEST, ""),
    ] {
        let text = PLUGIN
            .replace("oci://registry.example/throughline:1", url)
            .replace(DIGEST, sha256);
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        let told = run
            .out
            .lines()
            .filter_map(|line| line.split_once(": warning: "));
        let told: Vec<_> = told.map(|(_, said)| said).collect();
        ensure!(
            run.code == 0 && told.join("") == said,
            "{url} {sha256}: {run:?}"
        );
    }
    Ok(())
}

#[test]
fn proxies_that_no_manifest_can_name_are_told() -> Result<()> {
    for (fields, said) in [
        ("selector: {matchLabels: {app: a}}", ""),
        ("selector: {}", ""),
        (
            "targetRefs: [{kind: Service, name: a}, {group: networking.istio.io, kind: ServiceEntry, name: a}]",
            "",
        ),
        (
            "targetRefs: [{group: gateway.networking.k8s.io, kind: GatewayClass, name: a, namespace: \"\"}]",
            "",
        ),
        (
            "selector: {matchlabels: {app: a}}",
            "9:14: warning: selector.matchlabels: not a field of Istio's, did you mean matchLabels?\n",
        ),
        (
            "selector: {matchLabels: {version: 1}}",
            "9:28: warning: selector.matchLabels: expected a string: put it in quotes; an API server refuses this\n",
        ),
        (
            "targetRefs: [{kind: Service, name: a, section: b}]",
            "9:41: warning: targetRefs[0].section: not a field of Istio's, it will be dropped\n",
        ),
        (
            "targetRefs: {kind: Service, name: a}",
            "9:3: warning: targetRefs: expected a list of at most 16; an API server refuses this\n",
        ),
        (
            "targetRefs: [{kind: Service}]",
            "9:16: warning: targetRefs[0]: expected {group: …, kind: …, name: …}; an API server refuses this\n",
        ),
        (
            "selector: {matchLabels: {app: a}}\n  targetRefs: [{kind: Service, name: a}]",
            "10:3: warning: targetRefs: only one of selector, targetRef and targetRefs can be there; an API server refuses this\n",
        ),
    ] {
        let text = format!("{PLUGIN}  {fields}\n");
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        let out = run.out.replace("standard input:", "");
        let (told, _) = out
            .split_once("1 configuration checked")
            .context("an end")?;
        ensure!(run.code == 0 && told == said, "{fields}: {run:?}");
    }
    Ok(())
}

/// A plugin of that name in which nothing stands is one all the same.
#[test]
fn a_manifest_without_a_plugin_in_it_is_told() -> Result<()> {
    let head = |kind: &str| {
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: {kind}\nmetadata: {{name: throughline}}\n"
        )
    };
    let (plugin, extension) = (head("WasmPlugin"), head("TrafficExtension"));
    let spec = "1:1: error: spec: not there, and with it neither url nor pluginConfig\n";
    let wasm = "1:1: error: spec.wasm: not there, and with it neither url nor pluginConfig\n";
    for (text, said) in [
        (plugin.clone(), spec),
        (format!("{plugin}spec:\n"), spec),
        (
            format!("{plugin}spec: []\n"),
            "4:1: error: spec: expected a map",
        ),
        (extension.clone(), spec),
        (format!("{extension}spec: {{phase: AUTHN}}\n"), wasm),
        (format!("{plugin}---\n{PLUGIN}"), spec),
    ] {
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        let out = run.out.replace("standard input:", "");
        ensure!(
            run.code == 1 && out.starts_with(said) && run.err.is_empty(),
            "{text}: {run:?}"
        );
    }
    // Lua's, and somebody else's.
    for text in [
        format!("{extension}spec: {{lua: {{}}}}\n"),
        plugin.replace("throughline", "other"),
    ] {
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        ensure!(
            run.code == 2 && run.err.contains("nothing to check"),
            "{text}: {run:?}"
        );
    }
    Ok(())
}

#[test]
fn a_proxy_that_is_described_has_its_overrides_together() -> Result<()> {
    // Each is good by itself.
    let config = b"sampling: {arg: 0.1}\n\
        overrides:\n\
        - {match: {namespaces: [a]}, config: {sampling: {arg: null, sampler: always_on}}}\n\
        - {match: {labels: {app: b}}, config: {sampling: {arg: 0.5}}}\n";
    for (arguments, code) in [
        (&["check", "-"][..], 0),
        (&["check", "--namespace", "a", "-"], 0),
        (&["check", "--label", "app=b", "-"], 0),
        (&["check", "-n", "a", "-l", "app=b", "-"], 1),
    ] {
        let run = throughline_reading(arguments, config)?;
        ensure!(run.code == code, "{arguments:?}: {run:?}");
    }
    let key = b"export: {service: a.b.svc, headers: {x: \"${env:KEY}\"}}";
    ensure!(throughline_reading(&["check", "-"], key)?.code == 1);
    ensure!(throughline_reading(&["check", "--env", "KEY=x", "-"], key)?.code == 0);
    Ok(())
}

#[test]
fn overrides_that_contradict_each_other_are_told_once_and_where() -> Result<()> {
    // Nothing stands outside them, and the last one has no part in it.
    let config = b"overrides:\n\
        - {match: {namespaces: [a]}, config: {export: {service: x.y.svc}}}\n\
        - {match: {namespaces: [other]}, config: {sampling: {arg: 0.1}}}\n\
        - {match: {labels: {app: b}}, config: {log: {level: info}, export: {cluster: c}}}\n\
        - {match: {namespaces: [a]}, config: {sampling: {arg: 0.5}}}\n";
    let run = throughline_reading(&["check", "-n", "a", "-l", "app=b", "-"], config)?;
    ensure!(
        run.code == 1
            && run.out
                == "standard input:4:69: error: overrides[2].config: export.cluster: service is given too; keep one of them \
                    (with what it is merged into for this proxy)\n1 configuration checked: 1 error\n",
        "{run:?}"
    );
    // Two, of which the second is over what stands outside.
    let config = b"sampling: {sampler: traceidratio, arg: 0.1}\n\
        overrides:\n\
        - {match: {namespaces: [a]}, config: {sampling: {arg: null, sampler: always_on}}}\n\
        - {match: {namespaces: [a]}, config: {sampling: {arg: 0.5}}}\n\
        - {match: {namespaces: [a]}, config: {sampling: {arg: 0.7}}}\n";
    let run = throughline_reading(&["check", "-n", "a", "-"], config)?;
    let told: Vec<&str> = run.out.lines().collect();
    ensure!(
        run.code == 1
            && told.len() == 3
            && told[0]
                .starts_with("standard input:4:50: error: overrides[1].config: sampling.arg: ")
            && told[1]
                .starts_with("standard input:5:50: error: overrides[2].config: sampling.arg: "),
        "{run:?}"
    );
    Ok(())
}

#[test]
fn a_text_with_a_configuration_in_it_is_told_from_one() -> Result<()> {
    let values = fs::read_to_string(root().join("charts/throughline/values.yaml"))?;
    let envoy = fs::read_to_string(root().join("examples/envoy/envoy.yaml"))?;
    let readme = fs::read_to_string(root().join("README.md"))?;
    let (_, snippet) = readme
        .split_once("```yaml\npluginConfig:")
        .context("a snippet")?;
    let (snippet, _) = snippet.split_once("```").context("an end")?;
    for (text, said) in [
        (
            format!("pluginConfig:{snippet}"),
            "error: pluginConfig: unknown field: the configuration stands below it",
        ),
        (
            values,
            "error: config: unknown field: the configuration stands below it. In the chart's values it is checked as it is rendered: helm template … | throughline check -",
        ),
        (envoy, "unknown field: of an Envoy configuration"),
    ] {
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        ensure!(
            run.code == 1 && run.out.contains(said) && run.out.lines().count() == 2,
            "{said}: {run:?}"
        );
    }
    Ok(())
}

#[test]
fn a_variable_is_set_where_it_can_be() -> Result<()> {
    let export = "export: {service: a.b.svc, headers: {x: \"${env:API_KEY}\"}}";
    let manifest = format!("{PLUGIN}  pluginConfig: {{{export}}}\n");
    for (text, said) in [
        (
            export,
            "the variable \"API_KEY\" is not set in vmConfig.env (or --env API_KEY=…)\n",
        ),
        (
            &manifest,
            "the variable \"API_KEY\" is not set in vmConfig.env\n",
        ),
    ] {
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        ensure!(run.code == 1 && run.out.contains(said), "{run:?}");
    }
    Ok(())
}

#[test]
fn where_there_may_be_more_that_is_said() -> Result<()> {
    for (mistakes, last) in [
        (31, "31 errors"),
        (
            40,
            "32 errors; there may be more, 32 of one configuration are told",
        ),
    ] {
        let text: String = (0..mistakes)
            .map(|field| format!("f{field}: 1\n"))
            .collect();
        let run = throughline_reading(&["check", "-"], text.as_bytes())?;
        ensure!(
            run.out
                .trim_end()
                .ends_with(&format!("1 configuration checked: {last}")),
            "{run:?}"
        );
        let run = throughline_reading(&["check", "--format", "json", "-"], text.as_bytes())?;
        let report: Value = serde_json::from_str(&run.out)?;
        ensure!(report["mayHaveMore"] == (mistakes > 31), "{report:#}");
    }
    Ok(())
}

#[test]
fn the_repositorys_own_manifests_are_good() -> Result<()> {
    let policy = "examples/envoy-gateway/extension-policy.yaml";
    let run = throughline(&["check", "--deny-warnings", policy])?;
    ensure!(run.code == 0, "{policy}: {run:?}");
    // It ships without an image, so that an API server refuses what nobody pinned.
    let base = "wasmplugin/base/throughline.yaml";
    let run = throughline(&["check", base])?;
    let warned = run.out.lines().filter(|line| line.contains(": warning: "));
    let [url, sha256] = [
        ": warning: url: expected oci://",
        ": warning: sha256: expected 64 digits",
    ];
    let is_of_image = |line: &str| line.contains(url) || line.contains(sha256);
    ensure!(
        run.code == 0 && warned.clone().count() == 2 && warned.clone().all(is_of_image),
        "{base}: {run:?}"
    );
    let pinned = fs::read_to_string(root().join(base))?
        .replace("replace-this-with-oci://", "oci://")
        .replace("replace-this-with-the-manifest-digest", &"0a".repeat(32));
    let run = throughline_reading(&["check", "--deny-warnings", "-"], pinned.as_bytes())?;
    ensure!(run.code == 0, "{base}, pinned: {run:?}");
    Ok(())
}

/// What the module is told of in the tests of its configuration, it is told of here, too.
#[test]
fn what_the_module_takes_is_taken_and_what_it_refuses_is_refused() -> Result<()> {
    let (mut taken, mut refused) = (0, 0);
    for file in fs::read_dir(root().join("tests/config"))? {
        let text = fs::read_to_string(file?.path())?;
        for literal in text.split("r#\"").skip(1) {
            let (json, _) = literal.split_once("\"#").context("an end")?;
            if !serde_json::from_str::<Value>(json).is_ok_and(|json| json.is_object()) {
                continue;
            }
            let loaded = config::load(json.as_bytes(), &|_: &str| None, &mut UnknownNode);
            let text = Text {
                name: "row".to_owned(),
                bytes: json.as_bytes().to_vec(),
            };
            let mut report = Report::default();
            check(&text, &Proxy::default(), &mut report)?;
            match loaded {
                Ok(_) => {
                    taken += 1;
                    ensure!(report.errors == 0, "{json}: {report:#?}");
                }
                Err(problem) => {
                    refused += 1;
                    let mut messages = report.diagnostics.iter().map(|said| &said.message);
                    ensure!(
                        // A way to mend it may be added.
                        messages.any(|message| problem.message.contains(&**message)
                            || message.starts_with(&problem.message)),
                        "{json}: {problem}, not {report:#?}"
                    );
                }
            }
        }
    }
    ensure!(taken > 30 && refused > 100, "{taken} {refused}");
    Ok(())
}

/// Bounded, and never a panic.
#[test]
fn hostile_texts_are_refused_soon() -> Result<()> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let laughs = |levels: usize| {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..levels {
            let below = format!("*a{}, ", level - 1).repeat(9);
            text += &format!("a{level}: &a{level} [{below}]\n");
        }
        text.into_bytes()
    };
    let chain = |length: usize| {
        let mut text = "- &a0 [x]\n".to_owned();
        for index in 1..length {
            text += &format!("- &a{index} [*a{}]\n", index - 1);
        }
        text.into_bytes()
    };
    let indented: String = (0..10_000)
        .map(|depth| " ".repeat(depth.min(2_000)) + "-\n")
        .collect();
    let rows: Vec<(&str, Vec<u8>, &str, i32)> = vec![
        (
            "binary",
            vec![0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0xff],
            "not UTF-8 in line 1",
            2,
        ),
        (
            "not UTF-8",
            b"a: 1\nb: \xff\n".to_vec(),
            "not UTF-8 in line 2",
            2,
        ),
        ("UTF-16", b"\xff\xfea\0:\0".to_vec(), "not UTF-8", 2),
        ("a NUL", b"a: \0\n".to_vec(), "error", 1),
        (
            "deep lists",
            vec![b'['; 1_000_000],
            "recursion limit exceeded",
            1,
        ),
        ("deep maps", b"{a: ".repeat(500_000), "error", 1),
        (
            "deep blocks",
            b"- ".repeat(100_000),
            "more than 127 values inside each other",
            1,
        ),
        ("deep and long", indented.into_bytes(), "error", 1),
        ("a billion laughs", laughs(40), "more than 65536 values", 1),
        (
            "a long chain of aliases",
            chain(100_000),
            "more than 127 values inside each other",
            1,
        ),
        (
            "many merges of many fields",
            {
                let fields: String = (0..2000).map(|field| format!("f{field}: 1, ")).collect();
                let merges = "- {<<: *a}\n".repeat(100_000);
                format!("- &a {{{fields}}}\n{merges}").into_bytes()
            },
            "more than 1000000 values",
            1,
        ),
        ("an alias of itself", b"a: &a [*a]\n".to_vec(), "error", 1),
        ("an alias of nothing", b"a: *b\n".to_vec(), "error", 1),
        (
            "very many values",
            b"- a\n".repeat(2_000_000),
            "more than 1000000 values",
            1,
        ),
        (
            "very many fields",
            (0..200_000)
                .flat_map(|field| format!("f{field}: 1\n").into_bytes())
                .collect(),
            "more than 65536 values",
            1,
        ),
        (
            "very many documents",
            b"samplng: {}\n---\n".repeat(500_000),
            "from here on nothing is looked at",
            1,
        ),
        (
            "a field twice",
            b"sampling: {}\nsampling: {}\n".to_vec(),
            "2:1: error: the field sampling is given twice",
            1,
        ),
        (
            "a field twice, below",
            b"sampling: {arg: 1, arg: 1}\n".to_vec(),
            "1:20: error: the field sampling.arg is given twice",
            1,
        ),
        (
            "a field twice, in a list",
            b"sampling: {rules: [{}, {match: {}, ratio: 1, match: {}}]}\n".to_vec(),
            "1:46: error: the field sampling.rules[1].match is given twice",
            1,
        ),
        (
            "a tab",
            b"sampling:\n\targ: 1\n".to_vec(),
            "2:2: error: not YAML: tabs disallowed",
            1,
        ),
        (
            "a list",
            b"[]".to_vec(),
            "1:1: error: expected an object with enabled",
            1,
        ),
        (
            "a list for a name",
            b"? [a]\n: 1\n".to_vec(),
            "1:3: error: a field's name is a list or a map",
            1,
        ),
        (
            "a wrong tag",
            b"enabled: !!bool x\n".to_vec(),
            "is no !!bool",
            1,
        ),
        (
            "CRLF",
            b"sampling:\r\n  arg: 10\r\n".to_vec(),
            "2:3: error: sampling.arg",
            1,
        ),
        (
            "a BOM",
            b"\xef\xbb\xbfsampling: {arg: 10}\n".to_vec(),
            "1:12: error: sampling.arg",
            1,
        ),
        (
            "a long line",
            [b"samplng: ".as_slice(), &vec![b'x'; 10_000_000]].concat(),
            "at most 65536 are taken",
            1,
        ),
        (
            "control characters",
            b"\"a\\u001b[31m\": 1\n".to_vec(),
            "unknown field",
            1,
        ),
        (
            "too much",
            vec![b'#'; 33 * 1024 * 1024],
            "more than 32 MiB",
            2,
        ),
    ];
    for (what, text, expected, code) in rows {
        let begun = Instant::now();
        let run = throughline_reading(&["check", "-"], &text)?;
        let said = run.out.clone() + &run.err;
        ensure!(
            run.code == code && said.contains(expected) && !said.contains('\u{1b}'),
            "{what}: {} {said:.1000}",
            run.code
        );
        ensure!(said.len() < 128 * 1024, "{what}: {} bytes", said.len());
        ensure!(begun.elapsed() < PATIENCE, "{what}: {:?}", begun.elapsed());
    }
    let directory = TempDir::new()?;
    let huge = directory.path().join("huge.yaml");
    fs::File::create(&huge)?.set_len(300 * 1024 * 1024)?;
    let huge = huge.display().to_string();
    for (arguments, expected) in [
        (vec!["check", &huge], "more than 32 MiB"),
        (vec!["check", "/nowhere"], "cannot be read"),
        (vec!["check", "/"], "cannot be read"),
        (vec!["check", "http://localhost:1"], "is an address"),
        (vec!["check", "--label", "app", "-"], "expected NAME=VALUE"),
        (vec!["check", "--format", "xml", "-"], "text"),
        (vec!["check"], "FILE"),
    ] {
        let run = throughline(&arguments)?;
        ensure!(
            run.code == 2 && run.err.contains(expected),
            "{arguments:?}: {run:?}"
        );
    }
    // What can be read is checked all the same.
    let run = throughline(&["check", "/nowhere", "wasmplugin/base/throughline.yaml"])?;
    ensure!(
        run.code == 2 && run.out.contains("1 configuration checked"),
        "{run:?}"
    );
    Ok(())
}

/// In whatever order they are given: a mistake in one file checks no other.
#[test]
fn each_file_is_looked_at_by_itself() -> Result<()> {
    let directory = TempDir::new()?;
    let file = |name: &str, text: &str| -> Result<String> {
        let path = directory.path().join(name);
        fs::write(&path, text)?;
        Ok(path.display().to_string())
    };
    let good = file("good.yaml", "sampling: {arg: 0.1}")?;
    let bad = file("bad.yaml", "samplng: {}")?;
    let broken = file("broken.yaml", "a: [")?;
    let empty = file("empty.yaml", "")?;
    for (files, empty_ones, code) in [
        ([&good, &bad], 0, 1),
        ([&good, &broken], 0, 1),
        ([&good, &empty], 1, 2),
        ([&bad, &empty], 1, 2),
        ([&broken, &empty], 1, 2),
        ([&empty, &bad], 1, 2),
        ([&empty, &empty], 2, 2),
    ] {
        let run = throughline(&["check", files[0], files[1]])?;
        let said = run.err.matches("empty.yaml: nothing to check").count();
        ensure!(run.code == code && said == empty_ones, "{files:?}: {run:?}");
    }
    Ok(())
}

/// On standard error, too, as in text.
#[test]
fn what_cannot_be_read_is_in_the_json() -> Result<()> {
    let directory = TempDir::new()?;
    let empty = directory.path().join("empty.yaml").display().to_string();
    fs::write(&empty, "")?;
    let base = "cli/tests/commands/pluginconfig.yaml";
    for (file, said) in [
        ("/nonexist", "cannot be read: "),
        (&*empty, "nothing to check: "),
        ("http://x/y", "is an address: "),
    ] {
        let run = throughline(&["check", "--format", "json", base, file])?;
        let report: Value = serde_json::from_str(&run.out)?;
        let diagnostics = report["diagnostics"].as_array().context("a list")?;
        let last = diagnostics.last().context("one")?;
        let message = last["message"].as_str().unwrap_or_default();
        ensure!(
            run.code == 2
                && report["errors"] == 5
                && diagnostics.len() == 5
                && last["file"] == file
                && last["severity"] == "error"
                && (last["line"] == 1 && last["path"] == "")
                && message.starts_with(said)
                && run.err.contains(said),
            "{run:?}"
        );
        let run = throughline(&["check", file])?;
        ensure!(
            run.out == "0 configurations checked: nothing to say\n",
            "{run:?}"
        );
    }
    Ok(())
}

/// With or without apiVersion and kind, as kustomize takes it.
#[test]
fn what_renders_a_manifest_is_named_where_there_is_none() -> Result<()> {
    let run = throughline(&["check", "wasmplugin/overlays/prod/kustomization.yaml"])?;
    let hint = "kubectl kustomize wasmplugin/overlays/prod | throughline check -";
    ensure!(run.code == 2 && run.err.contains(hint), "{run:?}");
    let run = throughline_reading(&["check", "-"], b"resources: [../../base]\n")?;
    ensure!(
        run.code == 1
            && run
                .out
                .contains("kubectl kustomize DIR | throughline check -"),
        "{run:?}"
    );
    let run = throughline_reading(
        &["check", "-"],
        b"resources: {team: {literal: {value: x}}}\n",
    )?;
    ensure!(
        run.code == 1 && run.out.contains("did you mean resource?"),
        "{run:?}"
    );
    Ok(())
}

/// Pieces of YAML, of which most mixtures are none.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("sampling"),
        Just(": "),
        Just("\n"),
        Just("  "),
        Just("- "),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(", "),
        Just("&a "),
        Just("*a"),
        Just("!!str "),
        Just("!"),
        Just("'"),
        Just("\""),
        Just("|\n"),
        Just(">-\n"),
        Just("---\n"),
        Just("...\n"),
        Just("%YAML 1.2\n"),
        Just("#"),
        Just("\t"),
        Just("\r"),
        Just("? "),
        Just("<<"),
        Just("overrides"),
        Just("customTags"),
        Just("0.1"),
        Just("\\u"),
        Just("é"),
        Just("\u{2028}"),
        Just("\u{feff}"),
        Just("kind: WasmPlugin\n"),
        Just("apiVersion: v1\n"),
        Just("spec:\n"),
        Just("items:\n"),
        Just("kind: List\n"),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_makes_it_panic(text in pieces(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for bytes in [text.into_bytes(), bytes] {
            let text = Text { name: "any".to_owned(), bytes };
            let mut report = Report::default();
            // Bytes that are no text are an error, and nothing else.
            let _ = check(&text, &Proxy::default(), &mut report);
            prop_assert!(report.text().lines().count() <= report.diagnostics.len() + 1);
        }
    }
}
