//! Bookinfo as processes: four services, each beside an Envoy of its own, and a gateway.

use super::{Bookinfo, GATEWAY, OPTIONAL, PATH, Service};
use crate::app::{App, Call};
use crate::envoy::Envoy;
use crate::http::{Request, Response, client};
use crate::mesh::{Cluster, Identity, Listener, Node, Proxy, Route};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Where its services are.
pub const NAMESPACE: &str = "bookinfo";
const PORT: u16 = 9080;

/// What runs as a service.
pub trait Application {
    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// Whom it calls for every request from now on, one after the other.
    fn calls(&mut self, calls: Vec<Call>) -> Result<()>;

    /// What it answers from now on, once its calls succeeded.
    fn answers(&mut self, status: u16) -> Result<()>;
}

/// Within this process.
impl Application for App {
    fn address(&self) -> SocketAddr {
        self.address()
    }

    fn calls(&mut self, calls: Vec<Call>) -> Result<()> {
        Self::calls(self, calls);
        Ok(())
    }

    fn answers(&mut self, status: u16) -> Result<()> {
        Self::answers(self, status);
        Ok(())
    }
}

/// What a mesh is made of.
pub trait Builder {
    /// What runs as each service.
    type Application: Application;

    /// Starts a service, which forwards what it copies and calls nobody yet.
    fn application(&self, service: &Service) -> Result<Self::Application>;

    /// Gives a listener its tracing.
    fn equip(&self, listener: Listener) -> Listener;

    /// What a proxy proves itself by to the others: all of them, or none.
    fn identity(&self, _workload: &str) -> Result<Option<Identity>> {
        Ok(None)
    }

    /// Starts an Envoy.
    fn start(&self, proxy: Proxy) -> Result<Envoy>;
}

/// A service and its sidecar.
#[derive(Debug)]
pub struct Pod<A> {
    /// What it is.
    pub service: Service,
    /// What answers.
    pub application: A,
    /// Its sidecar, with the listeners `inbound` and `outbound`.
    pub envoy: Envoy,
}

/// A running mesh. Dropping it ends its processes.
#[derive(Debug)]
pub struct Mesh<A> {
    /// Its listener is `outbound`.
    pub gateway: Envoy,
    /// Each before those that it calls.
    pub pods: Vec<Pod<A>>,
}

impl<A: Application> Mesh<A> {
    /// Starts everything, the callee always before its callers.
    pub fn start(bookinfo: &Bookinfo, builder: &impl Builder<Application = A>) -> Result<Self> {
        let mut pods: Vec<Pod<A>> = Vec::new();
        for service in bookinfo.services().iter().rev() {
            let pod = Pod::start(*service, &pods, builder)
                .with_context(|| format!("starting {} and its Envoy", service.name))?;
            pods.insert(0, pod);
        }
        let first = pods.first().context("there are no services")?;
        let node =
            Node::gateway("istio-ingressgateway", "istio-system").label("istio", "ingressgateway");
        let listener = Listener::outbound("outbound")
            .route(Route::any(&cluster(first.service.name)))
            .merge(&json!({"use_remote_address": true, "tracing": {"spawn_upstream_span": true}}));
        let identity = builder.identity("istio-ingressgateway")?;
        let proxy = Proxy::new(node)
            .cluster(cluster_of(first, identity.as_ref())?)
            .listener(builder.equip(listener));
        let gateway = builder
            .start(proxy)
            .context("starting the gateway's Envoy")?;
        Ok(Self { gateway, pods })
    }

    /// Sends one request through it, as a client without tracing does.
    pub fn send(&self, method: &str) -> Result<Response> {
        let request = Request::new(method, PATH).header("host", "bookinfo.example.com");
        client::send(self.gateway.listener("outbound")?, &request)
    }

    /// What a service answers from now on.
    pub fn answers(&mut self, service: &str, status: u16) -> Result<()> {
        let found = self.pods.iter_mut().find(|pod| pod.service.name == service);
        let pod = found.with_context(|| format!("there is no {service}"))?;
        pod.application.answers(status)
    }

    /// Every Envoy with its name, in the order of a request.
    pub fn envoys(&self) -> impl Iterator<Item = (&'static str, &Envoy)> {
        let sidecars = self.pods.iter().map(|pod| (pod.service.name, &pod.envoy));
        std::iter::once((GATEWAY, &self.gateway)).chain(sidecars)
    }
}

impl<A: Application> Pod<A> {
    fn start(
        service: Service,
        others: &[Self],
        builder: &impl Builder<Application = A>,
    ) -> Result<Self> {
        let mut application = builder.application(&service)?;
        let node = Node::sidecar(service.name, &format!("{}-v1", service.name), NAMESPACE);
        let identity = builder.identity(service.name)?;
        let mut outbound = Listener::outbound("outbound");
        let mut proxy = Proxy::new(node).cluster(Cluster::new("inbound", application.address()));
        for callee in others
            .iter()
            .filter(|other| service.calls.contains(&other.service.name))
        {
            let name = callee.service.name;
            outbound = outbound.route(Route::host(name, &cluster(name)));
            proxy = proxy.cluster(cluster_of(callee, identity.as_ref())?);
        }
        let inbound = Listener::inbound("inbound")
            .filter("envoy.filters.http.rbac", &only_get())
            .route(Route::any("inbound"));
        let inbound = match &identity {
            Some(identity) => inbound.mtls(identity),
            None => inbound,
        };
        let proxy = proxy
            .listener(builder.equip(inbound))
            .listener(builder.equip(outbound));
        let envoy = builder.start(proxy)?;
        application.calls(calls(&service, others, envoy.listener("outbound")?))?;
        Ok(Self {
            service,
            application,
            envoy,
        })
    }
}

fn calls<A>(service: &Service, others: &[Pod<A>], through: SocketAddr) -> Vec<Call> {
    let called = |pod: &&Pod<A>| service.calls.contains(&pod.service.name);
    let call = |pod: &Pod<A>| {
        let Service { name, path, .. } = pod.service;
        let call = Call::new(through, &format!("{name}:{PORT}"), path);
        match OPTIONAL == name {
            true => call.optional(),
            false => call,
        }
    };
    others.iter().filter(called).map(call).collect()
}

/// What Istio makes of an AuthorizationPolicy that denies all but GET. It runs before the filter.
fn only_get() -> Value {
    let get = json!({"header": {"name": ":method", "string_match": {"exact": "GET"}}});
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"action": "DENY", "policies": {"ns[bookinfo]-policy[reads]-rule[0]": {
            "permissions": [{"not_rule": get}],
            "principals": [{"any": true}],
        }}},
    })
}

/// A service as those see it that call it.
fn cluster_of<A>(callee: &Pod<A>, caller: Option<&Identity>) -> Result<Cluster> {
    let cluster = Cluster::new(
        &cluster(callee.service.name),
        callee.envoy.listener("inbound")?,
    );
    Ok(match caller {
        Some(identity) => cluster.mtls(identity),
        None => cluster,
    })
}

/// A cluster's name in Istio's form.
fn cluster(service: &str) -> String {
    format!("outbound|{PORT}||{service}.{NAMESPACE}.svc.cluster.local")
}
