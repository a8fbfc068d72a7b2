//! Ten thousand hostile requests through one Envoy, over connections that never break.

use super::check::{self, Forwarded};
use super::exported;
use super::headers::{MOST_HEADERS, hostile, is_legal};
use super::random::{Random, seed};
use super::setups::{self, Setup};
use crate::scenarios::{TRACE, TRACEPARENT};
use crate::stage::check_health;
use crate::workers;
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Client, Headers, Request, Response, Server, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::receiver::Receiver;

const REQUESTS: usize = 10_000;
const WORKERS: usize = 2;

pub fn run(release: Release, module: &Path) -> Result<()> {
    let (seed, setups, sink) = (seed()?, setups::all(), Sink::start()?);
    println!("Envoy {release}: SEED={seed} makes the same {REQUESTS} requests again");
    let receiver = Receiver::start()?;
    let envoy = proxy(&setups, module, &sink, &receiver).start(&release.binary()?)?;
    let mut lanes = lanes(&envoy, &setups)?;
    let run = |lane: usize, clients: &mut Vec<Client>| -> Result<Vec<Forwarded>> {
        let mut all = Vec::new();
        for number in (lane..REQUESTS).step_by(WORKERS) {
            let headers = hostile(&mut Random::of(seed, number));
            let (setup, client) = (
                &setups[number % setups.len()],
                &mut clients[number % setups.len()],
            );
            let forwarded = play(&envoy, &sink, setup, client, number, &headers);
            all.extend(forwarded.with_context(|| {
                format!(
                    "request {number} with SEED={seed}, {}: {}\n{headers:?}",
                    setup.name, setup.config
                )
            })?);
        }
        Ok(all)
    };
    let all = std::thread::scope(|scope| {
        let threads: Vec<_> = lanes
            .iter_mut()
            .enumerate()
            .map(|(lane, clients)| scope.spawn(move || run(lane, clients)))
            .collect();
        let results = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        results.collect::<Result<Vec<_>>>()
    });
    let all =
        all.map_err(|error| error.context(format!("Envoy's log ends:\n{}", envoy.log_tail(20))))?;
    let all: Vec<Forwarded> = all.into_iter().flatten().collect();
    let started: Vec<_> = all.iter().filter_map(|all| all.started.as_ref()).collect();
    let different: HashSet<_> = started.iter().collect();
    ensure!(
        different.len() == started.len(),
        "two traces were started under one id"
    );
    ensure!(
        started.len() < REQUESTS / 2,
        "most requests held nothing valid: {}",
        started.len()
    );
    check_health(&envoy)?;
    let mut spans: Vec<_> = all.into_iter().filter_map(|all| all.span).collect();
    spans.extend(sentinels(&sink, &setups, &mut lanes)?);
    ensure!(
        spans.len() > REQUESTS / 6,
        "few requests were recorded: {}",
        spans.len()
    );
    exported::all(&envoy, &receiver, &spans)
}

/// On the very connections, one for each worker and listener, that the hostile requests came over. Returns their spans.
fn sentinels(
    sink: &Sink,
    setups: &[Setup],
    lanes: &mut [Vec<Client>],
) -> Result<Vec<(String, String)>> {
    let mut spans = Vec::new();
    for (worker, clients) in lanes.iter_mut().enumerate() {
        for (setup, client) in setups.iter().zip(clients) {
            // A stale format beside the good ones, of which every configuration changes one.
            let sent = Headers::new()
                .with("traceparent", TRACEPARENT)
                .with("b3", "stale")
                .with("x-b3-traceid", TRACE)
                .with("x-b3-spanid", "00f067aa0ba902b7");
            let answer = client.send(&Request::get("/sentinel").headers(&sent))?;
            let seen = sink
                .take("/sentinel")
                .context("the sentinel did not arrive")?;
            let acted = answer.status == 200 && seen.get("b3") != Some(b"stale");
            let forwarded = check::forwarded(setup, &sent, &seen);
            let goes_on = forwarded.as_ref().is_ok_and(|it| it.started.is_none());
            ensure!(
                acted && goes_on,
                "worker {worker}, {}: the filter is gone: {}, {forwarded:?}\n{seen:?}",
                setup.name,
                answer.status
            );
            spans.extend(forwarded.unwrap_or_default().span);
        }
    }
    Ok(spans)
}

/// What became of it; `None` where Envoy refused it.
fn play(
    envoy: &Envoy,
    sink: &Sink,
    setup: &Setup,
    client: &mut Client,
    number: usize,
    headers: &Headers,
) -> Result<Option<Forwarded>> {
    let target = format!("/{number}");
    let request = Request::get(&target).headers(headers);
    if is_legal(headers) {
        let answer = client.send(&request)?;
        ensure!(answer.status == 200, "{answer:?}");
    } else {
        // Envoy may answer with 400 and close, as the request is none: not the filter's doing.
        let answer = client::send(envoy.listener(setup.name)?, &request)?;
        match answer.status {
            200 => {}
            400..500 => return Ok(None),
            _ => bail!("{answer:?}"),
        }
    }
    let seen = sink
        .take(&target)
        .context("it was answered, but never forwarded")?;
    let checked = check::forwarded(setup, headers, &seen);
    checked
        .map(Some)
        .map_err(|problem| anyhow::anyhow!("{problem}\nforwarded:\n{seen:?}"))
}

/// For each worker its connections, one for each listener.
fn lanes(envoy: &Envoy, setups: &[Setup]) -> Result<Vec<Vec<Client>>> {
    let mut lanes: Vec<Vec<Client>> = (0..WORKERS).map(|_| Vec::new()).collect();
    for setup in setups {
        let clients = workers::on_each(envoy, setup.name, WORKERS)?;
        for (lane, client) in lanes.iter_mut().zip(clients) {
            lane.push(client);
        }
    }
    Ok(lanes)
}

fn proxy(setups: &[Setup], module: &Path, sink: &Sink, receiver: &Receiver) -> Proxy {
    let node = Node::sidecar("productpage", "productpage-v1", "bookinfo");
    let proxy = Proxy::new(node)
        .concurrency(WORKERS as u32)
        .cluster(Cluster::new("sink", sink.server.address()))
        .cluster(Cluster::new(setups::COLLECTOR, receiver.http()))
        .stats_tag("outcome")
        .stats_tag("reason");
    setups.iter().fold(proxy, |proxy, setup| {
        let plugin = Plugin::new(module, &setup.config).named(setup.name);
        proxy.listener(
            Listener::inbound(setup.name)
                .plugin(&plugin)
                .max_request_headers(96)
                .merge(&json!({"common_http_protocol_options": {"max_headers_count": MOST_HEADERS + 100}}))
                .route(Route::any("sink")),
        )
    })
}

/// Remembers the headers of every request by its path, until they are taken.
struct Sink {
    server: Server,
    seen: Arc<Mutex<HashMap<String, Headers>>>,
}

impl Sink {
    fn start() -> Result<Self> {
        let seen = Arc::new(Mutex::new(HashMap::new()));
        let shared = Arc::clone(&seen);
        let server = Server::start(move |request| {
            let mut seen = shared.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(request.target, request.headers);
            Response::ok("")
        })?;
        Ok(Self { server, seen })
    }

    fn take(&self, target: &str) -> Option<Headers> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(target)
    }
}
