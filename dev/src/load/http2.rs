//! HTTP/2 with prior knowledge, many streams on a connection.

use super::{report::Book, tickets::Tickets};
use crate::http::Headers;
use anyhow::{Context, Result};
use bytes::Bytes;
use h2::client::{self, SendRequest};
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::spawn_local;

/// Every request.
pub fn request(to: SocketAddr, path: &str, headers: &Headers) -> Result<http::Request<()>> {
    let mut request = http::Request::get(format!("http://{to}{path}"));
    for (name, value) in headers.iter() {
        request = request.header(name, value);
    }
    Ok(request.body(())?)
}

/// Sends requests over one connection, and over a new one whenever that breaks, until there are no more tickets.
pub async fn connection(
    to: SocketAddr,
    request: http::Request<()>,
    streams: usize,
    tickets: Rc<Tickets>,
    book: Rc<Book>,
) {
    let connection = Rc::new(Connection::to(to));
    let stream = || {
        let (connection, request) = (Rc::clone(&connection), request.clone());
        let (tickets, book) = (Rc::clone(&tickets), Rc::clone(&book));
        spawn_local(async move {
            while let Some(due) = tickets.next().await {
                match connection.exchange(&request).await {
                    Ok(status) => book.answer(status, due),
                    Err(error) => book.error(&error),
                }
            }
        })
    };
    let streams: Vec<_> = (0..streams).map(|_| stream()).collect();
    for stream in streams {
        stream.await.expect("a stream does not panic");
    }
}

/// A connection that its streams share, opened when first needed and again after it broke.
struct Connection {
    to: SocketAddr,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    sender: Option<SendRequest<Bytes>>,
    /// Tells which connection it was that a stream saw break.
    generation: u64,
}

impl Connection {
    fn to(to: SocketAddr) -> Self {
        Self {
            to,
            open: Mutex::default(),
        }
    }

    async fn exchange(&self, request: &http::Request<()>) -> Result<u16> {
        let (sender, generation) = self.sender().await?;
        let answer = answer(sender, request.clone()).await;
        if answer.is_err() {
            let mut open = self.open.lock().await;
            if open.generation == generation {
                open.sender = None;
            }
        }
        answer
    }

    async fn sender(&self) -> Result<(SendRequest<Bytes>, u64)> {
        let mut open = self.open.lock().await;
        if let Some(sender) = &open.sender {
            return Ok((sender.clone(), open.generation));
        }
        let stream = TcpStream::connect(self.to).await.context("connecting")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = client::handshake(stream).await.context("connecting")?;
        // When it ends, the streams on it learn so.
        spawn_local(connection);
        open.generation += 1;
        Ok((open.sender.insert(sender).clone(), open.generation))
    }
}

async fn answer(sender: SendRequest<Bytes>, request: http::Request<()>) -> Result<u16> {
    let mut sender = sender.ready().await.context("sending")?;
    let (answer, _) = sender.send_request(request, true).context("sending")?;
    let answer = answer.await.context("receiving")?;
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    while let Some(data) = body.data().await {
        body.flow_control()
            .release_capacity(data.context("receiving")?.len())?;
    }
    Ok(status)
}
