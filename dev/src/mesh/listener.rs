//! What comes in: an HTTP listener with its filters and routes.

use super::{Identity, Plugin, Route, Tracing, merge::merge, route::virtual_hosts};
use crate::envoy::access_log_path;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// An HTTP listener on a free port. It takes HTTP/1.1 and HTTP/2 alike.
#[derive(Clone, Debug)]
pub struct Listener {
    name: String,
    direction: &'static str,
    routes: Vec<Route>,
    network_filters: Vec<Value>,
    filters: Vec<Value>,
    plugins: Vec<Plugin>,
    later_filters: Vec<Value>,
    tracing: Tracing,
    access_log: Map<String, Value>,
    manager: Value,
    chain: Value,
}

impl Listener {
    /// Towards the application: sidecars and waypoints.
    pub fn inbound(name: &str) -> Self {
        Self::new(name, "INBOUND")
    }

    /// Away from the application, or through a gateway.
    pub fn outbound(name: &str) -> Self {
        Self::new(name, "OUTBOUND")
    }

    /// Without a direction, as people write their own Envoys.
    pub fn plain(name: &str) -> Self {
        Self::new(name, "UNSPECIFIED")
    }

    fn new(name: &str, direction: &'static str) -> Self {
        let header = |name: &str| json!(format!("%REQ({name})%"));
        let mut access_log = Map::new();
        for (key, value) in [
            ("listener", json!(name)),
            ("method", header(":method")),
            ("path", header(":path")),
            ("status", json!("%RESPONSE_CODE%")),
            ("details", json!("%RESPONSE_CODE_DETAILS%")),
        ] {
            access_log.insert(key.to_owned(), value);
        }
        for name in [
            "traceparent",
            "tracestate",
            "b3",
            "x-b3-traceid",
            "x-b3-spanid",
            "x-b3-sampled",
            "x-b3-flags",
        ] {
            access_log.insert(name.to_owned(), header(name));
        }
        Self {
            name: name.to_owned(),
            direction,
            routes: Vec::new(),
            network_filters: Vec::new(),
            filters: Vec::new(),
            plugins: Vec::new(),
            later_filters: Vec::new(),
            tracing: Tracing::without_provider(),
            access_log,
            manager: json!({}),
            chain: json!({}),
        }
    }

    /// Adds a route, after those that are there.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    /// Adds an HTTP filter that runs before the plugins, such as one that answers by itself.
    #[must_use]
    pub fn filter(mut self, name: &str, typed_config: &Value) -> Self {
        self.filters
            .push(json!({"name": name, "typed_config": typed_config}));
        self
    }

    /// The same for one that runs after the plugins.
    #[must_use]
    pub fn later_filter(mut self, name: &str, typed_config: &Value) -> Self {
        self.later_filters
            .push(json!({"name": name, "typed_config": typed_config}));
        self
    }

    /// Runs its filters, the plugins apart, only where a route has a configuration for them.
    #[must_use]
    pub fn only_where_configured(mut self) -> Self {
        for filter in self.filters.iter_mut().chain(&mut self.later_filters) {
            merge(filter, &json!({"disabled": true}));
        }
        self
    }

    /// Adds a plugin, after those that are there and before the router.
    #[must_use]
    pub fn plugin(mut self, plugin: &Plugin) -> Self {
        self.plugins.push(plugin.clone());
        self
    }

    /// Sets the native tracing.
    #[must_use]
    pub fn tracing(mut self, tracing: Tracing) -> Self {
        self.tracing = tracing;
        self
    }

    /// Adds a key to the access log, with an Envoy format string such as `%FILTER_STATE(wasm.name:PLAIN)%`.
    #[must_use]
    pub fn log(mut self, key: &str, format: &str) -> Self {
        self.access_log.insert(key.to_owned(), json!(format));
        self
    }

    /// Makes the access log have these keys, with their format strings, and no others.
    #[must_use]
    pub fn log_only(mut self, format: &BTreeMap<String, String>) -> Self {
        let entry = |(key, value): (&String, &String)| (key.clone(), json!(value));
        self.access_log = format.iter().map(entry).collect();
        self
    }

    /// Lets an upgrade through: `websocket`, or `CONNECT` (with a [`Route::connect`]).
    #[must_use]
    pub fn upgrade(self, kind: &str) -> Self {
        self.merge(&json!({"upgrade_configs": [{"upgrade_type": kind}]}))
    }

    /// Takes request headers of up to so many KiB (Envoy's default is 60).
    #[must_use]
    pub fn max_request_headers(self, kib: u32) -> Self {
        self.merge(&json!({"max_request_headers_kb": kib}))
    }

    /// Merges JSON into the HTTP connection manager, for what has no method here.
    #[must_use]
    pub fn merge(mut self, extra: &Value) -> Self {
        merge(&mut self.manager, extra);
        self
    }

    /// Takes only mTLS, as that workload.
    #[must_use]
    pub fn mtls(mut self, identity: &Identity) -> Self {
        merge(
            &mut self.chain,
            &json!({"transport_socket": identity.of_server()}),
        );
        self
    }

    /// Adds a network filter before the HTTP connection manager.
    #[must_use]
    pub fn network_filter(mut self, name: &str, typed_config: &Value) -> Self {
        self.network_filters
            .push(json!({"name": name, "typed_config": typed_config}));
        self
    }

    pub(super) fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    pub(super) fn to_json(&self, directory: &Path) -> Value {
        let mut filters = self.filters.clone();
        filters.extend(self.plugins.iter().map(|plugin| plugin.filter(directory)));
        filters.extend(self.later_filters.iter().cloned());
        filters.push(
            json!({"name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            }}),
        );
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": self.name,
            "codec_type": "AUTO",
            "tracing": self.tracing.to_json(),
            "access_log": [{"name": "envoy.access_loggers.file", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": access_log_path(directory, &self.name),
                "log_format": {"json_format": self.access_log},
            }}],
            "http_filters": filters,
            "route_config": {"name": self.name, "virtual_hosts": virtual_hosts(&self.routes)},
        });
        merge(&mut manager, &self.manager);
        let mut network_filters = self.network_filters.clone();
        network_filters.push(json!({
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
        }));
        let mut chain = json!({"filters": network_filters});
        merge(&mut chain, &self.chain);
        json!({
            "name": self.name,
            "stat_prefix": self.name,
            "traffic_direction": self.direction,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [chain],
        })
    }
}
