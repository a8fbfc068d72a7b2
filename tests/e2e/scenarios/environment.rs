//! The service's name by every scheme, and the variables of the virtual machine.

use super::TRACEPARENT;
use crate::stage::{Stage, check_health};
use crate::want::{Want, absent, form, shown};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Listener, Node, Plugin, Proxy, Route};
use throughline_dev::poll;

/// The start-up line names the service as Istio or OpenTelemetry would.
pub fn service_names(release: Release, module: &Path) -> Result<()> {
    let istio = || {
        Node::sidecar("reviews", "reviews-v1", "bookinfo")
            .label("service.istio.io/canonical-name", "reviews-canonical")
            .label("app.kubernetes.io/name", "reviews-k8s")
    };
    let annotated = json!({"resource.opentelemetry.io/service.name": "reviews-annotated"});
    for (node, expected) in [
        (
            istio(),
            [
                "reviews.bookinfo",
                "reviews-canonical",
                "reviews-canonical.bookinfo",
                "reviews-k8s",
            ],
        ),
        (
            istio().metadata("ANNOTATIONS", annotated),
            [
                "reviews.bookinfo",
                "reviews-canonical",
                "reviews-canonical.bookinfo",
                "reviews-annotated",
            ],
        ),
        // An empty label is none.
        (
            Node::gateway("edge", "istio-system")
                .label("app", "")
                .label("service.istio.io/canonical-name", ""),
            ["edge.istio-system", "edge", "edge.istio-system", "edge"],
        ),
    ] {
        let plugin = Plugin::new(module, &json!({"service": {"name": "given"}}));
        let envoy = Proxy::new(node)
            .listener(
                Listener::inbound("inbound")
                    .plugin(&plugin)
                    .route(Route::answer(200, "")),
            )
            .start(&release.binary()?)?;
        says_service(&envoy, "given")?;
        let schemes = [
            "appLabelAndNamespace",
            "canonicalNameOnly",
            "canonicalNameAndNamespace",
            "opentelemetry",
        ];
        for (naming, name) in schemes.into_iter().zip(expected) {
            let config = json!({"service": {"naming": naming}, "log": {"level": "info"}});
            plugin
                .clone()
                .configured(&config.to_string())
                .reload(&envoy)?;
            says_service(&envoy, name).context(naming)?;
        }
        check_health(&envoy)?;
    }
    Ok(())
}

fn says_service(envoy: &Envoy, name: &str) -> Result<()> {
    last_line(envoy, &format!(": service.name={name} "))
}

/// The filter's last line has `part`. Envoy counts an update a moment before or after it announces it.
fn last_line(envoy: &Envoy, part: &str) -> Result<()> {
    let said = poll::until("the filter to say what it was given", || {
        let log = envoy.log();
        let last = log.lines().rfind(|line| line.contains("wasm log"));
        Ok(last.is_some_and(|line| line.contains(part)).then_some(()))
    });
    said.with_context(|| format!("{part:?} in\n{}", envoy.log_tail(5)))
}

/// OTEL_* variables fill what the configuration leaves out. Each set has an Envoy of its own: those before 1.39 keep
/// the virtual machine, and with it the variables, when nothing else changes.
pub fn variables(release: Release, module: &Path) -> Result<()> {
    let plain = Plugin::new(module, &json!({}));
    let b3 = plain
        .clone()
        .environment("OTEL_PROPAGATORS", "baggage, b3")
        .environment("OTEL_TRACES_SAMPLER", "parentbased_always_off")
        .environment("OTEL_SERVICE_NAME", "cart");
    let config = json!({
        "propagation": {"inject": ["tracecontext"]},
        "sampling": {"sampler": "always_on"},
        "service": {"name": "given"},
    });
    let ratio = plain
        .clone()
        .environment("OTEL_TRACES_SAMPLER", "traceidratio")
        .environment("OTEL_TRACES_SAMPLER_ARG", "0.25")
        .environment("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=my%20cart");
    for (plugin, header, wanted, line) in [
        (
            &b3,
            "b3",
            form("{32}-{16}-0"),
            "service.name=cart sampler=parentbased_always_off extract=b3,b3multi inject=b3 ",
        ),
        // What the configuration has, it has.
        (
            &b3.clone().configured(&config.to_string()),
            "traceparent",
            form("00-{32}-{16}-01"),
            "service.name=given sampler=always_on extract=b3,b3multi inject=tracecontext ",
        ),
        (
            &ratio,
            "x-b3-traceid",
            form("{32}"),
            "service.name=my cart sampler=traceidratio(0.25) ",
        ),
    ] {
        play(release, plugin, &Request::get("/"), header, &wanted, line)?;
    }
    // A value that is not supported is an error, and no guess.
    for (name, value) in [
        ("OTEL_TRACES_SAMPLER", "xray"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_PROPAGATORS", "ottrace"),
        ("OTEL_RESOURCE_ATTRIBUTES", "nonsense"),
    ] {
        let bad = plain
            .clone()
            .environment("OTEL_TRACES_SAMPLER", "traceidratio");
        let request = Request::get("/").header("traceparent", TRACEPARENT);
        let line = format!("untouched: {name}: ");
        play(
            release,
            &bad.environment(name, value),
            &request,
            "x-b3-traceid",
            &absent(),
            &line,
        )?;
    }
    Ok(())
}

/// What arrives with that plugin, and what it says at the start.
fn play(
    release: Release,
    plugin: &Plugin,
    request: &Request,
    header: &str,
    wanted: &Want,
    line: &str,
) -> Result<()> {
    let stage = Stage::start_with(release, plugin, |proxy| proxy)?;
    stage.app.calls(Vec::new());
    client::send(stage.envoy.listener("inbound")?, request)?;
    let seen = stage.app.take_seen().pop().context("no request arrived")?;
    let got: Vec<_> = seen.headers.all(header).collect();
    ensure!(
        wanted.accepts(&got),
        "{header}: wanted {wanted}, got {}",
        shown(&got)
    );
    last_line(&stage.envoy, line)?;
    stage.check_health()
}
