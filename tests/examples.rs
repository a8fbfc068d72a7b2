//! What the repository hands to users as YAML, run or held against the rules of what will read it.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
};
use throughline::{config, policy::service::UnknownNode};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use throughline_dev::{
    built,
    envoy::{Envoy, Options, Release, access_log_path},
    http::{Request, client},
    poll,
    process::OwnedChild,
    receiver::Receiver,
};

fn yaml(path: &str) -> Result<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_yaml_ng::from_str(&text).with_context(|| path.display().to_string())
}

/// Calls `change` for every object in `value`.
fn each_object(value: &mut Value, change: &mut dyn FnMut(&mut serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, change)),
        Value::Object(fields) => {
            change(fields);
            fields
                .values_mut()
                .for_each(|field| each_object(field, change));
        }
        _ => {}
    }
}

/// `examples/envoy/echo.py`, and where it listens.
fn echo() -> Result<(OwnedChild, SocketAddr)> {
    let mut command = Command::new("python3");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/envoy/echo.py");
    let output = std::io::pipe()?;
    command
        .arg(program)
        .arg("0")
        .stdout(output.1)
        .stderr(Stdio::null());
    let child = OwnedChild::spawn(command)?;
    let mut line = String::new();
    BufReader::new(output.0).read_line(&mut line)?;
    let port = line.trim().strip_prefix("listening on ");
    let port = port.with_context(|| format!("echo.py says {line:?}"))?;
    Ok((child, (Ipv4Addr::LOCALHOST, port.parse()?).into()))
}

/// `examples/envoy/envoy.yaml` with its service and collector, free ports, and the module from target/.
fn plain_envoy(
    release: Release,
    service: SocketAddr,
    collector: SocketAddr,
    directory: &Path,
) -> Result<Envoy> {
    let mut config = yaml("examples/envoy/envoy.yaml")?;
    let (module, log) = (built::module()?, access_log_path(directory, "http"));
    each_object(&mut config, &mut |fields| {
        let host = fields.get("address").and_then(Value::as_str);
        let moved = match host {
            Some("service") => Some(service),
            Some("collector") => Some(collector),
            _ => None,
        };
        if let Some(address) = moved {
            fields.insert("address".into(), json!(address.ip()));
            fields.insert("port_value".into(), json!(address.port()));
        } else if fields.contains_key("port_value") {
            fields.insert("address".into(), json!("127.0.0.1"));
            fields.insert("port_value".into(), json!(0));
        }
        if fields.contains_key("filename") {
            fields.insert("filename".into(), json!(module));
        }
        if fields.get("path") == Some(&json!("/dev/stdout")) {
            fields.insert("path".into(), json!(log));
        }
    });
    Envoy::start(&release.binary()?, &Options::default(), |_| Ok(config))
}

#[test]
fn the_plain_envoy_example_does_what_its_readme_shows() -> Result<()> {
    for version in ["1.36.4", "1.40.0"] {
        let (_service, address) = echo()?;
        let collector = Receiver::start()?;
        let directory = tempfile::tempdir()?;
        let release = Release::find(version)?;
        let envoy = plain_envoy(release, address, collector.http(), directory.path())?;
        let b3 = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1";
        let answer = client::send(
            envoy.listener("http")?,
            &Request::get("/")
                .header("host", "localhost")
                .header("b3", b3),
        )?
        .text();
        let readme = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/envoy/README.md"),
        )?;
        // The README shows a request whose hop had this span.
        let shown = "8a0cf6fdf58a1109";
        let traceparent = answer
            .lines()
            .find_map(|line| line.strip_prefix("traceparent: "));
        let hop = traceparent.and_then(|text| text.split('-').nth(2));
        let hop = hop.with_context(|| answer.clone())?;
        for line in readme
            .lines()
            .filter(|line| line.contains(shown) || *line == "x-b3-sampled: 1")
        {
            let line = line.replace(shown, hop);
            assert!(answer.lines().any(|got| got == line), "{line} in\n{answer}");
        }
        assert_eq!(
            readme.matches(shown).count(),
            3,
            "b3, traceparent, x-b3-spanid"
        );
        let metric = r#"throughline_requests{origin="b3"} 1"#;
        assert!(readme.contains(metric));
        let page = envoy.prometheus()?;
        assert!(page.lines().any(|line| line == metric), "{page}");
        let entry = poll::until("the access log entry", || {
            let text = fs::read_to_string(access_log_path(directory.path(), "http"))?;
            Ok(text.lines().next().map(str::to_owned))
        })?;
        let entry: Value = serde_json::from_str(&entry)?;
        assert_eq!(entry["trace.id"], "80f198ee56343ba864fe8b2a57d3eff7");
        assert_eq!(entry["trace.sampled"], "true");
        assert_eq!(entry["service.name"], "example");
        let spans = collector.wait_for(2)?;
        for span in &spans {
            assert_eq!(span.trace_id, "80f198ee56343ba864fe8b2a57d3eff7");
            assert_eq!(span.service, "example");
        }
        let has = |id: &Value| spans.iter().any(|span| *id == json!(span.span_id));
        assert!(has(&json!(hop)) && has(&entry["span.id"]), "{spans:#?}");
        assert!(collector.invalid().is_empty(), "{:?}", collector.invalid());
    }
    Ok(())
}

/// The CRD's pattern for `sha256` (istio.io/api 1.31.1, kubernetes/customresourcedefinitions.gen.yaml):
/// `(^$|^[a-f0-9]{64}$)`. The API server refuses an object that does not match.
fn api_server_takes_sha256(digest: &str) -> bool {
    digest.is_empty()
        || (digest.len() == 64
            && digest
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9')))
}

/// The CRD's rule for `url`, for a text that is a URL: `url(self).getScheme() in ["", "http", "https", "oci", "file"]`.
fn api_server_takes_url(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => ["http", "https", "oci", "file"].contains(&scheme),
        None => true,
    }
}

#[test]
fn a_placeholder_that_was_not_replaced_is_refused_on_apply() -> Result<()> {
    let manifest = yaml("wasmplugin/base/throughline.yaml")?;
    let field = |name: &str| {
        manifest["spec"][name]
            .as_str()
            .map(str::to_owned)
            .context(name.to_owned())
    };
    assert!(
        !api_server_takes_url(&field("url")?),
        "each alone, so that one left over is enough"
    );
    assert!(!api_server_takes_sha256(&field("sha256")?));
    assert!(api_server_takes_url("oci://registry.example/throughline"));
    assert!(api_server_takes_sha256(&"0a".repeat(32)));
    Ok(())
}

#[test]
fn the_manifest_names_what_the_module_answers_to_and_never_stops_traffic() -> Result<()> {
    let manifest = yaml("wasmplugin/base/throughline.yaml")?;
    assert_eq!(manifest["kind"], "WasmPlugin");
    let spec = &manifest["spec"];
    assert_eq!(spec["pluginName"], "throughline");
    assert_eq!(spec["failStrategy"], "FAIL_OPEN");
    assert_eq!(spec["phase"], "AUTHN");
    // The filter itself takes the configuration.
    let config = spec["pluginConfig"].to_string();
    config::load(config.as_bytes(), &|_: &str| None, &mut UnknownNode)?;
    Ok(())
}

#[test]
fn envoy_gateways_policy_fails_open_and_its_configuration_is_taken() -> Result<()> {
    let policy = yaml("examples/envoy-gateway/extension-policy.yaml")?;
    let wasm = &policy["spec"]["wasm"][0];
    assert_eq!(wasm["rootID"], "throughline");
    assert_eq!(wasm["failOpen"], true);
    let config = wasm["config"].to_string();
    config::load(config.as_bytes(), &|_: &str| None, &mut UnknownNode)?;
    Ok(())
}
