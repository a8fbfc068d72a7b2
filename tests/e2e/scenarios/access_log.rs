//! The trace in the access log, in the format that wasmplugin/meshconfig.yaml gives Istio.

use super::{SPAN, TRACE, TRACEPARENT};
use crate::stage::check_health;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Client, Request};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, documented_access_log};
use throughline_dev::poll;

/// Istio's default JSON log (istio/istio, pilot/pkg/model/telemetry_logging.go, EnvoyJSONLogFormatIstio).
const ISTIO: [&str; 24] = [
    "authority",
    "bytes_received",
    "bytes_sent",
    "connection_termination_details",
    "downstream_local_address",
    "downstream_remote_address",
    "duration",
    "method",
    "path",
    "protocol",
    "request_id",
    "requested_server_name",
    "response_code",
    "response_code_details",
    "response_flags",
    "route_name",
    "start_time",
    "upstream_cluster",
    "upstream_host",
    "upstream_local_address",
    "upstream_service_time",
    "upstream_transport_failure_reason",
    "user_agent",
    "x_forwarded_for",
];

pub fn trace_ids(release: Release, module: &Path) -> Result<()> {
    let app = App::start()?;
    let envoy = proxy(&Plugin::new(module, &json!({})), &app)?.start(&release.binary()?)?;
    let mut log = Log {
        client: Client::connect(envoy.listener("inbound")?)?,
        envoy: &envoy,
        entries: 0,
    };
    let is = |entry: &Value, trace: &str, span: &str, sampled: &str| {
        entry["trace.id"] == trace && entry["span.id"] == span && entry["trace.sampled"] == sampled
    };
    let denied = TRACEPARENT.replace("-01", "-00");
    for (path, status) in [("/app", 200), ("/teapot", 418), ("/nowhere", 404)] {
        for (name, value, sampled) in [
            ("traceparent", TRACEPARENT, "true"),
            ("traceparent", denied.as_str(), "false"),
            ("b3", &format!("{TRACE}-{SPAN}-d"), "true"),
            ("b3", &format!("{TRACE}-{SPAN}-0"), "false"),
        ] {
            let entry = log.of(Request::get(path).header(name, value), status)?;
            ensure!(
                is(&entry, TRACE, SPAN, sampled),
                "{path}, {name}: {value}: {entry:#}"
            );
        }
        app.take_seen();
        // Where a trace starts, the log has what was forwarded.
        for (request, sampled) in [
            (Request::get(path), "true"),
            (Request::get(path).header("x-b3-sampled", "0"), "false"),
        ] {
            let entry = log.of(request, status)?;
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            let (trace, span) = (text("trace.id"), text("span.id"));
            ensure!(
                trace.len() == 32 && is(&entry, trace, span, sampled),
                "{path}: {entry:#}"
            );
            if let Some(seen) = app.take_seen().pop() {
                let flags = if sampled == "true" { "01" } else { "00" };
                let forwarded = format!("00-{trace}-{span}-{flags}");
                ensure!(
                    seen.headers.get("traceparent") == Some(forwarded.as_bytes()),
                    "{forwarded} is in the log, but not forwarded:\n{:?}",
                    seen.headers
                );
            }
        }
    }
    // A filter before ours has answered: ours sees the request only when it is over.
    let denied = Request::get("/app")
        .header("traceparent", TRACEPARENT)
        .header("x-deny", "1");
    let entry = log.of(denied, 403)?;
    ensure!(is(&entry, TRACE, SPAN, "true"), "{entry:#}");
    // And it lives on.
    let entry = log.of(Request::get("/app").header("traceparent", TRACEPARENT), 200)?;
    ensure!(is(&entry, TRACE, SPAN, "true"), "{entry:#}");
    check_health(&envoy)
}

fn proxy(plugin: &Plugin, app: &App) -> Result<Proxy> {
    let deny = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"action": "DENY", "policies": {"marked": {
            "permissions": [{"header": {"name": "x-deny", "present_match": true}}],
            "principals": [{"any": true}],
        }}},
    });
    let listener = Listener::inbound("inbound")
        .log_only(&format()?)
        .filter("envoy.filters.http.rbac", &deny)
        .plugin(plugin)
        .route(Route::any("app").prefix("/app"))
        .route(Route::answer(418, "tea").prefix("/teapot"));
    let node = Node::sidecar("productpage", "productpage-v1", "bookinfo");
    Ok(Proxy::new(node)
        .listener(listener)
        .cluster(Cluster::new("app", app.address())))
}

/// `accessLogFormat` as users get it.
fn format() -> Result<BTreeMap<String, String>> {
    let format = documented_access_log()?;
    let missing: Vec<_> = ISTIO
        .iter()
        .filter(|key| !format.contains_key(**key))
        .collect();
    ensure!(missing.is_empty(), "Istio's default has {missing:?} too");
    Ok(format)
}

/// One request after another, each with its entry.
struct Log<'a> {
    client: Client,
    envoy: &'a Envoy,
    entries: usize,
}

impl Log<'_> {
    fn of(&mut self, request: Request, status: u16) -> Result<Value> {
        let answer = self.client.send(&request)?;
        ensure!(answer.status == status, "{answer:?}");
        let entry = poll::until("the access log entry", || {
            Ok(self.envoy.access_log("inbound")?.get(self.entries).cloned())
        })?;
        self.entries += 1;
        let missing: Vec<_> = ISTIO
            .iter()
            .filter(|key| entry.get(key).is_none())
            .collect();
        ensure!(missing.is_empty(), "{missing:?} are not in {entry:#}");
        ensure!(
            entry["response_code"] == json!(status),
            "another request's entry: {entry:#}"
        );
        Ok(entry)
    }
}
