//! A small server on a port of its own that hands every request to a function.

use super::wire::{self, Framing};
use super::{Headers, Request, Response};
use crate::poll::PATIENCE;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A running server; dropping it stops it from accepting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

type Handler = dyn Fn(Request) -> Response + Send + Sync;

impl Server {
    /// Listens on a free port of the loopback interface, a thread for each connection.
    pub fn start(handler: impl Fn(Request) -> Response + Send + Sync + 'static) -> Result<Self> {
        Self::start_on((Ipv4Addr::LOCALHOST, 0).into(), handler)
    }

    /// Listens there, in the network of the thread that calls this.
    pub fn start_on(
        address: SocketAddr,
        handler: impl Fn(Request) -> Response + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener =
            TcpListener::bind(address).with_context(|| format!("cannot listen at {address}"))?;
        let address = listener.local_addr()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let (handler, stop): (Arc<Handler>, _) = (Arc::new(handler), Arc::clone(&stopped));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let handler = Arc::clone(&handler);
                std::thread::spawn(move || {
                    // A peer that goes away or speaks nonsense ends its own connection, nothing else.
                    let _ = serve(stream, &*handler);
                });
            }
        });
        Ok(Self { address, stopped })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the accepting thread so that it sees the flag.
        let _ = TcpStream::connect(self.address);
    }
}

/// What a client that speaks TLS begins with.
const TLS_HANDSHAKE: u8 = 0x16;

fn serve(stream: TcpStream, handler: &Handler) -> Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        // Between requests a connection may idle (Envoy pools them); within one it may not.
        reader.get_ref().set_read_timeout(None)?;
        match reader.fill_buf()?.first() {
            None => return Ok(()),
            // As servers without TLS answer it; clients that may do without know by that.
            Some(&TLS_HANDSHAKE) => {
                let refusal = b"HTTP/1.0 400 Bad Request\r\n\r\nThis server speaks no TLS.\n";
                return Ok(reader.get_mut().write_all(refusal)?);
            }
            Some(_) => {}
        }
        reader.get_ref().set_read_timeout(Some(PATIENCE))?;
        let Some(request) = read_request(&mut reader)? else {
            return Ok(());
        };
        let (head, close) = (request.method == "HEAD", says_close(&request.headers));
        let response = handler(request);
        let bodiless =
            head || response.takeover.is_some() || matches!(response.status, 101 | 204 | 304);
        let trailers = response.chunked.then_some(&response.trailers);
        if response.status != 0 {
            let first_line = format!("HTTP/1.1 {} -", response.status);
            wire::write_message(
                reader.get_mut(),
                &first_line,
                &response.headers,
                &response.body,
                trailers,
                bodiless,
            )?;
        }
        if let Some(takeover) = response.takeover {
            takeover(reader.into_inner());
            return Ok(());
        }
        if close {
            return Ok(());
        }
    }
}

fn says_close(headers: &Headers) -> bool {
    headers
        .get("connection")
        .is_some_and(|value| value.eq_ignore_ascii_case(b"close"))
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Result<Option<Request>> {
    let Some((first, headers)) = wire::read_head(reader)? else {
        return Ok(None);
    };
    let mut words = first.split(' ').map(str::to_owned);
    let method = words.next().context("a request line without a method")?;
    let target = words.next().context("a request line without a target")?;
    let framing = wire::framing(&headers, Framing::Empty)?;
    let (body, trailers) = wire::read_body(reader, &framing)?;
    let chunked = matches!(framing, Framing::Chunked);
    Ok(Some(Request {
        method,
        target,
        headers,
        body,
        chunked,
        trailers,
    }))
}
