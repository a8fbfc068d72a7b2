//! A whole proxy, ready to start.

use super::{Cluster, Listener, Node, Plugin, Route, cluster::socket, merge::merge, withdrawal};
use crate::envoy::{Envoy, Options};
use anyhow::Result;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// The description of a proxy.
#[derive(Clone, Debug)]
pub struct Proxy {
    node: Node,
    listeners: Vec<Listener>,
    withdrawable: Vec<Listener>,
    clusters: Vec<Cluster>,
    stats_tags: Vec<Value>,
    extra: Value,
    options: Options,
}

impl Proxy {
    /// A proxy without listeners.
    pub fn new(node: Node) -> Self {
        Self {
            node,
            listeners: Vec::new(),
            withdrawable: Vec::new(),
            clusters: Vec::new(),
            stats_tags: Vec::new(),
            extra: json!({}),
            options: Options::default(),
        }
    }

    /// The usual sidecar: `inbound` goes to the application, `outbound` to its callee, `plugin` in both.
    pub fn sidecar(
        node: Node,
        app: SocketAddr,
        callee: SocketAddr,
        plugin: Option<&Plugin>,
    ) -> Self {
        let with = |listener: Listener| {
            plugin
                .iter()
                .fold(listener, |listener, plugin| listener.plugin(plugin))
        };
        Self::new(node)
            .listener(with(Listener::inbound("inbound").route(Route::any("app"))))
            .listener(with(
                Listener::outbound("outbound").route(Route::any("callee")),
            ))
            .cluster(Cluster::new("app", app))
            .cluster(Cluster::new("callee", callee))
    }

    /// Adds a listener.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Changes every listener that is there.
    #[must_use]
    pub fn each_listener(mut self, change: impl FnMut(Listener) -> Listener) -> Self {
        self.listeners = self.listeners.into_iter().map(change).collect();
        self
    }

    /// Adds a cluster.
    #[must_use]
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// Makes `name=.=value;.;metric` a metric with a label, by the regular expression that Istio generates for its
    /// `extraStatTags`.
    #[must_use]
    pub fn stats_tag(mut self, name: &str) -> Self {
        self.stats_tags
            .push(json!({"tag_name": name, "regex": format!(r"({name}=\.=(.*?);\.;)")}));
        self
    }

    /// Sets the number of worker threads.
    #[must_use]
    pub fn concurrency(mut self, workers: u32) -> Self {
        self.options.concurrency = workers;
        self
    }

    /// Sets Envoy's `--component-log-level`, such as `wasm:debug`.
    #[must_use]
    pub fn component_log_level(mut self, levels: &str) -> Self {
        levels.clone_into(&mut self.options.component_log_level);
        self
    }

    /// Adds a listener that [`withdraw`](super::withdraw) removes from the running Envoy, which has so many seconds then
    /// for its requests.
    #[must_use]
    pub fn withdrawable(mut self, listener: Listener, drain_seconds: u32) -> Self {
        self.withdrawable.push(listener);
        self.options.drain_seconds = Some(drain_seconds);
        self
    }

    /// Merges JSON into the bootstrap, for what has no method here.
    #[must_use]
    pub fn merge(mut self, extra: &Value) -> Self {
        merge(&mut self.extra, extra);
        self
    }

    /// Starts it, and makes sure that every plugin was taken.
    pub fn start(&self, binary: &Path) -> Result<Envoy> {
        let listeners = || self.listeners.iter().chain(&self.withdrawable);
        let plugins = || listeners().flat_map(Listener::plugins);
        let envoy = Envoy::start(binary, &self.options, |directory| {
            plugins().try_for_each(|plugin| plugin.deliver(directory))?;
            withdrawal::announce(&self.withdrawable, directory)?;
            Ok(self.bootstrap(directory))
        })?;
        plugins().try_for_each(|plugin| plugin.check_taken(&envoy))?;
        Ok(envoy)
    }

    fn bootstrap(&self, directory: &Path) -> Value {
        let listeners: Vec<_> = self
            .listeners
            .iter()
            .map(|listener| listener.to_json(directory))
            .collect();
        let clusters: Vec<_> = self.clusters.iter().map(Cluster::to_json).collect();
        let mut bootstrap = json!({
            "node": self.node.to_json(),
            "admin": {"address": socket((Ipv4Addr::LOCALHOST, 0).into())},
            "stats_config": {"stats_tags": self.stats_tags},
            "static_resources": {"listeners": listeners, "clusters": clusters},
        });
        if !self.withdrawable.is_empty() {
            merge(&mut bootstrap, &withdrawal::bootstrap(directory));
        }
        merge(&mut bootstrap, &self.extra);
        bootstrap
    }
}
