//! Where an application is played: client → inbound listener → application → outbound listener → callee, with
//! everything on the wire between them seen as it is.

use crate::application::Running;
use crate::cells::Cell;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use throughline_dev::app::{App, Call, Forward};
use throughline_dev::built;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Headers, Request, client};
use throughline_dev::mesh::{Cluster, Node, Plugin, Proxy, merge};
use throughline_dev::poll;
use throughline_dev::receiver::{Kind, Receiver, Span};

/// The application's service name.
pub const APPLICATION: &str = "application";

/// The sidecar's.
pub const SIDECAR: &str = "sidecar";

/// Whether the filter reports spans of its own, and so is a hop of the trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter {
    /// It only keeps the formats on one context.
    Propagates,
    /// It reports its hops, too.
    Exports,
}

/// What was seen of a request.
#[derive(Debug)]
pub struct Seen {
    /// What the filter wrote to the application; nothing where the request did not pass it.
    pub received: Option<Headers>,
    /// What the application wrote onto its own call.
    pub wrote: Headers,
    /// What the filter made of that.
    pub arrived: Headers,
}

/// What all cells are played on.
pub struct Stage {
    binary: PathBuf,
    module: PathBuf,
    /// Sees what the filter writes to the application.
    before: App,
    /// Sees what the application writes.
    after: App,
    callee: App,
    receiver: Receiver,
    envoys: RefCell<Vec<(Value, Rc<Envoy>)>>,
}

impl Stage {
    /// Starts all but the sidecars and the application.
    pub fn start() -> Result<Self> {
        Ok(Self {
            binary: Release::NEWEST.binary()?,
            module: built::module()?,
            before: tap()?,
            after: tap()?,
            callee: App::start()?,
            receiver: Receiver::start()?,
            envoys: RefCell::default(),
        })
    }

    /// The environment in which an application calls through here and reports its spans to here.
    pub fn environment(&self) -> Vec<(String, String)> {
        let collector = self.receiver.http();
        let mut environment = environment(self.after.address());
        for (name, path) in [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces"),
            ("ZIPKIN_ENDPOINT", "/api/v2/spans"),
        ] {
            environment.push((name.to_owned(), format!("http://{collector}{path}")));
        }
        environment
    }

    /// Puts `application` behind a sidecar whose filter is set as `cell` says.
    pub fn set(&self, application: &Running, cell: &Cell, filter: Filter) -> Result<Rc<Envoy>> {
        let envoy = self.envoy(cell, filter)?;
        let call = |to: SocketAddr| vec![Call::new(to, "callee.example.com", "/")];
        self.before.calls(call(application.address()));
        self.after.calls(call(envoy.listener("outbound")?));
        Ok(envoy)
    }

    /// Sends a request to `to`, the inbound listener or the application itself.
    pub fn send(&self, to: SocketAddr, headers: &Headers) -> Result<Seen> {
        let request = Request::get("/")
            .header("host", "application.example.com")
            .headers(headers);
        let answer = client::send(to, &request)?;
        if answer.status != 200 {
            bail!("the answer was {answer:?}");
        }
        Ok(Seen {
            received: at_most_one(&self.before)?,
            wrote: at_most_one(&self.after)?.context("the application called nobody")?,
            arrived: at_most_one(&self.callee)?.context("the call did not arrive")?,
        })
    }

    /// Every span that was reported so far.
    pub fn spans(&self) -> Vec<Span> {
        self.receiver.spans()
    }

    /// Waits for the application's span of that kind that `is_it` accepts, among those after the first `known`.
    pub fn of_application(
        &self,
        known: usize,
        kind: Kind,
        is_it: impl Fn(&Span) -> bool,
    ) -> Result<Span> {
        self.wait(known, &format!("the application's {kind} span"), |span| {
            span.service == APPLICATION && span.kind == kind && is_it(span)
        })
    }

    /// Waits for the sidecar's span of those ids.
    pub fn of_sidecar(&self, kind: Kind, trace_id: &str, span_id: &str) -> Result<Span> {
        self.wait(0, &format!("the sidecar's {kind} span {span_id}"), |span| {
            let ids = (span.trace_id.as_str(), span.span_id.as_str());
            span.service == SIDECAR && span.kind == kind && ids == (trace_id, span_id)
        })
    }

    fn wait(&self, known: usize, what: &str, is_it: impl Fn(&Span) -> bool) -> Result<Span> {
        let found = poll::until(what, || {
            Ok(self
                .spans()
                .into_iter()
                .skip(known)
                .find(|span| is_it(span)))
        });
        found.with_context(|| {
            let spans = self.spans();
            let faults = self.receiver.invalid();
            format!("spans: {:#?}\nfaults: {faults:#?}", spans.get(known..))
        })
    }

    fn envoy(&self, cell: &Cell, filter: Filter) -> Result<Rc<Envoy>> {
        let mut config = cell.filter();
        if filter == Filter::Exports {
            let export = json!({"cluster": "collector", "batch": {"scheduleDelay": "50ms"}});
            merge(
                &mut config,
                &json!({"export": export, "service": {"name": SIDECAR}}),
            );
        }
        let mut envoys = self.envoys.borrow_mut();
        if let Some((_, envoy)) = envoys.iter().find(|(have, _)| *have == config) {
            return Ok(Rc::clone(envoy));
        }
        let node = Node::sidecar("application", "application-v1", "interop");
        let plugin = Plugin::new(&self.module, &config);
        let (application, callee) = (self.before.address(), self.callee.address());
        let proxy = Proxy::sidecar(node, application, callee, Some(&plugin))
            .cluster(Cluster::new("collector", self.receiver.http()));
        let envoy = Rc::new(proxy.start(&self.binary)?);
        envoys.push((config, Rc::clone(&envoy)));
        Ok(envoy)
    }
}

/// What lets everything pass as it is, and remembers it.
pub fn tap() -> Result<App> {
    let app = App::start()?;
    app.forward(Forward::Everything);
    Ok(app)
}

/// The environment of every application: whom it calls, and how it reports its spans, but not where to.
pub fn environment(callee: SocketAddr) -> Vec<(String, String)> {
    [
        ("CALLEE", format!("http://{callee}/").as_str()),
        ("SERVICE_NAME", APPLICATION),
        ("OTEL_SERVICE_NAME", APPLICATION),
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The headers of the one request since the last time, if there was one.
pub fn at_most_one(app: &App) -> Result<Option<Headers>> {
    let mut seen = app.take_seen().into_iter();
    match (seen.next(), seen.next()) {
        (request, None) => Ok(request.map(|request| request.headers)),
        (_, Some(_)) => bail!("the request came more than once"),
    }
}
