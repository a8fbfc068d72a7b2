//! The states that a filter can be in, each on a real Envoy, with what the doctor must find: nothing more, nothing less.

use crate::stage::{COLLECTOR, Stage, sampled, send, to};
use crate::trap;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use throughline_dev::accounts::Accounts;
use throughline_dev::app::{App, Call};
use throughline_dev::envoy::Envoy;
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, Tracing};
use throughline_dev::poll;
use throughline_dev::receiver::Behaviour;

pub struct State {
    pub name: &'static str,
    /// The codes of the findings, in their order.
    pub expected: &'static [&'static str],
    /// What Envoy's log adds to them.
    pub log_adds: &'static [&'static str],
    /// Starts it and brings it there.
    pub start: fn(&Stage, &Path) -> Result<Envoy>,
}

const fn state(
    name: &'static str,
    expected: &'static [&'static str],
    start: fn(&Stage, &Path) -> Result<Envoy>,
) -> State {
    State {
        name,
        expected,
        log_adds: &[],
        start,
    }
}

pub const ALL: &[State] = &[
    state("healthy", &[], |stage, binary| {
        let plugin = stage.plugin(&to(COLLECTOR));
        let envoy = stage.sidecar(Some(&plugin))?.start(binary)?;
        send(&envoy, 3, &sampled())?;
        exported(&envoy, 6)?;
        Ok(envoy)
    }),
    state("not-forwarding", &["not-forwarding"], |stage, binary| {
        let callee = App::start()?;
        let plugin = stage.plugin(&to(COLLECTOR));
        let sidecar = stage.sidecar_before(callee.address(), Some(&plugin))?;
        let envoy = sidecar.start(binary)?;
        let call = Call::new(envoy.listener("outbound")?, "details:9080", "/details/0");
        stage.app.calls(vec![call]);
        let answer = client::send(
            envoy.listener("inbound")?,
            &Request::get("/productpage").headers(&sampled()),
        )?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(envoy)
    }),
    state("no-traffic", &["no-traffic"], |stage, binary| {
        stage
            .sidecar(Some(&stage.plugin(&to(COLLECTOR))))?
            .start(binary)
    }),
    state("no-plugin", &["filter-absent"], |stage, binary| {
        let envoy = stage.sidecar(None)?.start(binary)?;
        send(&envoy, 1, &sampled())?;
        Ok(envoy)
    }),
    State {
        name: "module-ended",
        expected: &["not-running"],
        log_adds: &["module-failed"],
        start: failed_open,
    },
    state("config-rejected", &["config-rejected"], |stage, binary| {
        let plugin = stage.configured(&json!({"samplng": {"arg": 0.5}}));
        let envoy = stage.sidecar(Some(&plugin))?.start(binary)?;
        send(&envoy, 1, &sampled())?;
        Ok(envoy)
    }),
    state(
        "config-is-a-struct",
        &["config-rejected"],
        |stage, binary| {
            let plugin = stage.configured(&json!({})).configured_by(&json!({
                "@type": "type.googleapis.com/google.protobuf.Struct",
                "value": {"sampling": {"arg": 0.5}},
            }));
            let envoy = stage.sidecar(Some(&plugin))?.start(binary)?;
            send(&envoy, 1, &sampled())?;
            Ok(envoy)
        },
    ),
    state(
        "image-not-pulled",
        &["image-not-pulled"],
        |stage, binary| {
            // As Istio's agent puts it there.
            let rbac = json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
                "rules_stat_prefix": "wasm-default-allow",
            });
            const NAME: &str = "extensions.istio.io/wasmplugin/istio-system.throughline";
            let proxy = stage.sidecar(None)?;
            let envoy = proxy
                .each_listener(|listener| listener.filter(NAME, &rbac))
                .start(binary)?;
            send(&envoy, 1, &sampled())?;
            Ok(envoy)
        },
    ),
    state(
        "config-missing",
        &["filter-config-missing"],
        |stage, binary| discovered(stage, binary, &json!({"resources": []})),
    ),
    state(
        "config-refused",
        &["filter-config-missing"],
        |stage, binary| {
            let another =
                json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"});
            discovered(stage, binary, &delivered(&another))
        },
    ),
    State {
        name: "module-broken-closed",
        expected: &["not-running", "filter-fails-closed"],
        log_adds: &["module-failed"],
        start: |stage, binary| broken(stage, binary, "FAIL_CLOSED"),
    },
    State {
        name: "module-broken",
        expected: &["not-running"],
        log_adds: &["module-failed"],
        start: |stage, binary| broken(stage, binary, "FAIL_OPEN"),
    },
    state(
        "inbound-alone",
        &["filter-partly-absent"],
        |stage, binary| {
            let plugin = stage.plugin(&to(COLLECTOR));
            let mut first = Some(plugin);
            let proxy = stage
                .sidecar(None)?
                .each_listener(|listener| match first.take() {
                    Some(plugin) => listener.plugin(&plugin),
                    None => listener,
                });
            let envoy = proxy.start(binary)?;
            send(&envoy, 1, &sampled())?;
            exported(&envoy, 1)?;
            Ok(envoy)
        },
    ),
    state("disabled", &["filter-disabled"], |stage, binary| {
        let plugin = stage.plugin(&to(COLLECTOR)).to_json();
        let proxy = stage.sidecar(None)?;
        let envoy = proxy
            .each_listener(|listener| {
                listener
                    .filter("throughline", &plugin)
                    .only_where_configured()
            })
            .start(binary)?;
        send(&envoy, 1, &sampled())?;
        Ok(envoy)
    }),
    state("fails-closed", &["filter-fails-closed"], |stage, binary| {
        let plugin = stage.plugin(&to(COLLECTOR)).failure_policy("FAIL_CLOSED");
        let envoy = stage.sidecar(Some(&plugin))?.start(binary)?;
        send(&envoy, 1, &sampled())?;
        exported(&envoy, 2)?;
        Ok(envoy)
    }),
    state("two-instances", &["second-instance"], |stage, binary| {
        let one = stage.plugin(&to(COLLECTOR));
        let other = stage
            .plugin(&to(COLLECTOR))
            .named("throughline-of-bookinfo");
        let proxy = stage
            .sidecar(Some(&one))?
            .each_listener(|listener| listener.plugin(&other));
        let envoy = proxy.start(binary)?;
        send(&envoy, 2, &sampled())?;
        exported(&envoy, 4)?;
        Ok(envoy)
    }),
    state("switched-off", &["switched-off"], |stage, binary| {
        // By the namespace that the bootstrap names.
        let plugin = stage.configured(&json!({
            "export": to(COLLECTOR),
            "overrides": [{"match": {"namespaces": ["bookinfo"]}, "config": {"enabled": false}}],
        }));
        let envoy = stage.sidecar(Some(&plugin))?.start(binary)?;
        send(&envoy, 1, &sampled())?;
        Ok(envoy)
    }),
    state(
        "behind-authorization",
        &["behind-denying-filters"],
        |stage, binary| {
            let rbac =
                json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"});
            let proxy = stage.sidecar(Some(&stage.plugin(&to(COLLECTOR))))?;
            let envoy = proxy
                .each_listener(|listener| listener.filter("envoy.filters.http.rbac", &rbac))
                .start(binary)?;
            send(&envoy, 1, &sampled())?;
            exported(&envoy, 2)?;
            Ok(envoy)
        },
    ),
    state("requests-missed", &["requests-missed"], |stage, binary| {
        // What came while the filter was inert is not counted.
        let plugin = stage.configured(&json!({"samplng": {}}));
        let envoy = stage.sidecar(Some(&plugin))?.start(binary)?;
        send(&envoy, 10, &sampled())?;
        stage.plugin(&to(COLLECTOR)).reload(&envoy)?;
        send(&envoy, 10, &sampled())?;
        exported(&envoy, 20)?;
        Ok(envoy)
    }),
    state("native-tracer", &["native-tracer"], |stage, binary| {
        let proxy = stage.sidecar(Some(&stage.plugin(&to(COLLECTOR))))?;
        let envoy = proxy
            .each_listener(|listener| listener.tracing(Tracing::zipkin(COLLECTOR, 1.0)))
            .start(binary)?;
        send(&envoy, 2, &sampled())?;
        poll::until("both listeners to be written over", || {
            let page = envoy.prometheus()?;
            Ok(page
                .contains("throughline_native_override{} 2")
                .then_some(()))
        })?;
        Ok(envoy)
    }),
    state(
        "cluster-missing",
        &["cluster-missing", "collector-unreachable"],
        |stage, binary| unreachable(stage.sidecar(Some(&stage.plugin(&to("colector"))))?, binary),
    ),
    state(
        "service-missing",
        &["cluster-missing", "collector-unreachable"],
        |stage, binary| {
            let export = json!({"protocol": "otlp-grpc", "service": "tempo.monitoring.svc"});
            unreachable(stage.sidecar(Some(&stage.plugin(&export)))?, binary)
        },
    ),
    state(
        "cluster-without-hosts",
        &["cluster-without-hosts", "collector-unreachable"],
        |stage, binary| {
            let none = json!({"load_assignment": {"endpoints": []}});
            let cluster = Cluster::new("empty", stage.refused.address()).merge(&none);
            unreachable(
                stage
                    .sidecar(Some(&stage.plugin(&to("empty"))))?
                    .cluster(cluster),
                binary,
            )
        },
    ),
    state(
        "hosts-unhealthy",
        &["hosts-unhealthy", "collector-unreachable"],
        |stage, binary| {
            let check = json!({"health_checks": [{
                "timeout": "1s", "interval": "1s", "no_traffic_interval": "1s",
                "unhealthy_threshold": 1, "healthy_threshold": 1, "http_health_check": {"path": "/"},
            }]});
            let cluster = Cluster::new("ill", stage.refused.address()).merge(&check);
            let proxy = stage
                .sidecar(Some(&stage.plugin(&to("ill"))))?
                .cluster(cluster);
            let envoy = unreachable(proxy, binary)?;
            poll::until("the health check to fail", || {
                Ok(envoy
                    .get("/clusters")?
                    .contains("/failed_active_hc")
                    .then_some(()))
            })?;
            Ok(envoy)
        },
    ),
    state(
        "grpc-without-http2",
        &["cluster-not-http2", "collector-unreachable"],
        |stage, binary| {
            let export = json!({"protocol": "otlp-grpc", "cluster": "plain", "batch": {"scheduleDelay": "50ms"}});
            let cluster = Cluster::new("plain", stage.receiver.grpc());
            unreachable(
                stage
                    .sidecar(Some(&stage.plugin(&export)))?
                    .cluster(cluster),
                binary,
            )
        },
    ),
    state(
        "spans-dropped",
        &["collector-unreachable", "spans-dropped"],
        |stage, binary| {
            let export = json!({"protocol": "otlp-http", "cluster": "nobody", "batch": {
                "maxQueueSize": 1, "maxExportBatchSize": 1, "scheduleDelay": "50ms",
            }});
            let cluster = Cluster::new("nobody", stage.refused.address());
            let proxy = stage
                .sidecar(Some(&stage.plugin(&export)))?
                .cluster(cluster);
            let envoy = unreachable(proxy, binary)?;
            send(&envoy, 10, &sampled())?;
            poll::until("a span to be dropped", || {
                Ok((Accounts::read(&envoy)?.dropped() > 0).then_some(()))
            })?;
            Ok(envoy)
        },
    ),
    state("spans-failed", &["spans-failed"], |stage, binary| {
        stage.receiver.behave(Behaviour::status(400));
        let envoy = stage
            .sidecar(Some(&stage.plugin(&to(COLLECTOR))))?
            .start(binary)?;
        send(&envoy, 1, &sampled())?;
        poll::until("both spans to fail", || {
            Ok((Accounts::read(&envoy)?.failed() == 2).then_some(()))
        })?;
        Ok(envoy)
    }),
    state(
        "plain-and-bare",
        &[
            "metrics-unlabelled",
            "no-export",
            "access-log-without-trace-id",
        ],
        |stage, binary| {
            let plugin = stage.configured(&json!({}));
            let listener = |name| {
                Listener::plain(name)
                    .route(Route::any("app"))
                    .plugin(&plugin)
            };
            let proxy = Proxy::new(Node::plain("edge"))
                .listener(listener("inbound"))
                .listener(listener("outbound"))
                .cluster(Cluster::new("app", stage.app.address()));
            let envoy = proxy.start(binary)?;
            send(&envoy, 1, &sampled())?;
            Ok(envoy)
        },
    ),
    state("samples-nothing", &["samples-nothing"], |stage, binary| {
        sampler(stage, binary, "parentbased_always_off")
    }),
    state(
        "samples-everything",
        &["samples-everything"],
        |stage, binary| sampler(stage, binary, "always_on"),
    ),
    state(
        "bad-headers",
        &["headers-rejected", "formats-conflict"],
        |stage, binary| {
            let envoy = stage
                .sidecar(Some(&stage.plugin(&to(COLLECTOR))))?
                .start(binary)?;
            send(
                &envoy,
                1,
                &Headers::new().with("traceparent", "00-nonsense"),
            )?;
            let other = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1";
            send(&envoy, 1, &sampled().with("b3", other))?;
            Ok(envoy)
        },
    ),
    state(
        "tls-passes-through",
        &["https-passthrough"],
        |stage, binary| {
            let listener = listener(
                "egress",
                json!([{
                    "filter_chain_match": {"server_names": ["api.example.com"]},
                    "filters": [tcp_proxy()],
                }]),
            );
            let envoy = with_listeners(stage, &[listener])?.start(binary)?;
            send(&envoy, 1, &sampled())?;
            exported(&envoy, 2)?;
            Ok(envoy)
        },
    ),
    state(
        "listener-refused",
        &["listener-refused"],
        |stage, binary| {
            let twice = listener(
                "twice",
                json!([
                    {"name": "a", "filters": [tcp_proxy()]},
                    {"name": "b", "filters": [tcp_proxy()]},
                ]),
            );
            let envoy = with_listeners(stage, &[twice])?.start(binary)?;
            send(&envoy, 1, &sampled())?;
            exported(&envoy, 2)?;
            Ok(envoy)
        },
    ),
    state(
        "gateway",
        &["no-export", "samples-everything"],
        |stage, binary| {
            // Two plugins of two listeners, one of which exports.
            let format = throughline_dev::mesh::documented_access_log()?;
            let of = |listener: Listener, plugin: &Plugin| {
                listener
                    .route(Route::any("app"))
                    .plugin(plugin)
                    .log_only(&format)
            };
            let first = stage.configured(&json!({"export": to(COLLECTOR)}));
            let second = stage
                .configured(&json!({"sampling": {"arg": 0.1}}))
                .named("throughline-of-tenant");
            let proxy = Proxy::new(Node::gateway("istio-ingressgateway", "istio-system"))
                .listener(of(Listener::outbound("inbound"), &first))
                .listener(of(Listener::outbound("outbound"), &second))
                .cluster(Cluster::new("app", stage.app.address()))
                .cluster(Cluster::new(COLLECTOR, stage.receiver.http()));
            let envoy = throughline_dev::accounts::labelled(proxy).start(binary)?;
            send(&envoy, 1, &sampled())?;
            exported(&envoy, 2)?;
            Ok(envoy)
        },
    ),
];

/// A module that ends at its first request, and answers of 200 all the same.
fn failed_open(stage: &Stage, binary: &Path) -> Result<Envoy> {
    let config = json!({"sampling": {"arg": 0.5}, "export": to(COLLECTOR)});
    let mut plugin = Plugin::new(&trap::ends(stage.directory.path())?, &config).to_json();
    // The older spelling: with failure_policy the request in which it ends is answered with 503.
    let fields = plugin["config"].as_object_mut().context("a plugin")?;
    fields.remove("failure_policy");
    fields.insert("fail_open".to_owned(), json!(true));
    let proxy = stage.sidecar(None)?;
    let envoy = proxy
        .each_listener(|listener| listener.filter("throughline", &plugin))
        .start(binary)?;
    for listener in ["inbound", "outbound"] {
        let answer = client::send(
            envoy.listener(listener)?,
            &Request::get("/").headers(&sampled()),
        )?;
        anyhow::ensure!(answer.status == 200, "not open: {answer:?}");
    }
    Ok(envoy)
}

/// A delivered filter whose module is none. Envoy refuses it, lists it in its dump, and lets no request pass, whatever the
/// failure policy.
fn broken(stage: &Stage, binary: &Path, policy: &str) -> Result<Envoy> {
    let module = trap::no_module(stage.directory.path())?;
    let config = json!({"sampling": {"arg": 0.5}, "export": to(COLLECTOR)});
    let plugin = Plugin::new(&module, &config).failure_policy(policy);
    let envoy = discovered(stage, binary, &delivered(&plugin.to_json()))?;
    for listener in ["inbound", "outbound"] {
        let answer = client::send(envoy.listener(listener)?, &Request::get("/"))?;
        anyhow::ensure!(answer.status == 500, "{answer:?}");
    }
    Ok(envoy)
}

fn delivered(filter: &Value) -> Value {
    json!({"resources": [{
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": "throughline",
        "typed_config": filter,
    }]})
}

/// A filter whose configuration is delivered by itself.
fn discovered(stage: &Stage, binary: &Path, delivered: &Value) -> Result<Envoy> {
    let path = stage.directory.path().join("delivered.json");
    fs::write(&path, delivered.to_string())?;
    let filters = json!({"http_filters": [
        {"name": "throughline", "config_discovery": {
            "config_source": {
                "resource_api_version": "V3",
                "path_config_source": {"path": path},
                "initial_fetch_timeout": "0.1s",
            },
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        }},
        {"name": "envoy.filters.http.router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        }},
    ]});
    let proxy = stage.sidecar(None)?;
    let envoy = proxy
        .each_listener(|listener| listener.merge(&filters))
        .start(binary)?;
    send(&envoy, 1, &sampled())?;
    Ok(envoy)
}

fn sampler(stage: &Stage, binary: &Path, name: &str) -> Result<Envoy> {
    let config = json!({"sampling": {"sampler": name}, "export": to(COLLECTOR)});
    let envoy = stage
        .sidecar(Some(&stage.configured(&config)))?
        .start(binary)?;
    send(&envoy, 1, &Headers::new())?;
    Ok(envoy)
}

/// Starts it, and waits until its filter says that spans do not arrive.
fn unreachable(proxy: Proxy, binary: &Path) -> Result<Envoy> {
    let envoy = proxy.start(binary)?;
    send(&envoy, 1, &sampled())?;
    poll::until("the gauge to go up", || {
        Ok(Accounts::read(&envoy)?.unreachable.then_some(()))
    })?;
    Ok(envoy)
}

/// Waits until so many spans are with the collector.
fn exported(envoy: &Envoy, spans: u64) -> Result<()> {
    Accounts::settled(envoy, spans, poll::PATIENCE)
        .map(drop)
        .context("spans")
}

/// A healthy sidecar to which those listeners are delivered.
fn with_listeners(stage: &Stage, listeners: &[Value]) -> Result<Proxy> {
    let path = stage.directory.path().join("listeners.json");
    fs::write(&path, json!({"resources": listeners}).to_string())?;
    let discovery = json!({"dynamic_resources": {"lds_config": {
        "resource_api_version": "V3", "path_config_source": {"path": path},
    }}});
    Ok(stage
        .sidecar(Some(&stage.plugin(&to(COLLECTOR))))?
        .merge(&discovery))
}

fn listener(name: &str, chains: Value) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": name,
        "traffic_direction": "OUTBOUND",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": chains,
    })
}

fn tcp_proxy() -> Value {
    json!({"name": "envoy.filters.network.tcp_proxy", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "egress",
        "cluster": "app",
    }})
}
