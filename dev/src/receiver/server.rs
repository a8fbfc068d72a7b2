//! A port of the receiver: it listens, closes with every connection, and listens again at the same address.

use super::export::{self, Shared};
use anyhow::{Context, Result};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

/// Who may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Larger than a batch, so that none waits for a window.
const WINDOW: u32 = 8 << 20;

/// What a port speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaks {
    /// HTTP/1.1.
    Http,
    /// gRPC, which is HTTP/2 without an upgrade.
    Grpc,
}

/// A port.
#[derive(Debug)]
pub struct Port {
    speaks: Speaks,
    address: SocketAddr,
    /// Bound, never listening: it keeps the number for us while we do not listen.
    _held: TcpSocket,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Port {
    /// Takes a free port of the interface with that address, without listening yet.
    pub fn take(interface: IpAddr, speaks: Speaks, runtime: &Handle) -> Result<Self> {
        let _inside = runtime.enter();
        let held = bind(SocketAddr::from((interface, 0)))?;
        Ok(Self {
            speaks,
            address: held.local_addr()?,
            _held: held,
            running: None,
        })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens, if it does not yet.
    pub fn open(&mut self, runtime: &Handle, shared: &Arc<Shared>) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let _inside = runtime.enter();
        let listener = bind(self.address)?.listen(BACKLOG);
        let listener = listener.with_context(|| format!("cannot listen at {}", self.address))?;
        let (stop, stopped) = oneshot::channel();
        let task = runtime.spawn(accept(listener, self.speaks, Arc::clone(shared), stopped));
        self.running = Some((stop, task));
        Ok(())
    }

    /// Closes the port and every connection; returns when all of them are closed.
    pub fn close(&mut self, runtime: &Handle) {
        if let Some((stop, task)) = self.running.take() {
            drop(stop);
            let _ = runtime.block_on(task);
        }
    }
}

fn bind(address: SocketAddr) -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Lets the holder and the listener share the number, and the listener follow one that has just closed.
    socket.set_reuseaddr(true)?;
    socket
        .bind(address)
        .with_context(|| format!("cannot bind {address}"))?;
    Ok(socket)
}

async fn accept(
    listener: TcpListener,
    speaks: Speaks,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(serve(stream, speaks, Arc::clone(&shared)));
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, speaks: Speaks, shared: Arc<Shared>) -> Result<()> {
    stream.set_nodelay(true)?;
    let descriptor = stream.as_fd().try_clone_to_owned()?;
    let reset = Arc::new(Notify::new());
    let service = service_fn(|request| {
        export::handle(request, speaks, Arc::clone(&shared), Arc::clone(&reset))
    });
    let stream = TokioIo::new(stream);
    let connection = async {
        match speaks {
            Speaks::Http => {
                // Without a timer no connection is closed for idling: Envoy pools them.
                http1::Builder::new()
                    .serve_connection(stream, service)
                    .await
            }
            Speaks::Grpc => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder
                    .initial_stream_window_size(WINDOW)
                    .initial_connection_window_size(WINDOW);
                builder.serve_connection(stream, service).await
            }
        }
    };
    tokio::select! {
        // A peer that goes away or speaks nonsense ends its own connection, nothing else.
        _ = connection => {}
        () = reset.notified() => {
            // Closing it now sends a reset.
            socket2::SockRef::from(&descriptor).set_linger(Some(Duration::ZERO))?;
        }
    }
    Ok(())
}
