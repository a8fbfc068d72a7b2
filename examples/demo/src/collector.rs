//! What Envoy's Zipkin tracer reports to.

use crate::interrupt::Interrupt;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use throughline_dev::http::{Request, Response, Server};
use throughline_dev::poll;

/// A Zipkin collector that keeps what it gets.
#[derive(Debug)]
pub struct Collector {
    server: Server,
    trace_ids: Arc<Mutex<Vec<String>>>,
}

impl Collector {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let trace_ids = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&trace_ids);
        let server = Server::start(move |request| match read(&request) {
            Ok(ids) => {
                lock(&kept).extend(ids);
                Response::new(202)
            }
            Err(error) => Response {
                body: format!("{error:#}").into_bytes(),
                ..Response::new(400)
            },
        })?;
        Ok(Self { server, trace_ids })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Waits for that many spans, and returns the trace id of every span.
    pub fn wait_for(&self, spans: usize, interrupt: &Interrupt) -> Result<Vec<String>> {
        poll::until(&format!("Envoys to report {spans} spans"), || {
            interrupt.check()?;
            let ids = lock(&self.trace_ids);
            Ok((ids.len() >= spans).then(|| ids.clone()))
        })
    }
}

/// The trace ids of a Zipkin v2 report.
fn read(request: &Request) -> Result<Vec<String>> {
    if (request.method.as_str(), request.target.as_str()) != ("POST", "/api/v2/spans") {
        bail!("only POST /api/v2/spans is taken here");
    }
    let spans: Vec<Value> = serde_json::from_slice(&request.body)?;
    let id = |span: &Value| {
        let id = span.get("traceId").and_then(Value::as_str);
        Ok(id.context("a span without a traceId")?.to_owned())
    };
    spans.iter().map(id).collect()
}

fn lock(ids: &Mutex<Vec<String>>) -> std::sync::MutexGuard<'_, Vec<String>> {
    ids.lock().unwrap_or_else(PoisonError::into_inner)
}
