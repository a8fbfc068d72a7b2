//! A gateway, a waypoint and a sidecar whose spans go to one receiver.

use super::exchange::{Exchange, Sent, shown};
use super::hop::Hop;
use super::listeners;
use super::routes::{clusters, furnish};
use super::upstream::Upstream;
use crate::stage::check_health;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::Path;
use throughline_dev::app::{App, Call, Forward};
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Client, Request};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, merge};
use throughline_dev::poll;
use throughline_dev::receiver::{Receiver, Span};
use throughline_dev::refused::Refused;

/// The client goes through the gateway, the waypoint and the sidecar to an application, which calls the upstream
/// through its sidecar. Every listener has [`super::routes`] too, by which a request ends there.
pub struct Mesh {
    pub receiver: Receiver,
    pub app: App,
    pub upstream: Upstream,
    _refused: Refused,
    sidecar: Envoy,
    waypoint: Envoy,
    gateway: Envoy,
    /// What arrived and was not yet asked for.
    spans: RefCell<Vec<Span>>,
    requests: Cell<usize>,
    expected: Cell<u64>,
}

/// What every configuration here has: spans leave soon.
pub fn settings(protocol: &str, config: &Value) -> Value {
    let cluster = match protocol {
        "otlp-grpc" => "collector-grpc",
        _ => "collector",
    };
    let mut settings = json!({
        "export": {"protocol": protocol, "cluster": cluster, "batch": {"scheduleDelay": "10ms"}},
    });
    merge(&mut settings, config);
    settings
}

impl Mesh {
    /// Starts everything.
    pub fn start(release: Release, module: &Path) -> Result<Self> {
        let (receiver, refused) = (Receiver::start()?, Refused::take()?);
        let (app, upstream) = (App::start()?, Upstream::start()?);
        let binary = release.binary()?;
        // The same for all: another environment would be another virtual machine.
        let plugin = Plugin::new(module, &settings("otlp-http", &json!({})))
            .environment("ENVIRONMENT", "production")
            .environment("TEAM", "books")
            .environment(
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.version=2,team=others,zone=a",
            );
        let start = |node: Node, listeners: Vec<Listener>, next: SocketAddr| {
            let proxy = Proxy::new(node)
                .cluster(Cluster::new("next", next))
                .cluster(Cluster::new("collector", receiver.http()))
                .cluster(Cluster::new("collector-grpc", receiver.grpc()).http2());
            let proxy = clusters(&upstream, &refused)
                .into_iter()
                .fold(proxy, Proxy::cluster);
            listeners
                .into_iter()
                .fold(proxy, Proxy::listener)
                .start(&binary)
        };
        let plain = |hop: Hop| furnish(logged(hop.open(hop.listener()).plugin(&plugin)));
        let more = |proxy: Hop| {
            let all = listeners::all().into_iter();
            let its = all.filter(move |(hop, ..)| *hop == proxy);
            let plugin = &plugin;
            its.map(move |(hop, name, protocol, config)| {
                let config = settings(protocol, &config).to_string();
                let plugin = plugin.clone().named(name).configured(&config);
                furnish(logged(hop.open(name).plugin(&plugin)))
            })
        };
        let sidecar = start(
            Node::sidecar("productpage", "productpage-v1", "bookinfo"),
            [plain(Hop::Inbound), plain(Hop::Outbound)]
                .into_iter()
                .chain(more(Hop::Inbound))
                .collect(),
            app.address(),
        )?;
        let waypoint = start(
            Node::waypoint("waypoint", "bookinfo"),
            vec![plain(Hop::Waypoint)],
            sidecar.listener("inbound")?,
        )?;
        let gateway = start(
            Node::gateway("istio-ingressgateway", "istio-system"),
            std::iter::once(plain(Hop::Gateway))
                .chain(more(Hop::Gateway))
                .collect(),
            waypoint.listener("waypoint")?,
        )?;
        app.forward(Forward::Everything);
        let outbound = sidecar.listener("outbound")?;
        app.calls(vec![Call::new(outbound, "reviews:9080", "/up/ok")]);
        Ok(Self {
            receiver,
            app,
            upstream,
            _refused: refused,
            sidecar,
            waypoint,
            gateway,
            spans: RefCell::default(),
            requests: Cell::new(0),
            expected: Cell::new(0),
        })
    }

    pub fn envoy(&self, hop: Hop) -> &Envoy {
        match hop {
            Hop::Inbound | Hop::Outbound => &self.sidecar,
            Hop::Gateway => &self.gateway,
            Hop::Waypoint => &self.waypoint,
        }
    }

    /// A connection to one of the gateway's further listeners, or to the one of a hop.
    pub fn connect(&self, hop: Hop, listener: &str) -> Result<Client> {
        Client::connect(self.envoy(hop).listener(listener)?)
    }

    /// The request with an id of its own, by which everything that it leaves behind is found.
    pub fn tagged(&self, request: Request) -> (Request, String) {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        let id = format!("request-{number}");
        (request.header("x-request-id", &id), id)
    }

    /// Sends a request to the listener of a hop and reads the whole answer.
    pub fn send(&self, hop: Hop, request: Request) -> Result<Sent> {
        self.send_to(hop, hop.listener(), request)
    }

    /// The same to another listener of that hop's proxy.
    pub fn send_to(&self, hop: Hop, listener: &str, request: Request) -> Result<Sent> {
        let (request, id) = self.tagged(request);
        let mut client = self.connect(hop, listener)?;
        let answer = client
            .send(&request)
            .with_context(|| format!("{hop}: {}", request.target))?;
        Ok(Sent {
            hop,
            listener: listener.to_owned(),
            id,
            request,
            from: client.address()?,
            answer: Some(answer),
        })
    }

    /// Sends a request whose answer is nobody's business yet: the client reads it, or leaves.
    pub fn begin(&self, hop: Hop, request: Request) -> Result<(Client, Sent)> {
        let (mut client, sent) = self.prepare(hop, request)?;
        client.begin(&sent.request)?;
        Ok((client, sent))
    }

    /// A request that is not sent yet, and a connection for it.
    pub fn prepare(&self, hop: Hop, request: Request) -> Result<(Client, Sent)> {
        let (request, id) = self.tagged(request);
        let client = self.connect(hop, hop.listener())?;
        let sent = Sent {
            hop,
            listener: hop.listener().to_owned(),
            id,
            request,
            from: client.address()?,
            answer: None,
        };
        Ok((client, sent))
    }

    /// What the request left behind, when it is over: exactly `count` spans and a line of the access log.
    pub fn left(&self, sent: Sent, count: u64) -> Result<Exchange> {
        let spans = self.spans(&sent.id, count)?;
        let log = self.log(&sent)?;
        Exchange::of(sent, spans, log)
    }

    /// The spans of all hops that the request passed.
    pub fn spans(&self, id: &str, count: u64) -> Result<Vec<Span>> {
        self.expected.set(self.expected.get() + count);
        let mut found = Vec::new();
        poll::until(&format!("{count} spans of {id}"), || {
            self.fetch();
            let mut spans = self.spans.borrow_mut();
            let of_this = |span: &Span| span.attribute("guid:x-request-id") == id;
            found.extend(spans.extract_if(.., |span| of_this(span)));
            Ok((found.len() as u64 >= count).then_some(()))
        })
        .with_context(|| format!("there are:\n{}", shown(&found)))?;
        ensure!(
            found.len() as u64 == count,
            "{id} has other than {count} spans:\n{}",
            shown(&found)
        );
        Ok(found)
    }

    /// Whether any span of the request is here yet.
    pub fn arrived(&self, id: &str) -> bool {
        self.fetch();
        let spans = self.spans.borrow();
        spans
            .iter()
            .any(|span| span.attribute("guid:x-request-id") == id)
    }

    /// Fails where a span is here that nobody has asked for.
    pub fn nothing_else(&self) -> Result<()> {
        self.fetch();
        let left = self.spans.borrow();
        ensure!(
            left.is_empty(),
            "spans that nobody expected:\n{}",
            shown(&*left)
        );
        Ok(())
    }

    /// The line that a request left in its listener's access log.
    pub fn log(&self, sent: &Sent) -> Result<Value> {
        poll::until(&format!("the access log line of {}", sent.id), || {
            let entries = self.envoy(sent.hop).access_log(&sent.listener)?;
            Ok(entries
                .into_iter()
                .find(|entry| entry["request_id"] == sent.id.as_str()))
        })
    }

    fn fetch(&self) {
        self.spans.borrow_mut().extend(self.receiver.take());
    }

    /// Fails where anything arrived that nobody expected, and where anything broke.
    pub fn check(&self) -> Result<()> {
        self.nothing_else()?;
        let invalid = self.receiver.invalid();
        ensure!(invalid.is_empty(), "invalid: {invalid:#?}");
        ensure!(
            self.receiver.tally().accepted == self.expected.get(),
            "{:?} instead of {} spans",
            self.receiver.tally(),
            self.expected.get()
        );
        for envoy in [&self.sidecar, &self.waypoint, &self.gateway] {
            check_health(envoy)?;
        }
        Ok(())
    }
}

/// What the spans are compared with: Envoy's own words, and the filter's for the access log.
fn logged(listener: Listener) -> Listener {
    [
        ("request_id", "%REQ(X-REQUEST-ID)%"),
        (
            "trace.id",
            "%FILTER_STATE(wasm.throughline.trace_id:PLAIN)%",
        ),
        ("span.id", "%FILTER_STATE(wasm.throughline.span_id:PLAIN)%"),
        (
            "trace.sampled",
            "%FILTER_STATE(wasm.throughline.sampled:PLAIN)%",
        ),
        ("flags", "%RESPONSE_FLAGS%"),
        ("received", "%BYTES_RECEIVED%"),
        ("sent", "%BYTES_SENT%"),
        ("cluster", "%UPSTREAM_CLUSTER_RAW%"),
        ("host", "%UPSTREAM_HOST%"),
        ("attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"),
        ("client", "%DOWNSTREAM_REMOTE_ADDRESS%"),
        ("protocol", "%PROTOCOL%"),
        ("grpc", "%GRPC_STATUS_NUMBER%"),
        ("started", "%START_TIME(%s%9f)%"),
        ("milliseconds", "%DURATION%"),
    ]
    .into_iter()
    .fold(listener, |listener, (key, format)| {
        listener.log(key, format)
    })
}
