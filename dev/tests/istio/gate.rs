//! Servers between agents and the registry: a proxy, and one that wants a password.

use anyhow::Result;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use throughline_dev::http::{Request, Response, Server, client};
use throughline_dev::istio::NODE;

/// Where the registry is.
const REGISTRY: (std::net::Ipv4Addr, u16) = (NODE, 5000);

/// A proxy that reaches one host, by a name that nobody else knows, and no other.
#[derive(Debug)]
pub struct ForwardProxy {
    server: Server,
    seen: Arc<Mutex<Vec<String>>>,
}

impl ForwardProxy {
    /// To the registry, under that name and port.
    pub fn start(authority: &'static str) -> Result<Self> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let server = Server::start_on((NODE, 0).into(), move |request| {
            let asked = format!("{} {}", request.method, request.target);
            noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(asked);
            forwarded(authority, request)
        })?;
        Ok(Self { server, seen })
    }

    /// Its address, as agents are told.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// What it was asked for so far: method and target.
    pub fn seen(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn forwarded(authority: &str, mut request: Request) -> Response {
    if request.method == "CONNECT" {
        if request.target != authority {
            return Response::new(403);
        }
        return match TcpStream::connect(REGISTRY) {
            Ok(there) => Response::new(200).then(move |here| join(&here, &there)),
            Err(_) => Response::new(502),
        };
    }
    let path = request.target.strip_prefix("http://");
    let Some(path) = path.and_then(|rest| rest.strip_prefix(authority)) else {
        return Response::new(403);
    };
    request.target = path.to_owned();
    from_registry(&request)
}

/// Copies both ways until both have ended.
fn join(here: &TcpStream, there: &TcpStream) {
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        // Either side may go at any time.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    };
    thread::scope(|scope| {
        scope.spawn(|| copy(here, there));
        copy(there, here);
    });
}

fn from_registry(request: &Request) -> Response {
    let answer = client::send(REGISTRY.into(), request);
    answer.unwrap_or_else(|_| Response::new(502))
}

/// The registry for those who know `tester:secret`; others are told the realm.
pub fn with_password(realm: &'static str) -> Result<(Server, SocketAddr)> {
    // `tester:secret`
    const CREDENTIALS: &[u8] = b"Basic dGVzdGVyOnNlY3JldA==";
    let server = Server::start_on((NODE, 0).into(), move |request| {
        if request.headers.get("authorization") == Some(CREDENTIALS) {
            return from_registry(&request);
        }
        Response::new(401).header("www-authenticate", format!("Basic realm=\"{realm}\""))
    })?;
    let address = server.address();
    Ok((server, address))
}
