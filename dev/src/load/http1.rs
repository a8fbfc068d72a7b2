//! HTTP/1.1 without pipelining.

use super::{report::Book, tickets::Tickets};
use crate::http::Headers;
use anyhow::{Context, Result, bail, ensure};
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The bytes of every request.
pub fn request(to: SocketAddr, path: &str, headers: &Headers) -> Vec<u8> {
    let mut bytes = format!("GET {path} HTTP/1.1\r\nhost: {to}\r\n").into_bytes();
    for (name, value) in headers.iter() {
        bytes.extend([name, b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes
}

/// Sends requests over one connection, and over a new one whenever that breaks, until there are no more tickets.
pub async fn connection(to: SocketAddr, request: Vec<u8>, tickets: Rc<Tickets>, book: Rc<Book>) {
    let mut connection = None;
    while let Some(due) = tickets.next().await {
        match exchange(&mut connection, to, &request).await {
            Ok(status) => book.answer(status, due),
            Err(error) => {
                connection = None;
                book.error(&error);
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

async fn exchange(
    connection: &mut Option<Connection>,
    to: SocketAddr,
    request: &[u8],
) -> Result<u16> {
    let Connection { stream, received } = match connection {
        Some(open) => open,
        None => {
            let stream = TcpStream::connect(to).await.context("connecting")?;
            stream.set_nodelay(true)?;
            connection.insert(Connection {
                stream,
                received: Vec::with_capacity(4096),
            })
        }
    };
    stream.write_all(request).await.context("sending")?;
    received.clear();
    loop {
        let read = stream.read_buf(received).await.context("receiving")?;
        ensure!(read > 0, "closed without a whole answer");
        if let Some((status, length)) = parse(received)? {
            if received.len() == length {
                return Ok(status);
            }
            ensure!(received.len() < length, "more than the answer came");
        }
    }
}

/// Status and whole length of the answer that begins here, once its head is complete.
fn parse(bytes: &[u8]) -> Result<Option<(u16, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(head) = response.parse(bytes)? else {
        return Ok(None);
    };
    let status = response.code.context("no status")?;
    let length = response
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let Some(length) = length else {
        bail!("status {status} without a content-length");
    };
    Ok(Some((
        status,
        head + std::str::from_utf8(length.value)?.parse::<usize>()?,
    )))
}
