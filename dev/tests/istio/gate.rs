//! Servers between agents and the registry: a proxy, and one that wants a password.

use anyhow::Result;
use serde_json::{Value, json};
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use throughline_dev::envoy::{Envoy, Options};
use throughline_dev::http::{Request, Response, Server, client};
use throughline_dev::istio::NODE;

/// Where the registry is.
const REGISTRY: (Ipv4Addr, u16) = (NODE, 5000);

/// A proxy that reaches the registry by TLS, under a name that nobody else knows, and nothing else.
#[derive(Debug)]
pub struct ForwardProxy {
    server: Server,
    seen: Arc<Mutex<Vec<String>>>,
    _tls: Envoy,
}

impl ForwardProxy {
    /// To `authority`, whose certificate is in that folder.
    pub fn start(authority: &'static str, envoy: &Path, certificates: &Path) -> Result<Self> {
        let tls = Envoy::start(envoy, &Options::default(), |_| Ok(front(certificates)))?;
        let registry = tls.listener("tls")?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let server = Server::start_on((NODE, 0).into(), move |request| {
            let asked = format!("{} {}", request.method, request.target);
            let is_known = asked == format!("CONNECT {authority}");
            noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(asked);
            if !is_known {
                return Response::new(403);
            }
            match TcpStream::connect(registry) {
                Ok(there) => Response::new(200).then(move |here| join(&here, &there)),
                Err(_) => Response::new(502),
            }
        })?;
        Ok(Self {
            server,
            seen,
            _tls: tls,
        })
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

/// An Envoy that speaks TLS for the registry.
fn front(certificates: &Path) -> Value {
    let address = |address: Ipv4Addr, port: u16| json!({"socket_address": {"address": address, "port_value": port}});
    let file = |name: &str| json!({"filename": certificates.join(name)});
    let (host, port) = REGISTRY;
    let endpoint = json!({"endpoint": {"address": address(host, port)}});
    json!({
        "admin": {"address": address(Ipv4Addr::LOCALHOST, 0)},
        "static_resources": {
            "listeners": [{
                "name": "tls",
                "address": address(Ipv4Addr::LOCALHOST, 0),
                "filter_chains": [{
                    "transport_socket": {
                        "name": "envoy.transport_sockets.tls",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                            "common_tls_context": {"tls_certificates": [{
                                "certificate_chain": file("cert-chain.pem"),
                                "private_key": file("key.pem"),
                            }]},
                        },
                    },
                    "filters": [{
                        "name": "envoy.filters.network.tcp_proxy",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                            "stat_prefix": "registry",
                            "cluster": "registry",
                        },
                    }],
                }],
            }],
            "clusters": [{
                "name": "registry",
                "load_assignment": {
                    "cluster_name": "registry",
                    "endpoints": [{"lb_endpoints": [endpoint]}],
                },
            }],
        },
    })
}

/// Copies both ways until both have ended.
fn join(here: &TcpStream, there: &TcpStream) {
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        // Either side may go at any time.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
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
