//! A load generator that one core can drive one Envoy worker to its limit with, and that says what became of every
//! request. One thread, however many connections and streams.

mod http1;
mod http2;
mod report;
mod tickets;

pub use report::Report;

use crate::http::Headers;
use crate::poll::PATIENCE;
use anyhow::{Context, Result, bail};
use report::Book;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tickets::Tickets;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};

/// What the connections speak.
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    /// One request at a time on each kept-alive connection.
    Http1,
    /// So many requests at a time on each connection.
    Http2 { streams: usize },
}

/// When requests leave.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each stream sends its next request as soon as it has its answer.
    Closed,
    /// So many a second, whatever the answers take. Latency counts from when a request was due, so a server that
    /// stalls cannot hide the requests that it kept from being sent.
    Open { per_second: u32 },
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    Requests(u64),
    Time(Duration),
}

/// What to send, how much of it, and how fast.
#[derive(Clone, Debug)]
pub struct Load {
    pub protocol: Protocol,
    pub connections: usize,
    pub pace: Pace,
    pub bound: Bound,
    pub path: String,
    pub headers: Headers,
    pub patience: Duration,
}

impl Load {
    /// GET `/` over HTTP/2, ten connections of ten streams each, at full speed.
    pub fn new(bound: Bound) -> Self {
        Self {
            protocol: Protocol::Http2 { streams: 10 },
            connections: 10,
            pace: Pace::Closed,
            bound,
            path: "/".to_owned(),
            headers: Headers::new(),
            patience: PATIENCE,
        }
    }

    /// Another protocol, over so many connections.
    #[must_use]
    pub fn over(mut self, protocol: Protocol, connections: usize) -> Self {
        self.protocol = protocol;
        self.connections = connections;
        self
    }

    /// So many requests a second instead of full speed.
    #[must_use]
    pub fn per_second(mut self, per_second: u32) -> Self {
        self.pace = Pace::Open { per_second };
        self
    }

    /// Adds header fields to each request.
    #[must_use]
    pub fn headers(mut self, headers: &Headers) -> Self {
        self.headers.extend(headers.iter());
        self
    }

    /// Gives up when nothing is answered for so long, instead of [`PATIENCE`].
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends it all and waits for the answers. Fails when they cease to come.
    pub fn run(&self, to: SocketAddr) -> Result<Report> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let book = Rc::new(Book::default());
        let tasks = LocalSet::new();
        let began = Instant::now();
        let finished = runtime.block_on(tasks.run_until(async {
            tokio::select! {
                finished = self.drive(to, &book) => finished,
                () = stall(&book, self.patience) => bail!("{to} answered nothing for {:?}", self.patience),
            }
        }));
        let report = book.close(began.elapsed());
        finished.with_context(|| format!("after {report}"))?;
        Ok(report)
    }

    async fn drive(&self, to: SocketAddr, book: &Rc<Book>) -> Result<()> {
        let streams = match self.protocol {
            Protocol::Http1 => 1,
            Protocol::Http2 { streams } => streams,
        };
        let tickets = Rc::new(Tickets::new(
            self.pace,
            self.bound,
            self.connections * streams,
        ));
        let mut connections = JoinSet::new();
        for _ in 0..self.connections {
            let (tickets, book) = (Rc::clone(&tickets), Rc::clone(book));
            match self.protocol {
                Protocol::Http1 => {
                    let request = http1::request(to, &self.path, &self.headers);
                    connections.spawn_local(http1::connection(to, request, tickets, book))
                }
                Protocol::Http2 { streams } => {
                    let request = http2::request(to, &self.path, &self.headers)?;
                    connections.spawn_local(http2::connection(to, request, streams, tickets, book))
                }
            };
        }
        while let Some(ended) = connections.join_next().await {
            ended?;
        }
        Ok(())
    }
}

/// Returns when a whole `patience` has passed without an answer or an error.
async fn stall(book: &Book, patience: Duration) {
    let mut before = 0;
    loop {
        tokio::time::sleep(patience).await;
        let now = book.requests();
        if now == before {
            return;
        }
        before = now;
    }
}
