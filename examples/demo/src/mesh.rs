//! Bookinfo as processes: four services, each beside an Envoy of its own, and a gateway.

use crate::bookinfo::{self, Bookinfo};
use crate::collector::Collector;
use crate::interrupt::Interrupt;
use crate::mode::Mode;
use crate::service::Service;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use throughline_dev::app::Call;
use throughline_dev::envoy::Envoy;
use throughline_dev::http::{Request, Response, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Proxy, Route};

const NAMESPACE: &str = "bookinfo";
const PORT: u16 = 9080;

/// A service and its sidecar.
#[derive(Debug)]
pub struct Pod {
    pub service: bookinfo::Service,
    pub process: Service,
    pub envoy: Envoy,
}

/// What every Envoy of a mesh is made with.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub mode: Mode,
    pub envoy: &'a Path,
    pub module: &'a Path,
    pub collector: &'a Collector,
    pub interrupt: &'a Interrupt,
}

/// A running mesh. Dropping it ends its processes.
#[derive(Debug)]
pub struct Mesh<'a> {
    pub gateway: Envoy,
    /// Each before those that it calls.
    pub pods: Vec<Pod>,
    pub collector: &'a Collector,
}

impl<'a> Mesh<'a> {
    /// Starts everything, the callee always before its callers.
    pub fn start(bookinfo: &Bookinfo, parts: Parts<'a>) -> Result<Self> {
        let mut pods: Vec<Pod> = Vec::new();
        for service in bookinfo.services().iter().rev() {
            let pod = Pod::start(*service, &pods, parts)
                .with_context(|| format!("starting {} and its Envoy", service.name))?;
            pods.insert(0, pod);
        }
        let first = pods.first().context("there are no services")?;
        let node =
            Node::gateway("istio-ingressgateway", "istio-system").label("istio", "ingressgateway");
        let listener = Listener::outbound("outbound")
            .route(Route::any(&cluster(first.service.name)))
            .merge(&json!({"use_remote_address": true, "tracing": {"spawn_upstream_span": true}}));
        let proxy = Proxy::new(node)
            .cluster(Cluster::new(
                &cluster(first.service.name),
                first.envoy.listener("inbound")?,
            ))
            .listener(parts.mode.equip(listener, parts.module, parts.collector));
        let gateway = start(proxy, parts).context("starting the gateway's Envoy")?;
        Ok(Self {
            gateway,
            pods,
            collector: parts.collector,
        })
    }

    /// Sends one request through it, as a client without tracing does.
    pub fn send(&self, method: &str) -> Result<Response> {
        let request = Request::new(method, bookinfo::PATH).header("host", "bookinfo.example.com");
        client::send(self.gateway.listener("outbound")?, &request)
    }

    /// What a service answers from now on.
    pub fn answers(&mut self, service: &str, status: u16) -> Result<()> {
        let found = self.pods.iter_mut().find(|pod| pod.service.name == service);
        let pod = found.with_context(|| format!("there is no {service}"))?;
        pod.process.answers(status)
    }

    /// Every Envoy with its name, in the order of a request.
    pub fn envoys(&self) -> impl Iterator<Item = (&'static str, &Envoy)> {
        let sidecars = self.pods.iter().map(|pod| (pod.service.name, &pod.envoy));
        std::iter::once((bookinfo::GATEWAY, &self.gateway)).chain(sidecars)
    }
}

impl Pod {
    fn start(service: bookinfo::Service, others: &[Self], parts: Parts<'_>) -> Result<Self> {
        let mut process = Service::start(service.name, service.copies)?;
        let node = Node::sidecar(service.name, &format!("{}-v1", service.name), NAMESPACE);
        let mut outbound = Listener::outbound("outbound");
        let mut proxy = Proxy::new(node).cluster(Cluster::new("inbound", process.address()));
        for callee in others
            .iter()
            .filter(|other| service.calls.contains(&other.service.name))
        {
            let name = callee.service.name;
            outbound = outbound.route(Route::host(name, &cluster(name)));
            proxy = proxy.cluster(Cluster::new(
                &cluster(name),
                callee.envoy.listener("inbound")?,
            ));
        }
        let inbound = Listener::inbound("inbound")
            .filter("envoy.filters.http.rbac", &only_get())
            .route(Route::any("inbound"));
        let proxy = proxy
            .listener(parts.mode.equip(inbound, parts.module, parts.collector))
            .listener(parts.mode.equip(outbound, parts.module, parts.collector));
        let envoy = start(proxy, parts)?;
        process.calls(&calls(&service, others, envoy.listener("outbound")?))?;
        Ok(Self {
            service,
            process,
            envoy,
        })
    }
}

fn calls(service: &bookinfo::Service, others: &[Pod], through: SocketAddr) -> Vec<Call> {
    let called = |pod: &&Pod| service.calls.contains(&pod.service.name);
    let call = |pod: &Pod| {
        let bookinfo::Service { name, path, .. } = pod.service;
        let call = Call::new(through, &format!("{name}:{PORT}"), path);
        match bookinfo::OPTIONAL == name {
            true => call.optional(),
            false => call,
        }
    };
    others.iter().filter(called).map(call).collect()
}

fn start(proxy: Proxy, parts: Parts<'_>) -> Result<Envoy> {
    parts.interrupt.check()?;
    let proxy = proxy.cluster(parts.collector.cluster());
    let proxy = match parts.mode {
        // Envoy's tracer would gather spans for five seconds first.
        Mode::Native => proxy.merge(&json!({"layered_runtime": {"layers": [{
            "name": "demo", "static_layer": {"tracing.zipkin.min_flush_spans": 1},
        }]}})),
        Mode::Filter => proxy,
    };
    let envoy = proxy.start(parts.envoy)?;
    parts.interrupt.check()?;
    Ok(envoy)
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

/// A cluster's name in Istio's form.
fn cluster(service: &str) -> String {
    format!("outbound|{PORT}||{service}.{NAMESPACE}.svc.cluster.local")
}
