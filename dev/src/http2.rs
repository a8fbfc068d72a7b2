//! HTTP/2 without TLS, for what HTTP/1.1 cannot show: gRPC, trailers both ways, a proxy that changes the protocol.
//! The same [`Request`] and [`Response`] as in [`crate::http`].

use crate::http::{Headers, Request, Response};
use crate::poll::PATIENCE;
use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use h2::{RecvStream, SendStream, client, server};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Sends one request over a connection of its own. The authority is the `host` header, or the address.
pub fn send(to: SocketAddr, request: &Request) -> Result<Response> {
    Ok(send_from(to, request)?.0)
}

/// The same, and where it connected from.
pub fn send_from(to: SocketAddr, request: &Request) -> Result<(Response, SocketAddr)> {
    runtime()?.block_on(bounded(exchange(to, request)))
}

/// A gRPC message as it travels: not compressed, length, bytes.
pub fn grpc_message(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], message].concat()
}

/// A gRPC call of `/service/method` with one message, for [`send`].
pub fn grpc_call(path: &str, message: &[u8]) -> Request {
    Request::post(path, grpc_message(message))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
}

/// A successful gRPC answer with one message, for a [`Server`].
pub fn grpc_answer(message: &[u8]) -> Response {
    let mut response =
        Response::ok(grpc_message(message)).header("content-type", "application/grpc");
    response.trailers.push("grpc-status", "0");
    response
}

type Handler = dyn Fn(Request) -> Response + Send + Sync;

/// A running HTTP/2 server on a port of its own; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Listens on a free port of the loopback interface and hands every request to `handler`.
    pub fn start(handler: impl Fn(Request) -> Response + Send + Sync + 'static) -> Result<Self> {
        let handler: Arc<Handler> = Arc::new(handler);
        let runtime = runtime()?;
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .context("cannot listen on the loopback interface")?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, handler) => {}
                    _ = stopped => {}
                }
            });
            // A handler that is still busy must not keep us.
            runtime.shutdown_background();
        });
        Ok(Self {
            address,
            _stop: stop,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?)
}

async fn bounded<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(PATIENCE, work)
        .await
        .map_err(|_| anyhow!("no end after {} s of HTTP/2", PATIENCE.as_secs()))?
}

async fn exchange(to: SocketAddr, request: &Request) -> Result<(Response, SocketAddr)> {
    let stream = TcpStream::connect(to)
        .await
        .with_context(|| format!("cannot connect to {to}"))?;
    // Else a large body waits 40 ms for an acknowledgement.
    stream.set_nodelay(true)?;
    let from = stream.local_addr()?;
    let (mut sender, connection) = client::handshake(stream).await?;
    tokio::spawn(connection);
    let ended = request.body.is_empty() && request.trailers.is_empty();
    let (answer, body) = {
        std::future::poll_fn(|context| sender.poll_ready(context)).await?;
        sender.send_request(request_head(to, request)?, ended)?
    };
    if !ended {
        send_body(body, &request.body, &request.trailers)?;
    }
    let (head, body) = answer.await?.into_parts();
    let (body, trailers) = receive_body(body).await?;
    let mut response = Response::new(head.status.as_u16());
    (response.headers, response.body, response.trailers) =
        (from_map(&head.headers), body, trailers);
    Ok((response, from))
}

async fn accept(listener: TcpListener, handler: Arc<Handler>) {
    while let Ok((stream, _)) = listener.accept().await {
        // A peer that speaks nonsense ends its own connection, nothing else.
        tokio::spawn(serve(stream, Arc::clone(&handler)));
    }
}

async fn serve(stream: TcpStream, handler: Arc<Handler>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = server::handshake(stream).await?;
    while let Some(incoming) = connection.accept().await {
        let (request, respond) = incoming?;
        tokio::spawn(bounded(answer(request, respond, Arc::clone(&handler))));
    }
    Ok(())
}

async fn answer(
    request: http::Request<RecvStream>,
    mut respond: server::SendResponse<Bytes>,
    handler: Arc<Handler>,
) -> Result<()> {
    let (head, body) = request.into_parts();
    let (body, trailers) = receive_body(body).await?;
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let mut request = Request::new(head.method.as_str(), target);
    if let Some(authority) = head.uri.authority() {
        request.headers.push("host", authority.as_str());
    }
    request.headers.extend(from_map(&head.headers).iter());
    (request.body, request.trailers) = (body, trailers);
    // The handler may itself make calls, which block.
    let response = tokio::task::spawn_blocking(move || handler(request)).await?;
    if response.status == 0 {
        respond.send_reset(h2::Reason::INTERNAL_ERROR);
        return Ok(());
    }
    let mut head = http::Response::builder().status(response.status).body(())?;
    *head.headers_mut() = to_map(&response.headers)?;
    let ended = response.body.is_empty() && response.trailers.is_empty();
    let stream = respond.send_response(head, ended)?;
    if !ended {
        send_body(stream, &response.body, &response.trailers)?;
    }
    Ok(())
}

fn request_head(to: SocketAddr, request: &Request) -> Result<http::Request<()>> {
    let authority = match request.headers.get("host") {
        Some(host) => String::from_utf8_lossy(host).into_owned(),
        None => to.to_string(),
    };
    let uri = format!("http://{authority}{}", request.target);
    let mut head = http::Request::builder()
        .method(request.method.as_str())
        .uri(uri)
        .body(())?;
    *head.headers_mut() = to_map(&request.headers.filtered(|name| name != "host"))?;
    Ok(head)
}

fn send_body(mut stream: SendStream<Bytes>, body: &[u8], trailers: &Headers) -> Result<()> {
    stream.send_data(Bytes::copy_from_slice(body), trailers.is_empty())?;
    if !trailers.is_empty() {
        stream.send_trailers(to_map(trailers)?)?;
    }
    Ok(())
}

async fn receive_body(mut stream: RecvStream) -> Result<(Vec<u8>, Headers)> {
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await?;
    Ok((body, trailers.as_ref().map(from_map).unwrap_or_default()))
}

fn to_map(headers: &Headers) -> Result<http::HeaderMap> {
    let field = |(name, value)| {
        Ok((
            http::HeaderName::from_bytes(name)?,
            http::HeaderValue::from_bytes(value)?,
        ))
    };
    let mut map = http::HeaderMap::new();
    for field in headers.iter().map(field) {
        let (name, value) = field
            .map_err(|error: http::Error| anyhow!("HTTP/2 cannot carry this header: {error}"))?;
        map.append(name, value);
    }
    Ok(map)
}

fn from_map(map: &http::HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}
