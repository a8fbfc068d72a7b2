//! A connection on every worker: each has a virtual machine of its own, and what one has lost the others do not show.

use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use throughline_dev::app::App;
use throughline_dev::envoy::Envoy;
use throughline_dev::http::{Client, Headers, Request};
use throughline_dev::poll;

/// One kept-alive connection to `listener` on each of the workers, in their order. The kernel chooses the worker of a
/// connection, so this opens them until it has one of each; nobody else may open any meanwhile.
pub fn on_each(envoy: &Envoy, listener: &str, workers: usize) -> Result<Vec<Client>> {
    const TRIES_EACH: usize = 100;
    let address = envoy.listener(listener)?;
    let mut clients: Vec<Option<Client>> = (0..workers).map(|_| None).collect();
    for _ in 0..workers * TRIES_EACH {
        let (client, worker) = connect(envoy, listener, address, workers)?;
        clients
            .get_mut(worker)
            .context("a worker too many")?
            .get_or_insert(client);
        if clients.iter().all(Option::is_some) {
            break;
        }
    }
    let all: Option<Vec<_>> = clients.into_iter().collect();
    all.with_context(|| format!("a worker got none of the connections to {listener}"))
}

/// A connection, and the worker that has it.
fn connect(
    envoy: &Envoy,
    listener: &str,
    address: SocketAddr,
    workers: usize,
) -> Result<(Client, usize)> {
    let before = connections(envoy, listener, workers)?;
    let client = Client::connect(address)?;
    let worker = poll::until("a worker to take the connection", || {
        let now = connections(envoy, listener, workers)?;
        Ok(now.iter().zip(&before).position(|(now, then)| now > then))
    })?;
    Ok((client, worker))
}

fn connections(envoy: &Envoy, listener: &str, workers: usize) -> Result<Vec<u64>> {
    let stats = envoy.stats()?;
    let count = |worker| {
        let name = format!("listener.{listener}.worker_{worker}.downstream_cx_total");
        stats.get(&name).copied().unwrap_or(0)
    };
    Ok((0..workers).map(count).collect())
}

/// Requests to every worker of a listener, over connections none of which may ever break.
pub struct Traffic<'a> {
    app: &'a App,
    clients: Vec<Client>,
}

impl<'a> Traffic<'a> {
    /// `app` is behind the listener and gets no other requests.
    pub fn start(envoy: &Envoy, listener: &str, workers: usize, app: &'a App) -> Result<Self> {
        let clients = on_each(envoy, listener, workers)?;
        Ok(Self { app, clients })
    }

    /// Sends `request` until it arrives from each worker as `accept` wants it, and returns how it then did.
    pub fn until(
        &mut self,
        what: &str,
        request: &Request,
        accept: impl Fn(&Headers) -> bool,
    ) -> Result<Vec<Headers>> {
        let mut arrived = Vec::new();
        for client in &mut self.clients {
            arrived.push(poll::until(what, || {
                let answer = client.send(request)?;
                ensure!(answer.status == 200, "{answer:?}");
                let seen = self.app.take_seen().pop().context("no request arrived")?;
                Ok(Some(seen.headers).filter(|headers| accept(headers)))
            })?);
        }
        Ok(arrived)
    }
}
