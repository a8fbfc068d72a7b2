//! All that was read of one proxy, put together.

use super::input::{
    Cluster, Document, Dump, Extension, Hosts, HttpFilter, Listener, Log, Manager, Node, Setting,
    Stats, Traffic, Wasm,
};
use crate::Failure;
use std::collections::BTreeMap;
use std::fmt;
use throughline::config::{self, Problem, Settings};
use throughline::policy::place::{Place, Proxy};
use throughline::policy::service;

/// One proxy.
#[derive(Debug)]
pub struct Case {
    pub proxy: Proxy,
    pub node: Option<Node>,
    /// Each chain that takes HTTP from others.
    pub chains: Vec<HttpChain>,
    pub instances: Vec<Instance>,
    /// Names of plugins that Istio's agent could not pull, of which nothing says that they are this filter.
    pub strangers: Vec<String>,
    /// Names of TLS handshakes that are passed on unread.
    pub passed_through: Vec<String>,
    pub refused: Vec<(String, String)>,
    pub warming: Vec<String>,
    pub clusters: Option<BTreeMap<String, Cluster>>,
    pub hosts: BTreeMap<String, Hosts>,
    pub stats: Option<Stats>,
    /// What the statistics count: everything since then.
    pub since: &'static str,
    pub log: Option<Log>,
}

/// A chain of HTTP filters.
#[derive(Debug)]
pub struct HttpChain {
    pub listener: String,
    pub place: Place,
    pub manager: Manager,
    /// The filter's places in it: which of the manager's filters, and which instance.
    pub spots: Vec<Spot>,
}

#[derive(Clone, Copy, Debug)]
pub struct Spot {
    pub position: usize,
    pub instance: usize,
}

/// The filter under one name.
#[derive(Debug)]
pub struct Instance {
    pub name: String,
    pub state: State,
}

#[derive(Debug)]
pub enum State {
    Plugin {
        wasm: Box<Wasm>,
        /// What the module itself makes of its configuration.
        settings: Result<Box<Settings>, Problem>,
    },
    /// Istio's agent could not pull the image.
    StandIn { denies: bool },
    /// Envoy has no configuration of that name.
    Missing,
    /// What was given does not tell.
    Unknown,
}

/// What Istio made an instance from.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    kind: &'a str,
    name: &'a str,
    pub namespace: &'a str,
}

/// Everything that was read, in the order in which it was given.
#[derive(Default, Debug)]
pub struct Evidence {
    dump: Dump,
    stats: Vec<Stats>,
    log: Option<Log>,
}

impl Evidence {
    /// Takes what `name` held.
    pub fn add(&mut self, name: &str, document: Document) -> Result<(), Failure> {
        match document {
            Document::Dump(dump) => {
                if dump.listeners.is_some() && self.dump.listeners.is_some() {
                    return Err(Failure::new(format!(
                        "{name}: the listeners of one proxy were given already: one proxy at a time"
                    )));
                }
                self.dump.join(*dump);
            }
            Document::Hosts(hosts) => self.dump.hosts.extend(hosts),
            Document::Stats(stats) => self.stats.push(stats),
        }
        Ok(())
    }

    pub fn log(&mut self, log: Log) {
        self.log = Some(log);
    }

    /// Puts it together. Without listeners nothing can be said.
    pub fn close(mut self) -> Result<Case, Failure> {
        let Some(listeners) = self.dump.listeners.take() else {
            return Err(Failure::new(
                "nothing that was given has Envoy's listeners: give a config dump \
                 (pilot-agent request GET config_dump, or http://localhost:15000), or what istioctl proxy-config listener -o json prints",
            ));
        };
        let last = self.stats.pop();
        let (stats, since) = match (last, self.stats.first()) {
            (Some(last), Some(first)) => (Some(last.since(first)), "between the two readings"),
            (last, _) => (last, "since Envoy started"),
        };
        let proxy = kind(self.dump.node.as_ref(), &listeners);
        let mut case = Case {
            proxy,
            chains: Vec::new(),
            instances: Vec::new(),
            strangers: Vec::new(),
            passed_through: Vec::new(),
            refused: self.dump.refused,
            warming: self.dump.warming,
            clusters: self.dump.clusters.map(|clusters| {
                let named = clusters
                    .into_iter()
                    .map(|cluster| (cluster.name.clone(), cluster));
                named.collect()
            }),
            hosts: self
                .dump
                .hosts
                .into_iter()
                .map(|of| (of.cluster, of.hosts))
                .collect(),
            stats,
            since,
            log: self.log,
            node: self.dump.node,
        };
        for listener in listeners {
            case.take(listener, self.dump.extensions.as_ref());
        }
        Ok(case)
    }
}

impl<'a> Resource<'a> {
    /// By the name that Istio gives a filter: `extensions.istio.io/wasmplugin/istio-system.throughline`, and from 1.30 on
    /// `…/trafficextension/…` for both kinds.
    pub fn of(filter: &'a str) -> Option<Self> {
        const TRANSLATED: &str = "~istio-translated-wasmplugin";
        let (kind, name) = filter
            .strip_prefix("extensions.istio.io/")?
            .split_once('/')?;
        let (namespace, name) = name.split_once('.')?;
        let (kind, name) = match name.strip_suffix(TRANSLATED) {
            Some(name) => ("wasmplugin", name),
            None => (kind, name),
        };
        Some(Self {
            kind,
            name,
            namespace,
        })
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -n {}", self.kind, self.name, self.namespace)
    }
}

impl HttpChain {
    /// Whether requests pass that place of it.
    pub fn is_on(&self, spot: &Spot) -> bool {
        let filter = self.manager.filters.get(spot.position);
        filter.is_some_and(|filter| !filter.disabled)
    }
}

impl Instance {
    /// What kubectl calls the resource that Istio made it from: `wasmplugin NAME -n NAMESPACE`.
    pub fn resource(&self) -> String {
        let resource = Resource::of(&self.name).map(|resource| resource.to_string());
        resource.unwrap_or_else(|| "wasmplugin NAME -n NAMESPACE".to_owned())
    }

    /// Its configuration, if it has a good one.
    pub fn settings(&self) -> Option<&Settings> {
        match &self.state {
            State::Plugin { settings, .. } => settings.as_deref().ok(),
            _ => None,
        }
    }

    /// Whether it does something with requests, as far as its configuration says.
    pub fn acts(&self) -> bool {
        matches!(self.state, State::Unknown)
            || self.settings().is_some_and(|settings| settings.enabled)
    }
}

impl Case {
    /// Where the filter runs under that place in `instances`.
    pub fn listeners(&self, instance: usize) -> Vec<&str> {
        let mut names = Vec::new();
        for chain in &self.chains {
            let is_there = chain.spots.iter().any(|spot| spot.instance == instance);
            if is_there && !names.contains(&&*chain.listener) {
                names.push(&*chain.listener);
            }
        }
        names
    }

    pub fn is_istio(&self) -> bool {
        self.proxy != Proxy::Plain
    }

    /// The filter's configurations that are in force.
    pub fn settings(&self) -> impl Iterator<Item = &Settings> {
        let settings = self.instances.iter().filter_map(Instance::settings);
        settings.filter(|settings| settings.enabled)
    }

    /// Whether a resource of that namespace is for its proxies alone, this one among them. Others are of Istio's root
    /// namespace; which that is, a dump does not say: it is `istio-system` unless somebody chose another.
    pub fn is_local(&self, namespace: &str) -> bool {
        let own = self
            .node
            .as_ref()
            .and_then(|node| node.metadata.get("NAMESPACE"));
        own.is_some_and(|own| own == namespace) && namespace != "istio-system"
    }

    /// Whether requests pass the filter there, and not what stands in for it.
    pub fn has_filter(&self, chain: &HttpChain) -> bool {
        self.on(chain)
            .any(|instance| matches!(instance.state, State::Plugin { .. } | State::Unknown))
    }

    /// The instances that count each request of that chain, in their order.
    pub fn acting(&self, chain: &HttpChain) -> Vec<&Instance> {
        self.on(chain).filter(|instance| instance.acts()).collect()
    }

    fn on<'a, 'c>(
        &'a self,
        chain: &'c HttpChain,
    ) -> impl Iterator<Item = &'a Instance> + use<'a, 'c> {
        let spots = chain.spots.iter().filter(|spot| chain.is_on(spot));
        spots.filter_map(|spot| self.instances.get(spot.instance))
    }

    /// The pod, as kubectl takes it: `-n NAMESPACE POD`.
    pub fn pod(&self) -> String {
        let id = self.node.as_ref().map(|node| &*node.id);
        let name = id.and_then(|id| id.split('~').nth(2));
        match name.and_then(|name| name.rsplit_once('.')) {
            Some((pod, namespace)) => format!("-n {namespace} {pod}"),
            None => "-n NAMESPACE POD".to_owned(),
        }
    }

    /// The filter's version, from its metrics or its start-up line.
    pub fn version(&self) -> Option<String> {
        let info = self
            .stats
            .as_ref()
            .and_then(|stats| stats.samples("info").find(|info| info.value > 0));
        let info = info
            // Where labels are spelled in names, Prometheus has no dots.
            .map(|info| info.label("version").replace('_', "."))
            .filter(|version| !version.is_empty());
        info.or_else(|| self.log.as_ref()?.version().map(str::to_owned))
    }

    /// The name that spans have under these settings.
    pub fn service(&self, settings: &Settings) -> String {
        settings.service.resolve(&mut NodeOf(self.node.as_ref()))
    }

    fn take(&mut self, listener: Listener, extensions: Option<&BTreeMap<String, Extension>>) {
        let place = Place::new(self.proxy, listener.direction);
        for chain in listener.chains {
            match chain.traffic {
                Traffic::Http(manager) if !self.is_own(&listener.name, &manager) => {
                    let spots = manager.filters.iter().enumerate();
                    let spots = spots.filter_map(|(position, filter)| {
                        let instance = self.instance(filter, extensions)?;
                        Some(Spot { position, instance })
                    });
                    let spots = spots.collect();
                    self.chains.push(HttpChain {
                        listener: listener.name.clone(),
                        place,
                        spots,
                        manager,
                    });
                }
                // Inbound, TLS is the mesh's own.
                Traffic::Tcp
                    if !chain.server_names.is_empty() && place != Place::SidecarInbound =>
                {
                    self.passed_through.extend(chain.server_names);
                }
                _ => {}
            }
        }
    }

    /// Whether the proxy itself listens there: for scrapes, health checks, and the tunnels between proxies.
    fn is_own(&self, listener: &str, manager: &Manager) -> bool {
        const TUNNELS: [&str; 4] = [
            "connect_terminate",
            "connect_originate",
            "inner_connect_originate",
            "outer_connect_originate",
        ];
        self.is_istio()
            && (matches!(&*manager.stat_prefix, "stats" | "agent") || TUNNELS.contains(&listener))
    }

    /// Which instance of the filter that is, if one.
    fn instance(
        &mut self,
        filter: &HttpFilter,
        extensions: Option<&BTreeMap<String, Extension>>,
    ) -> Option<usize> {
        let config = match (&filter.config, extensions) {
            (Some(config), _) => Some(config),
            (None, Some(extensions)) => extensions.get(&filter.name),
            (None, None) => None,
        };
        let named = filter.name.contains("throughline");
        let state = match config {
            Some(Extension::Wasm(wasm)) if wasm.is_throughline() || named => State::Plugin {
                settings: settings_of(wasm, self.node.as_ref()).map(Box::new),
                wasm: wasm.clone(),
            },
            Some(Extension::StandIn { denies }) if named => State::StandIn { denies: *denies },
            Some(Extension::StandIn { .. }) => {
                if !self.strangers.contains(&filter.name) {
                    self.strangers.push(filter.name.clone());
                }
                return None;
            }
            None if named && extensions.is_some() => State::Missing,
            None if named => State::Unknown,
            _ => return None,
        };
        // A static filter may have another configuration on each listener.
        let known = self.instances.iter().position(|known| {
            known.name == filter.name
                && match (&known.state, &state) {
                    (State::Plugin { wasm: a, .. }, State::Plugin { wasm: b, .. }) => a == b,
                    (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
                }
        });
        Some(known.unwrap_or_else(|| {
            self.instances.push(Instance {
                name: filter.name.clone(),
                state,
            });
            self.instances.len().saturating_sub(1)
        }))
    }
}

/// Where the bootstrap is not known, the listeners that only Istio makes tell.
fn kind(node: Option<&Node>, listeners: &[Listener]) -> Proxy {
    let has = |name: &str| listeners.iter().any(|listener| listener.name == name);
    match node {
        Some(node) => Proxy::from_node_id(node.id.as_bytes()),
        None if has("main_internal") => Proxy::Waypoint,
        None if has("virtualInbound") || has("virtualOutbound") => Proxy::Sidecar,
        None if listeners.iter().any(is_for_health) => Proxy::Gateway,
        None => Proxy::Plain,
    }
}

/// Whether it is where Istio's agent answers health checks, which every proxy of Istio's has in its bootstrap.
fn is_for_health(listener: &Listener) -> bool {
    let mut chains = listener.chains.iter();
    listener.name.ends_with("_15021")
        && chains.any(|chain| matches!(&chain.traffic, Traffic::Http(manager) if manager.stat_prefix == "agent"))
}

/// By the module's own reading, in that proxy.
fn settings_of(wasm: &Wasm, node: Option<&Node>) -> Result<Settings, Problem> {
    let variable = |name: &str| {
        let of_host = || {
            // Their values are not in the dump. Whatever they are, they are not OpenTelemetry's words.
            let known = wasm.host_environment.iter().any(|key| key == name);
            (known && !name.starts_with("OTEL_")).then(|| "unknown".to_owned())
        };
        wasm.environment.get(name).cloned().or_else(of_host)
    };
    match &wasm.setting {
        Setting::Text(text) => config::load(text.as_bytes(), &variable, &mut NodeOf(node)),
        Setting::Message(name) => Err(Problem::new(
            "",
            format!(
                "the configuration is a google.protobuf.{name}, which Envoy passes as protobuf bytes; \
                 write it as a google.protobuf.StringValue that holds JSON"
            ),
        )),
    }
}

/// The bootstrap's node, for the service's name and for overrides.
struct NodeOf<'a>(Option<&'a Node>);

impl service::Node for NodeOf<'_> {
    fn metadata(&mut self, path: &[&str]) -> Option<String> {
        let mut value = &self.0?.metadata;
        for element in path {
            value = value.get(element)?;
        }
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    fn cluster(&mut self) -> Option<String> {
        self.0
            .map(|node| node.cluster.clone())
            .filter(|cluster| !cluster.is_empty())
    }
}
