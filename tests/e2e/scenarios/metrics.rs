//! The filter's metrics as Prometheus sees them.

use super::{SPAN, TRACE, TRACEPARENT};
use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::Path;
use throughline_dev::app::Forward;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Client, Headers, Request, client};
use throughline_dev::mesh::Plugin;
use throughline_dev::poll;

const REQUESTS: &str = "throughline_requests";
const REJECTED: &str = "throughline_rejected_headers";

pub fn counters(release: Release, module: &Path) -> Result<()> {
    let stage = Stage::start(release, module, &json!({}))?;
    let mut client = Client::connect(stage.envoy.listener("inbound")?)?;
    // The application calls nobody, so that each request counts once.
    stage.app.calls(Vec::new());
    let single = format!("{TRACE}-{SPAN}-1");
    let other = Headers::new().with("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1");
    let traceparent = Headers::new().with("traceparent", TRACEPARENT);
    let multi = Headers::new()
        .with("x-b3-traceid", TRACE)
        .with("x-b3-spanid", SPAN);
    let rejected = rejections();
    let mut requests = vec![
        traceparent.clone(),
        traceparent.clone(),
        Headers::new().with("b3", &single),
        multi.clone(),
        Headers::new(),
        other.with("traceparent", TRACEPARENT),
        multi
            .with("x-b3-sampled", "0")
            .with("traceparent", TRACEPARENT),
    ];
    // A bad tracestate rejects itself alone: the traces that start are those of the others.
    let started = 1 + rejected
        .iter()
        .filter(|(_, reason, _)| !reason.starts_with("tracestate_"))
        .count();
    let continued = 4 + rejected.len() + 1 - started;
    requests.extend(rejected.iter().map(|(_, _, headers)| headers.clone()));
    for headers in &requests {
        let answer = client.send(&Request::get("/").headers(headers))?;
        ensure!(answer.status == 200, "{answer:?}");
    }
    let page = stage.envoy.prometheus()?;
    let mut expected = vec![
        (REQUESTS, vec![("origin", "tracecontext")], continued),
        (REQUESTS, vec![("origin", "b3")], 1),
        (REQUESTS, vec![("origin", "b3multi")], 1),
        (REQUESTS, vec![("origin", "started")], started),
        ("throughline_conflicts", vec![], 2),
        ("throughline_abstained", vec![], 0),
        ("throughline_stood_aside", vec![], 0),
        ("throughline_config_rejected", vec![], 0),
        (
            "throughline_info",
            vec![("version", env!("CARGO_PKG_VERSION"))],
            1,
        ),
    ];
    for (format, reason, _) in &rejected {
        expected.push((REJECTED, vec![("format", *format), ("reason", *reason)], 1));
    }
    for (name, labels, value) in expected {
        let got = metric(&page, name, &labels);
        ensure!(
            got == Some(value),
            "{name}{labels:?} is {got:?}, not {value}\n{}",
            ours(&page)
        );
    }
    let total = page
        .lines()
        .filter_map(|line| line.strip_prefix("throughline_requests{"));
    let total: usize = total
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok())
        .sum();
    ensure!(
        total == requests.len(),
        "{total} of {} requests were counted",
        requests.len()
    );
    gauge(&stage, module)?;
    stage.check_health()
}

/// An application that forwards nothing, one that forwards, and work of its own, on workers that must agree.
pub fn gap(release: Release, module: &Path) -> Result<()> {
    const WORKERS: u32 = 4;
    const REQUESTS: usize = 32;
    let plugin = Plugin::new(module, &json!({}));
    let stage = Stage::start_with(release, &plugin, |proxy| proxy.concurrency(WORKERS))?;
    let is = |gap: usize| -> Result<()> {
        let served = || {
            let page = stage.envoy.prometheus()?;
            let serving = metric(&page, "throughline_serving_workers", &[]);
            Ok((serving == Some(0)).then_some(page))
        };
        let page = poll::until("every request to be over", served)?;
        let got = metric(&page, "throughline_propagation_gap", &[]);
        ensure!(got == Some(gap), "{got:?}, not {gap}:\n{}", ours(&page));
        Ok(())
    };
    let send = |listener: &str| -> Result<()> {
        // A connection each: the kernel gives them to the workers, and the application's calls too.
        for _ in 0..REQUESTS {
            let answer = client::send(stage.envoy.listener(listener)?, &Request::get("/"))?;
            ensure!(answer.status == 200, "{answer:?}");
        }
        Ok(())
    };
    is(0)?;
    send("outbound")?;
    is(0).context("work of its own")?;
    send("inbound")?;
    is(REQUESTS).context("an application that forwards nothing")?;
    stage.app.forward(Forward::W3C);
    send("inbound")?;
    is(REQUESTS).context("an application that forwards")?;
    stage.check_health()
}

/// Bad, another bad, good: the gauge says what was last.
fn gauge(stage: &Stage, module: &Path) -> Result<()> {
    for (text, value) in [("{", 1), ("[]", 1), ("{}", 0), ("nonsense", 1), ("", 0)] {
        let plugin = Plugin::new(module, &json!({})).configured(text);
        plugin
            .reload(&stage.envoy)
            .with_context(|| text.to_owned())?;
        poll::until("the gauge to follow the configuration", || {
            let page = stage.envoy.prometheus()?;
            Ok((metric(&page, "throughline_config_rejected", &[]) == Some(value)).then_some(()))
        })?;
    }
    Ok(())
}

/// A format, a reason, and headers that are rejected for it and for nothing else.
fn rejections() -> Vec<(&'static str, &'static str, Headers)> {
    let with = |name: &str, value: &str| Headers::new().with(name, value);
    let good = || with("traceparent", TRACEPARENT);
    let (zero_trace, zero_span) = ("0".repeat(32), "0".repeat(16));
    let w3c = "tracecontext";
    let members: Vec<_> = (0..33).map(|number| format!("k{number}=v")).collect();
    vec![
        (w3c, "repeated", good().with("traceparent", TRACEPARENT)),
        (
            w3c,
            "length",
            with("traceparent", &format!("{TRACEPARENT}-")),
        ),
        (
            w3c,
            "syntax",
            with("traceparent", &TRACEPARENT.replace('-', "_")),
        ),
        (
            w3c,
            "version",
            with("traceparent", &TRACEPARENT.replacen("00-", "ff-", 1)),
        ),
        (
            w3c,
            "trace_id",
            with("traceparent", &format!("00-{zero_trace}-{SPAN}-01")),
        ),
        (
            w3c,
            "span_id",
            with("traceparent", &format!("00-{TRACE}-{zero_span}-01")),
        ),
        (
            w3c,
            "flags",
            with("traceparent", &format!("00-{TRACE}-{SPAN}-0x")),
        ),
        (w3c, "tracestate_key", good().with("tracestate", "Bad=1")),
        (w3c, "tracestate_value", good().with("tracestate", "a=")),
        (
            w3c,
            "tracestate_members",
            good().with("tracestate", members.join(",")),
        ),
        ("b3", "length", with("b3", &"0".repeat(69))),
        ("b3", "sampled", with("b3", "x")),
        ("b3", "syntax", with("b3", "stale")),
        ("b3", "trace_id", with("b3", &format!("{TRACE}0-{SPAN}-1"))),
        (
            "b3",
            "span_id",
            with("b3", &format!("{TRACE}-{zero_span}-1")),
        ),
        (
            "b3",
            "parent_span_id",
            with("b3", &format!("{TRACE}-{SPAN}-1-x")),
        ),
        ("b3multi", "incomplete", with("x-b3-traceid", TRACE)),
        ("b3multi", "sampled", with("x-b3-sampled", "yes")),
        (
            "b3multi",
            "trace_id",
            with("x-b3-traceid", &zero_trace).with("x-b3-spanid", SPAN),
        ),
        (
            "b3multi",
            "span_id",
            with("x-b3-traceid", TRACE).with("x-b3-spanid", "X"),
        ),
    ]
}

/// The metric with exactly these labels, in whatever order.
fn metric(page: &str, name: &str, labels: &[(&str, &str)]) -> Option<usize> {
    page.lines().find_map(|line| {
        let (inside, value) = line
            .strip_prefix(name)?
            .strip_prefix('{')?
            .split_once("} ")?;
        let has = |(label, value): &(&str, &str)| {
            inside
                .split(',')
                .any(|pair| pair == format!("{label}=\"{value}\""))
        };
        let count = inside.split(',').filter(|pair| !pair.is_empty()).count();
        (count == labels.len() && labels.iter().all(has)).then(|| value.parse().ok())?
    })
}

fn ours(page: &str) -> String {
    let lines: Vec<_> = page
        .lines()
        .filter(|line| line.contains("throughline"))
        .collect();
    lines.join("\n")
}
