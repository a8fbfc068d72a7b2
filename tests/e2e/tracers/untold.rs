//! Envoy configured to keep to itself what it decides: `x-request-id` says no, whatever the tracer then does.

use super::cell::{b3, is_b3_split, w3c};
use super::setup::{COLLECTOR, CameIn, Tracer, at_once};
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::app::App;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::receiver::{Protocol, Receiver};

/// Of Envoy's request ids; the second is `useRequestIdForTraceSampling` of Istio's Telemetry.
const OPTIONS: [&str; 2] = ["pack_trace_reason", "use_request_id_for_trace_sampling"];

/// Half of what the tracer decides is sampled: so many tell for certain, to one in a billion, and as many are looked at then.
const ENOUGH: usize = 200;
/// What one listener may cost to find it out: a decision that was kept, one that was turned, one that was turned back.
const MOST: usize = 3;

pub fn untold(release: Release, module: &Path) -> Result<()> {
    let (app, receiver) = (App::start()?, Receiver::start()?);
    let mut proxy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .cluster(Cluster::new("app", app.address()))
        .cluster(receiver.cluster(COLLECTOR, Protocol::Zipkin))
        .merge(&at_once());
    let mut names = Vec::new();
    for tracer in Tracer::ALL {
        for option in OPTIONS {
            let name = format!("{tracer}_{option}");
            proxy = proxy.listener(
                Listener::inbound(&name)
                    .plugin(&Plugin::new(module, &json!({})))
                    .tracing(tracer.tracing(50.0, true))
                    .merge(&json!({"request_id_extension": {"typed_config": request_ids(option)}}))
                    .route(Route::any("app")),
            );
            names.push(name);
        }
    }
    let envoy = proxy.start(&release.binary()?)?;
    for name in names {
        let address = envoy.listener(&name)?;
        let is_split = |number: usize, came_in: CameIn| -> Result<bool> {
            let headers = came_in.headers(&format!("{:032x}", number + 1), "00f067aa0ba902b7");
            let answer = client::send(address, &Request::get("/").headers(&headers))?;
            ensure!(answer.status == 200, "{name}: {answer:?}");
            let seen = app.take_seen().pop().context("no request arrived")?;
            let is_alone = w3c(&seen.headers)?.is_none() || b3(&seen.headers)?.is_none();
            ensure!(
                !(is_alone && came_in == CameIn::Both && name.starts_with("zipkin")),
                "{name}: what says its decision leaves in both: {seen:?}"
            );
            differs(&seen.headers)
        };
        let kinds = [
            CameIn::Nothing,
            CameIn::Deferred,
            CameIn::Debug,
            CameIn::W3c,
            CameIn::Both,
        ];
        // The first response tells that there is a tracer.
        is_split(0, CameIn::Nothing)?;
        let mut split = Vec::new();
        for (number, came_in) in kinds.into_iter().cycle().take(2 * ENOUGH).enumerate() {
            if is_split(number, came_in)? {
                split.push((number, came_in));
            }
        }
        let is_learnt = split.iter().all(|(number, _)| *number < ENOUGH);
        ensure!(split.len() <= MOST && is_learnt, "{name}: {split:?}");
    }
    check_health(&envoy)
}

fn request_ids(option: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
        option: false,
    })
}

/// Whether two formats name two traces, or two decisions.
fn differs(headers: &Headers) -> Result<bool> {
    let (w3c, b3) = (w3c(headers)?, b3(headers)?);
    let is_split = matches!(
        (w3c, b3),
        (Some(w3c), Some(b3)) if w3c.trace_id != b3.trace_id || w3c.sampled != b3.sampled
    );
    Ok(is_split || is_b3_split(headers)?)
}
