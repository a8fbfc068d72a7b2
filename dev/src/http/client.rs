//! A client that sends exactly the bytes it is given.

use super::wire::{self, Framing};
use super::{Request, Response};
use crate::poll::PATIENCE;
use anyhow::{Context, Result, bail};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};

/// Sends one request over a connection of its own.
pub fn send(to: SocketAddr, request: &Request) -> Result<Response> {
    Client::connect(to)?.send(request)
}

/// A kept-alive connection.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<TcpStream>,
    host: String,
}

impl Client {
    /// Connects. Every read and write is bounded by [`PATIENCE`].
    pub fn connect(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&to, PATIENCE)
            .with_context(|| format!("cannot connect to {to}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(stream),
            host: to.to_string(),
        })
    }

    /// Sends a request and reads the whole response.
    pub fn send(&mut self, request: &Request) -> Result<Response> {
        self.begin(request)?;
        self.receive(&request.method)
    }

    /// Sends bytes as they are, for messages that no [`Request`] can express.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.reader.get_mut().write_all(bytes)?)
    }

    /// Where it connects from.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.reader.get_ref().local_addr()?)
    }

    /// Sends a request without waiting for the response.
    pub fn begin(&mut self, request: &Request) -> Result<()> {
        let mut headers = request.headers.clone();
        if !headers.contains("host") {
            let host = if request.method == "CONNECT" {
                &request.target
            } else {
                &self.host
            };
            headers.push("host", host);
        }
        let trailers = request.chunked.then_some(&request.trailers);
        let first_line = format!("{} {} HTTP/1.1", request.method, request.target);
        let bodiless = !matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
        wire::write_message(
            self.reader.get_mut(),
            &first_line,
            &headers,
            &request.body,
            trailers,
            bodiless,
        )
        .context("cannot send the request")
    }

    /// Reads the response to a request of that method; one of 1xx comes before another.
    pub fn receive(&mut self, method: &str) -> Result<Response> {
        let (first, headers) = wire::read_head(&mut self.reader)
            .context("no response")?
            .context("the server closed the connection without a response")?;
        let status = match first.split(' ').nth(1).map(str::parse::<u16>) {
            Some(Ok(status)) => status,
            _ => bail!("not a status line: {first:?}"),
        };
        let hijacked = method == "CONNECT" && status / 100 == 2;
        let framing = if hijacked || method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
            Framing::Empty
        } else {
            wire::framing(&headers, Framing::UntilClose)?
        };
        let (body, trailers) = wire::read_body(&mut self.reader, &framing)?;
        let chunked = matches!(framing, Framing::Chunked);
        Ok(Response {
            status,
            headers,
            body,
            chunked,
            trailers,
            takeover: None,
        })
    }

    /// The connection itself, after a 101 or a CONNECT. What the server sent early stays readable.
    pub fn into_stream(self) -> BufReader<TcpStream> {
        self.reader
    }
}
