//! An application as services really are: it gets a request, forwards the headers it knows about, calls others.

use crate::http::{Headers, Request, Response, Server, client};
use anyhow::Result;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which request headers an application copies onto its own calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forward {
    /// None: it knows nothing of tracing.
    Nothing,
    /// All but those of the connection.
    Everything,
    /// These, by lower-case name.
    Only(&'static [&'static str]),
}

impl Forward {
    /// A service with an old Zipkin library.
    pub const B3_MULTI: Self = Self::Only(&[
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-flags",
    ]);
    /// A service that knows B3's single header.
    pub const B3_SINGLE: Self = Self::Only(&["b3"]);
    /// A service with a current OpenTelemetry library.
    pub const W3C: Self = Self::Only(&["traceparent", "tracestate"]);
    /// A service that took half of W3C Trace Context.
    pub const TRACEPARENT: Self = Self::Only(&["traceparent"]);
    /// A service written after Istio's documentation of distributed tracing.
    pub const ISTIO: Self = Self::Only(&[
        "x-request-id",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-flags",
        "b3",
        "traceparent",
        "tracestate",
        "grpc-trace-bin",
        "x-ot-span-context",
        "x-datadog-trace-id",
        "x-datadog-parent-id",
        "x-datadog-sampling-priority",
        "x-cloud-trace-context",
    ]);

    /// What is left of the headers of a request.
    pub fn pick(self, headers: &Headers) -> Headers {
        const OF_THE_CONNECTION: [&str; 5] = [
            "host",
            "connection",
            "content-length",
            "transfer-encoding",
            "upgrade",
        ];
        match self {
            Self::Nothing => Headers::new(),
            Self::Everything => headers.filtered(|name| !OF_THE_CONNECTION.contains(&name)),
            Self::Only(names) => headers.filtered(|name| names.contains(&name)),
        }
    }
}

/// A call that an application makes for every request it gets.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its sidecar's outbound listener.
    pub through: SocketAddr,
    /// The host it calls.
    pub host: String,
    /// The path it calls.
    pub path: String,
    /// Whether the application does without an answer.
    pub optional: bool,
}

impl Call {
    /// Calls `path` of `host`.
    pub fn new(through: SocketAddr, host: &str, path: &str) -> Self {
        Self {
            through,
            host: host.to_owned(),
            path: path.to_owned(),
            optional: false,
        }
    }

    /// The same for an application that does without an answer.
    #[must_use]
    pub fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }
}

const REMEMBERED: usize = 1000;

#[derive(Debug)]
struct State {
    forward: Forward,
    calls: Vec<Call>,
    status: u16,
    seen: VecDeque<Request>,
}

/// A running application. It answers 200, or 502 when a call that it needs did not succeed, with the reason.
#[derive(Debug)]
pub struct App {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl App {
    /// Starts one that forwards nothing and calls nobody: it must be there before its sidecar, whose addresses it
    /// needs for its calls.
    pub fn start() -> Result<Self> {
        Self::start_on((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Starts one there, in the network of the thread that calls this.
    pub fn start_on(address: SocketAddr) -> Result<Self> {
        let state = State {
            forward: Forward::Nothing,
            calls: Vec::new(),
            status: 200,
            seen: VecDeque::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = Server::start_on(address, move |request| handle(&shared, request))?;
        Ok(Self { server, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it forwards from now on.
    pub fn forward(&self, forward: Forward) {
        lock(&self.state).forward = forward;
    }

    /// What it calls from now on, one after the other.
    pub fn calls(&self, calls: Vec<Call>) {
        lock(&self.state).calls = calls;
    }

    /// What it answers from now on, once its calls succeeded.
    pub fn answers(&self, status: u16) {
        lock(&self.state).status = status;
    }

    /// The requests since the last time (the last thousand), which are then forgotten.
    pub fn take_seen(&self) -> Vec<Request> {
        std::mem::take(&mut lock(&self.state).seen).into()
    }
}

fn handle(state: &Mutex<State>, request: Request) -> Response {
    // Not locked during the calls: a call may lead back here.
    let (forwarded, calls, status) = {
        let mut state = lock(state);
        let forwarded = state.forward.pick(&request.headers);
        // The demo runs for hours.
        if state.seen.len() >= REMEMBERED {
            state.seen.pop_front();
        }
        state.seen.push_back(request);
        (forwarded, state.calls.clone(), state.status)
    };
    for Call {
        through,
        host,
        path,
        optional,
    } in calls
    {
        let call = Request::get(&path)
            .header("host", &host)
            .headers(&forwarded);
        match client::send(through, &call) {
            Ok(answer) if answer.status < 400 => {}
            _ if optional => {}
            Ok(answer) => {
                return failed(&format!(
                    "{host}{path}: {} {}",
                    answer.status,
                    answer.text()
                ));
            }
            Err(error) => return failed(&format!("{host}{path}: {error:#}")),
        }
    }
    Response {
        status,
        ..Response::ok("ok\n")
    }
}

fn failed(why: &str) -> Response {
    Response {
        body: why.as_bytes().to_vec(),
        ..Response::new(502)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
