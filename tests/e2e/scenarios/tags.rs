//! Custom tags from every source to every sink, and the service's name.

use super::TRACEPARENT;
use super::everywhere::percent_decoded;
use crate::stage::{Stage, check_health};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::mpsc;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Headers, Request, Response, Server, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, Tracing};
use throughline_dev::poll;

const NODE_ID: &str =
    "sidecar~127.0.0.1~productpage-v1-7d4f8c9b5-x2x7k.bookinfo~bookinfo.svc.cluster.local";

/// A tag, its source, and its value when the request below comes in; `None` where it is absent.
pub fn tags(default: &str) -> Vec<(&'static str, Value, Option<&'static str>)> {
    let or = |mut source: Value, value: &str| {
        source[default] = json!(value);
        source
    };
    let variable = |name: &str| json!({"name": name});
    let path = |path: &str| json!({"path": path});
    vec![
        (
            "service.name",
            json!({"literal": {"value": "istio service, é"}}),
            Some("istio service, é"),
        ),
        (
            "stage",
            json!({"environment": variable("ENVIRONMENT")}),
            Some("production"),
        ),
        (
            "stage_or",
            json!({"environment": or(variable("NOT_SET"), "dev")}),
            Some("dev"),
        ),
        (
            "stage_absent",
            json!({"environment": variable("NOT_SET")}),
            None,
        ),
        (
            "tenant",
            json!({"header": {"name": "X-Tenant"}}),
            Some("acme"),
        ),
        (
            "tenant_or",
            json!({"header": or(variable("x-none"), "none")}),
            Some("none"),
        ),
        ("tenant_absent", json!({"header": variable("x-none")}), None),
        (
            "k8s.pod.name",
            json!({"node": path("NAME")}),
            Some("productpage-v1-7d4f8c9b5-x2x7k"),
        ),
        (
            "app",
            json!({"node": path("LABELS.app")}),
            Some("productpage"),
        ),
        (
            "canonical",
            json!({"node": path("LABELS.service.istio.io/canonical-name")}),
            Some("productpage"),
        ),
        (
            "node_or",
            json!({"node": or(path("NOTHING"), "here")}),
            Some("here"),
        ),
        (
            "upstream",
            json!({"attribute": path("xds.cluster_name")}),
            Some("app"),
        ),
        (
            "proxy_id",
            json!({"attribute": path("xds.node.id")}),
            Some(NODE_ID),
        ),
        (
            "direction",
            json!({"attribute": {"path": "xds.listener_direction", "type": "int"}}),
            Some("1"),
        ),
        (
            "path",
            json!({"attribute": path("request.path")}),
            Some("/tagged?a=b"),
        ),
        (
            "mtls",
            json!({"attribute": path("connection.mtls")}),
            Some("false"),
        ),
        (
            "plugin",
            json!({"attribute": path("plugin_name")}),
            Some("throughline"),
        ),
        (
            "host_header",
            json!({"attribute": path("request.headers.x-tenant")}),
            Some("acme"),
        ),
        (
            "state_or",
            json!({"attribute": or(path("filter_state.nothing"), "no")}),
            Some("no"),
        ),
    ]
}

pub fn sinks(release: Release, module: &Path) -> Result<()> {
    let plugin = Plugin::new(module, &json!({})).environment("ENVIRONMENT", "production");
    let keys = tags("").into_iter().map(|(name, _, _)| name);
    let stage = Stage::start_with(release, &plugin, |proxy| {
        proxy.each_listener(|listener| {
            keys.clone()
                .chain(["port"])
                .fold(listener, |listener, name| {
                    let state = name.replace('.', "_");
                    listener.log(
                        name,
                        &format!("%FILTER_STATE(wasm.throughline.tag.{state}:PLAIN)%"),
                    )
                })
        })
    })?;
    stage.app.calls(Vec::new());
    for (spelling, default) in [
        ("customTags", "defaultValue"),
        ("custom_tags", "default_value"),
    ] {
        let tags = tags(default);
        let mut config: serde_json::Map<_, _> = tags
            .iter()
            .map(|(name, source, _)| ((*name).to_owned(), source.clone()))
            .collect();
        config.insert(
            "port".to_owned(),
            json!({"attribute": {"path": "source.port"}}),
        );
        let config = json!({spelling: config, "tags": {"to": ["accessLog", "header:X-Tag-{tag}", "baggage"]}});
        plugin
            .clone()
            .configured(&config.to_string())
            .reload(&stage.envoy)?;
        let request = Request::get("/tagged?a=b")
            .header("x-tenant", "acme")
            .header("x-tag-tenant_absent", "the client's own")
            .header("x-tag-stage", "the client's own")
            .header("baggage", "user=7;p,stage=forged");
        // The worker takes it over a moment after the main thread has.
        let seen = poll::until("the tags", || {
            let answer = client::send(stage.envoy.listener("inbound")?, &request)?;
            ensure!(answer.status == 200, "{answer:?}");
            let seen = stage
                .app
                .take_seen()
                .pop()
                .context("no request arrived")?
                .headers;
            Ok(seen.contains("x-tag-app").then_some(seen))
        })?;
        let entry = poll::until("the access log entry", || {
            let last = stage.envoy.access_log("inbound")?.pop();
            Ok(last.filter(|entry| !entry["app"].is_null()))
        })?;
        check(&tags, &seen, &entry).with_context(|| spelling.to_owned())?;
        // What reports spans has the tags as well, and no trace.
        let exporters = Request::get("/").header("b3", "0");
        let exporters = exporters.header("x-tag-stage", "forged");
        client::send(stage.envoy.listener("inbound")?, &exporters)?;
        let seen = stage.app.take_seen().pop().context("no call arrived")?;
        let get = |name| seen.headers.get(name);
        ensure!(get("x-tag-stage") == Some(b"production"), "{seen:?}");
        ensure!(get("traceparent").is_none(), "{seen:?}");
        // Gone again before the other spelling.
        plugin.clone().reload(&stage.envoy)?;
        poll::until("the tags to go", || {
            client::send(stage.envoy.listener("inbound")?, &Request::get("/"))?;
            let seen = stage
                .app
                .take_seen()
                .pop()
                .context("no request arrived")?
                .headers;
            let last = stage.envoy.access_log("inbound")?.pop();
            Ok(
                (!seen.contains("x-tag-app") && last.is_some_and(|entry| entry["app"].is_null()))
                    .then_some(()),
            )
        })?;
    }
    stage.check_health()
}

fn check(tags: &[(&str, Value, Option<&str>)], seen: &Headers, entry: &Value) -> Result<()> {
    let baggage: Vec<_> = seen.all("baggage").map(String::from_utf8_lossy).collect();
    let baggage = baggage.join(",");
    for (name, _, value) in tags {
        let header = format!("x-tag-{}", name.replace('.', "-"));
        let got: Vec<_> = seen.all(&header).map(String::from_utf8_lossy).collect();
        let wanted: Vec<&str> = value.iter().copied().collect();
        ensure!(
            got == wanted,
            "{header} is {got:?}, not {wanted:?}\n{seen:?}"
        );
        ensure!(
            entry[*name].as_str() == *value,
            "{name} in the access log is {}, not {value:?}",
            entry[*name]
        );
        let member = baggage
            .split(',')
            .find_map(|member| member.strip_prefix(&format!("{name}=")));
        let member = member.map(percent_decoded);
        ensure!(
            member.as_deref() == *value,
            "{name} in the baggage is {member:?}, not {value:?}: {baggage}"
        );
    }
    ensure!(
        baggage.starts_with("user=7;p,stage=production,"),
        "the baggage is {baggage}"
    );
    let port = entry["port"]
        .as_str()
        .and_then(|port| port.parse::<u16>().ok());
    let header = seen.get("x-tag-port").map(String::from_utf8_lossy);
    ensure!(
        port.is_some() && header.as_deref() == entry["port"].as_str(),
        "{header:?}, {}",
        entry["port"]
    );
    Ok(())
}

/// One tag in a header of one name; and what a client sends under it is never taken for it.
pub fn one_header(release: Release, module: &Path) -> Result<()> {
    let config = json!({
        "customTags": {"tenant": {"header": {"name": "x-tenant"}}},
        "tags": {"to": ["header:x-the-tag"]},
    });
    let stage = Stage::start(release, module, &config)?;
    stage.app.calls(Vec::new());
    for (sent, expected) in [
        (Headers::new().with("x-tenant", "acme"), Some("acme")),
        (
            Headers::new()
                .with("x-tenant", "acme")
                .with("x-the-tag", "forged")
                .with("x-the-tag", "twice"),
            Some("acme"),
        ),
        (Headers::new().with("x-the-tag", "forged"), None),
        (
            Headers::new().with("x-tenant", b"a\xffb"),
            Some("a\u{fffd}b"),
        ),
    ] {
        client::send(
            stage.envoy.listener("inbound")?,
            &Request::get("/").headers(&sent),
        )?;
        let seen = stage
            .app
            .take_seen()
            .pop()
            .context("no request arrived")?
            .headers;
        let got: Vec<_> = seen.all("x-the-tag").collect();
        let wanted: Vec<_> = expected.map(str::as_bytes).into_iter().collect();
        ensure!(got == wanted, "{sent:?}became\n{seen:?}");
    }
    stage.check_health()
}

/// Envoy's own spans have the filter's tags of every source: from filter state where Envoy can, else from a header.
pub fn native_spans(release: Release, module: &Path) -> Result<()> {
    let (reported, reports) = mpsc::channel();
    let collector = Server::start(move |request| {
        // Nobody listens only when the test has failed already.
        let _ = reported.send(request.body);
        Response::new(202)
    })?;
    let app = App::start()?;
    let tags = tags("defaultValue");
    let sources: serde_json::Map<_, _> = tags
        .iter()
        .map(|(name, source, _)| ((*name).to_owned(), source.clone()))
        .collect();
    let config = json!({
        "customTags": sources,
        "tags": {"to": ["nativeSpan", "header:x-tag-{tag}"]},
    });
    let has_formatter = release > Release::find("1.36")?;
    let mut of_envoy = Vec::new();
    for (name, ..) in &tags {
        let header = format!("x-tag-{}", name.replace('.', "-"));
        of_envoy.push(json!({"tag": by_header(name), "request_header": {"name": header}}));
        let state = name.replace('.', "_");
        let value = format!("%FILTER_STATE(wasm.throughline.tag.{state}:PLAIN)%");
        of_envoy
            .extend(has_formatter.then(|| json!({"tag": by_filter_state(name), "value": value})));
    }
    if has_formatter {
        let value = "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%";
        of_envoy.push(json!({"tag": "trace", "value": value}));
    }
    let plugin = Plugin::new(module, &config).environment("ENVIRONMENT", "production");
    let listener = Listener::inbound("inbound")
        .plugin(&plugin)
        .tracing(Tracing::zipkin("collector", 100.0))
        .merge(&json!({"tracing": {"custom_tags": of_envoy}}))
        .route(Route::any("app"));
    let envoy = Proxy::new(Node::sidecar("productpage", "productpage-v1", "bookinfo"))
        .listener(listener)
        .cluster(Cluster::new("app", app.address()))
        .cluster(Cluster::new("collector", collector.address()))
        .merge(
            &json!({"layered_runtime": {"layers": [{"name": "now", "static_layer": {
                "tracing.zipkin.min_flush_spans": 1,
            }}]}}),
        )
        .start(&release.binary()?)?;
    let request = Request::get("/tagged?a=b")
        .header("x-tenant", "acme")
        .header("traceparent", TRACEPARENT);
    client::send(envoy.listener("inbound")?, &request)?;
    let spans: Value = serde_json::from_slice(&reports.recv_timeout(poll::PATIENCE)?)?;
    let got = &spans[0]["tags"];
    for (name, _, expected) in &tags {
        ensure!(
            got[by_header(name)].as_str() == *expected,
            "{name} by its header: {spans:#}"
        );
        if has_formatter {
            ensure!(
                got[by_filter_state(name)].as_str() == *expected,
                "{name} by its filter state: {spans:#}"
            );
        }
    }
    if has_formatter {
        let traced = got["trace"].as_str().is_some_and(|trace| trace.len() == 32);
        ensure!(traced, "{spans:#}");
    }
    check_health(&envoy)
}

fn by_header(tag: &str) -> String {
    format!("{tag} by header")
}

fn by_filter_state(tag: &str) -> String {
    format!("{tag} by filter state")
}
