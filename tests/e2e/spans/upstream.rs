//! What stands behind every listener: it answers as the last element of the path says, and remembers who asked.

use anyhow::Result;
use std::collections::{HashMap, HashSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use throughline_dev::http::{Request, Response, Server};
use throughline_dev::{http2, poll};

/// The same service over HTTP/1.1 and HTTP/2.
pub struct Upstream {
    http1: Server,
    http2: http2::Server,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The requests that came, by their `x-request-id`.
    seen: Mutex<HashMap<String, Vec<Request>>>,
    /// The ids of those that may go on with their answer.
    released: Mutex<HashSet<String>>,
    change: Condvar,
}

impl Upstream {
    pub fn start() -> Result<Self> {
        let state = Arc::new(State::default());
        let (first, second) = (Arc::clone(&state), Arc::clone(&state));
        Ok(Self {
            http1: Server::start(move |request| answer(&first, request))?,
            http2: http2::Server::start(move |request| answer_grpc(&second, &request))?,
            state,
        })
    }

    pub fn http1(&self) -> SocketAddr {
        self.http1.address()
    }

    pub fn http2(&self) -> SocketAddr {
        self.http2.address()
    }

    /// The requests of that id, in order.
    pub fn seen(&self, id: &str) -> Vec<Request> {
        lock(&self.state.seen).get(id).cloned().unwrap_or_default()
    }

    /// Waits until a request of that id came.
    pub fn wait_for(&self, id: &str) -> Result<()> {
        poll::until("the request at the upstream", || {
            Ok((!self.seen(id).is_empty()).then_some(()))
        })
    }

    /// Lets an answer go on that waits in its midst.
    pub fn release(&self, id: &str) {
        lock(&self.state.released).insert(id.to_owned());
        self.state.change.notify_all();
    }
}

impl State {
    /// Returns how many of that id came before.
    fn remember(&self, id: &str, request: &Request) -> usize {
        let mut seen = lock(&self.seen);
        let requests = seen.entry(id.to_owned()).or_default();
        requests.push(request.clone());
        requests.len() - 1
    }

    fn wait(&self, id: &str) {
        let waiting = |released: &mut HashSet<String>| !released.contains(id);
        let waited = self
            .change
            .wait_timeout_while(lock(&self.released), poll::PATIENCE, waiting);
        drop(waited);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id(request: &Request) -> String {
    let id = request.headers.get("x-request-id").unwrap_or_default();
    String::from_utf8_lossy(id).into_owned()
}

const FIRST_CHUNK: &[u8] = b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n";

fn answer(state: &Arc<State>, request: Request) -> Response {
    let id = id(&request);
    let before = state.remember(&id, &request);
    let state = Arc::clone(state);
    match last(&request.target) {
        // Ends when Envoy gives up.
        "never" => Response::instead(read_to_end),
        "stalls" => Response::instead(|stream| read_to_end(write(stream, FIRST_CHUNK))),
        "streams" => Response::instead(move |stream| {
            let stream = write(stream, FIRST_CHUNK);
            state.wait(&id);
            write(stream, b"4\r\nlast\r\n0\r\n\r\n");
        }),
        "ends-early" => Response::instead(|stream| drop(write(stream, FIRST_CHUNK))),
        "hangs-up" => Response::instead(drop),
        "nonsense" => Response::instead(|stream| drop(write(stream, b"nonsense\r\n\r\n"))),
        "early-hints" => Response::instead(|stream| {
            let hints = b"HTTP/1.1 103 -\r\nlink: </style.css>\r\n\r\n";
            write(
                write(stream, hints),
                b"HTTP/1.1 200 -\r\ncontent-length: 0\r\n\r\n",
            );
        }),
        "once" if before == 0 => Response::new(503),
        // Envoy follows only what names the host.
        "moved" => Response::new(302).header("location", "http://reviews:9080/up/ok"),
        "websocket" => Response::new(101)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .then(echo),
        other => match other.parse() {
            Ok(status) => Response::new(status),
            Err(_) if request.method == "CONNECT" => Response::new(200).then(echo),
            Err(_) => Response::ok("ok"),
        },
    }
}

fn answer_grpc(state: &State, request: &Request) -> Response {
    state.remember(&id(request), request);
    let status = |status: &str| {
        let mut response = http2::grpc_answer(b"answer");
        response.trailers = [("grpc-status", status)].into_iter().collect();
        response
    };
    match last(&request.target) {
        "Reset" => Response::default(),
        "TrailersOnly" => Response::ok("")
            .header("content-type", "application/grpc")
            .header("grpc-status", "5"),
        "Unavailable" => status("14"),
        "Undefined" => status("77"),
        "Missing" => Response::ok("").header("content-type", "application/grpc"),
        _ => status("0"),
    }
}

/// The last element of the path.
fn last(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

fn write(mut stream: TcpStream, bytes: &[u8]) -> TcpStream {
    // When this fails the client notices.
    let _ = stream.write_all(bytes);
    stream
}

fn read_to_end(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

fn echo(mut stream: TcpStream) {
    let mut bytes = [0; 5];
    while stream
        .read_exact(&mut bytes)
        .and_then(|()| stream.write_all(&bytes))
        .is_ok()
    {}
}
