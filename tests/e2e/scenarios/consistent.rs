//! One decision on a trace, wherever it is made: several Envoys with one ratio, each told of the trace in another way.

use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};

const SPAN: &str = "00f067aa0ba902b7";

/// R, and whether a half, three tenths and a thousandth keep it: T is 8, b333 and ffbe77.
const TRACES: [(&str, [bool; 3]); 8] = [
    ("00000000000000", [false, false, false]),
    ("7fffffffffffff", [false, false, false]),
    ("80000000000000", [true, false, false]),
    ("b332ffffffffff", [true, false, false]),
    ("b3330000000000", [true, true, false]),
    ("ffbe76ffffffff", [true, true, false]),
    ("ffbe7700000000", [true, true, true]),
    ("ffffffffffffff", [true, true, true]),
];
const RATIOS: [(f64, &str); 3] = [(0.5, "8"), (0.3, "b333"), (0.001, "ffbe77")];

pub fn one_decision(release: Release, module: &Path) -> Result<()> {
    let app = App::start()?;
    for (number, (ratio, threshold)) in RATIOS.into_iter().enumerate() {
        let rule = json!({"match": {"paths": ["*"]}, "ratio": ratio});
        let proxies = [
            start(
                release,
                module,
                &app,
                Node::sidecar("a", "a-v1", "b"),
                &json!({"sampling": {"sampler": "traceidratio", "arg": ratio}}),
                None,
            )?,
            start(
                release,
                module,
                &app,
                Node::gateway("edge", "istio-system"),
                &json!({"sampling": {"sampler": "always_on", "rules": [rule]}}),
                None,
            )?,
            start(
                release,
                module,
                &app,
                Node::plain("envoy"),
                &json!({}),
                Some(ratio),
            )?,
        ];
        for (randomness, kept) in TRACES {
            let kept = kept.get(number).copied().context("a decision")?;
            let trace = format!("4bf92f3577b34da6a3{randomness}");
            let listed = Headers::new()
                .with("traceparent", format!("00-{}-{SPAN}-00", "1".repeat(32)))
                .with("tracestate", format!("a=1,ot=rv:{randomness}"));
            for (what, headers) in [
                (
                    "W3C, denied",
                    Headers::new().with("traceparent", format!("00-{trace}-{SPAN}-00")),
                ),
                (
                    "W3C, accepted",
                    Headers::new().with("traceparent", format!("00-{trace}-{SPAN}-01")),
                ),
                (
                    "B3, deferred",
                    Headers::new().with("b3", format!("{trace}-{SPAN}")),
                ),
                ("explicit randomness", listed),
            ] {
                for envoy in &proxies {
                    let seen = through(envoy, &app, &headers)?;
                    let traceparent = text(&seen, "traceparent");
                    ensure!(
                        traceparent.ends_with("-01") == kept,
                        "{ratio}, R = {randomness}, {what}: {seen:?}"
                    );
                    let list = text(&seen, "tracestate");
                    // Told where this hop wrote the traceparent: it turned the decision, or made it.
                    let is_told = kept && what != "W3C, accepted";
                    let expected = match (what, is_told) {
                        ("explicit randomness", true) => {
                            format!("ot=th:{threshold};rv:{randomness},a=1")
                        }
                        ("explicit randomness", false) => format!("a=1,ot=rv:{randomness}"),
                        (_, true) => format!("ot=th:{threshold}"),
                        (_, false) => String::new(),
                    };
                    ensure!(
                        list == expected,
                        "{ratio}, {randomness}, {what}: {list}, not {expected}"
                    );
                }
            }
        }
        for envoy in &proxies {
            check_health(envoy)?;
        }
    }
    Ok(())
}

/// The first hop decides on its own trace and tells the threshold; the next ones, whatever their ratio, keep both.
pub fn kept_on_the_way(release: Release, module: &Path) -> Result<()> {
    let app = App::start()?;
    let sampling = |arg: f64| json!({"sampling": {"arg": arg}});
    let last = start(
        release,
        module,
        &app,
        Node::sidecar("a", "a-v1", "b"),
        &sampling(0.001),
        None,
    )?;
    let first = Proxy::new(Node::gateway("edge", "istio-system"))
        .listener(
            Listener::outbound("main")
                .plugin(&Plugin::new(module, &sampling(0.5)))
                .route(Route::any("next")),
        )
        .cluster(Cluster::new("next", last.listener("main")?))
        .start(&release.binary()?)?;
    let mut sampled = 0;
    for _ in 0..64 {
        let seen = through(&first, &app, &Headers::new())?;
        let traceparent = text(&seen, "traceparent");
        let randomness = traceparent.get(21..35).context("a traceparent")?;
        // Digits compare as texts do.
        let is_kept = randomness >= "80000000000000";
        ensure!(traceparent.ends_with("-01") == is_kept, "{seen:?}");
        let expected = if is_kept { "ot=th:8" } else { "" };
        ensure!(text(&seen, "tracestate") == expected, "{seen:?}");
        sampled += usize::from(is_kept);
    }
    // All alike once in 2^63 runs.
    ensure!((1..64).contains(&sampled), "{sampled} of 64");
    check_health(&first).and_then(|()| check_health(&last))
}

fn start(
    release: Release,
    module: &Path,
    app: &App,
    node: Node,
    config: &Value,
    variable: Option<f64>,
) -> Result<Envoy> {
    let mut plugin = Plugin::new(module, config);
    if let Some(ratio) = variable {
        plugin = plugin
            .environment("OTEL_TRACES_SAMPLER", "traceidratio")
            .environment("OTEL_TRACES_SAMPLER_ARG", &ratio.to_string());
    }
    Proxy::new(node)
        .listener(
            Listener::inbound("main")
                .plugin(&plugin)
                .route(Route::any("app")),
        )
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)
}

fn through(envoy: &Envoy, app: &App, headers: &Headers) -> Result<Headers> {
    let answer = client::send(envoy.listener("main")?, &Request::get("/").headers(headers))?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(app.take_seen().pop().context("nothing arrived")?.headers)
}

fn text(headers: &Headers, name: &str) -> String {
    let values: Vec<_> = headers.all(name).collect();
    String::from_utf8_lossy(&values.join(&b","[..])).into_owned()
}
