//! Envoy's config dump, in Envoy's spelling (`filter_chains`) and in istioctl's (`filterChains`). Only what matters here
//! is kept: routes, secrets and certificates are skipped unread.

mod cluster;
mod extension;
mod listener;

pub use self::cluster::{Cluster, Protocol};
pub use self::extension::{Extension, Setting, Wasm};
pub use self::listener::{HttpFilter, Listener, Manager, Traffic};

use super::clusters::{Hosts, HostsOf};
use super::json::parse;
use crate::Failure;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// As much of a config dump as one text has.
#[derive(Default, Debug)]
pub struct Dump {
    pub node: Option<Node>,
    pub listeners: Option<Vec<Listener>>,
    /// Listeners that Envoy was given and does not run: their names, and why as far as it is known.
    pub refused: Vec<(String, String)>,
    pub warming: Vec<String>,
    pub clusters: Option<Vec<Cluster>>,
    /// What was delivered by extension config discovery, by name.
    pub extensions: Option<BTreeMap<String, Extension>>,
    pub hosts: Vec<HostsOf>,
}

/// Who the proxy is, and what its bootstrap says of metrics.
#[derive(Clone, Default, Debug)]
pub struct Node {
    pub id: String,
    pub cluster: String,
    pub metadata: Value,
    /// Envoy's version.
    pub version: Option<String>,
    /// Names of `stats_config.stats_tags`.
    pub stats_tags: Vec<String>,
}

#[derive(Deserialize)]
struct ConfigDump<'a> {
    #[serde(borrow)]
    configs: Vec<&'a RawValue>,
}

/// What says which message a JSON object is.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(rename = "@type", borrow, default)]
    kind: Cow<'a, str>,
}

/// The message's name without its package.
fn kind_of(place: &str, text: &str) -> Result<String, Failure> {
    let typed: Typed<'_> = parse(place, text)?;
    Ok(typed
        .kind
        .rsplit(['.', '/'])
        .next()
        .unwrap_or_default()
        .to_owned())
}

impl Dump {
    /// `{"configs": […]}`: all of Envoy.
    pub fn of_config_dump(name: &str, text: &str) -> Result<Self, Failure> {
        let dump: ConfigDump<'_> = parse(name, text)?;
        let mut into = Self::default();
        for (index, config) in dump.configs.iter().enumerate() {
            let place = format!("{name}: configs[{index}]");
            match &*kind_of(&place, config.get())? {
                "BootstrapConfigDump" => into.bootstrap(&place, config)?,
                "ListenersConfigDump" => into.listeners(&place, config)?,
                "ClustersConfigDump" => into.clusters(&place, config)?,
                "EcdsConfigDump" => into.ecds(&place, config)?,
                "EndpointsConfigDump" => into.endpoints(&place, config)?,
                _ => {}
            }
        }
        if into.listeners.is_some() {
            // Envoy leaves the section out where nothing was delivered.
            into.extensions.get_or_insert_default();
        }
        Ok(into)
    }

    /// `istioctl proxy-config bootstrap`
    pub fn of_bootstrap(name: &str, text: &str) -> Result<Self, Failure> {
        let mut into = Self::default();
        into.bootstrap(name, parse(name, text)?)?;
        Ok(into)
    }

    /// `istioctl proxy-config ecds`
    pub fn of_ecds(name: &str, text: &str) -> Result<Self, Failure> {
        let mut into = Self::default();
        into.ecds(name, parse(name, text)?)?;
        Ok(into)
    }

    /// `istioctl proxy-config listener`
    pub fn of_listeners(name: &str, list: &[&RawValue]) -> Result<Self, Failure> {
        let read = |(index, listener): (usize, &&RawValue)| {
            Listener::read(&format!("{name}: [{index}]"), listener.get())
        };
        Ok(Self {
            listeners: Some(
                list.iter()
                    .enumerate()
                    .map(read)
                    .collect::<Result<_, _>>()?,
            ),
            ..Self::default()
        })
    }

    /// `istioctl proxy-config cluster`
    pub fn of_clusters(name: &str, list: &[&RawValue]) -> Result<Self, Failure> {
        let read = |(index, cluster): (usize, &&RawValue)| {
            Cluster::read(&format!("{name}: [{index}]"), cluster.get())
        };
        Ok(Self {
            clusters: Some(
                list.iter()
                    .enumerate()
                    .map(read)
                    .collect::<Result<_, _>>()?,
            ),
            ..Self::default()
        })
    }

    /// Takes over what another text has.
    pub fn join(&mut self, other: Self) {
        self.node = other.node.or(self.node.take());
        self.listeners = other.listeners.or(self.listeners.take());
        self.clusters = other.clusters.or(self.clusters.take());
        match (&mut self.extensions, other.extensions) {
            (Some(known), Some(more)) => known.extend(more),
            (known @ None, more) => *known = more,
            (Some(_), None) => {}
        }
        self.refused.extend(other.refused);
        self.warming.extend(other.warming);
        self.hosts.extend(other.hosts);
    }

    fn bootstrap(&mut self, place: &str, config: &RawValue) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Section {
            #[serde(default)]
            bootstrap: Bootstrap,
        }
        #[derive(Deserialize, Default)]
        struct Bootstrap {
            #[serde(default)]
            node: RawNode,
            #[serde(alias = "statsConfig", default)]
            stats_config: StatsConfig,
        }
        #[derive(Deserialize, Default)]
        struct RawNode {
            #[serde(default)]
            id: String,
            #[serde(default)]
            cluster: String,
            #[serde(default)]
            metadata: Value,
            #[serde(alias = "userAgentBuildVersion", default)]
            user_agent_build_version: Build,
        }
        #[derive(Deserialize, Default)]
        struct Build {
            version: Option<Version>,
        }
        #[derive(Deserialize)]
        struct Version {
            #[serde(alias = "majorNumber", default)]
            major_number: u32,
            #[serde(alias = "minorNumber", default)]
            minor_number: u32,
            #[serde(default)]
            patch: u32,
        }
        #[derive(Deserialize, Default)]
        struct StatsConfig {
            #[serde(alias = "statsTags", default)]
            stats_tags: Vec<StatsTag>,
        }
        #[derive(Deserialize)]
        struct StatsTag {
            #[serde(alias = "tagName", default)]
            tag_name: String,
        }
        let Section {
            bootstrap: Bootstrap { node, stats_config },
        } = parse(place, config.get())?;
        let version = node.user_agent_build_version.version;
        let version = version.map(|version| {
            let Version {
                major_number,
                minor_number,
                patch,
            } = version;
            format!("{major_number}.{minor_number}.{patch}")
        });
        self.node = Some(Node {
            id: node.id,
            cluster: node.cluster,
            metadata: node.metadata,
            version,
            stats_tags: stats_config
                .stats_tags
                .into_iter()
                .map(|tag| tag.tag_name)
                .collect(),
        });
        Ok(())
    }

    fn listeners(&mut self, place: &str, config: &RawValue) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Section<'a> {
            #[serde(alias = "staticListeners", borrow, default)]
            static_listeners: Vec<State<'a>>,
            #[serde(alias = "dynamicListeners", borrow, default)]
            dynamic_listeners: Vec<Dynamic<'a>>,
        }
        #[derive(Deserialize)]
        struct State<'a> {
            #[serde(borrow)]
            listener: Option<&'a RawValue>,
        }
        #[derive(Deserialize)]
        struct Dynamic<'a> {
            #[serde(default)]
            name: String,
            #[serde(alias = "activeState", borrow)]
            active_state: Option<State<'a>>,
            #[serde(alias = "warmingState", borrow)]
            warming_state: Option<State<'a>>,
            #[serde(alias = "errorState")]
            error_state: Option<ErrorState>,
        }
        #[derive(Deserialize)]
        struct ErrorState {
            #[serde(default)]
            details: String,
            #[serde(alias = "failedConfiguration", default)]
            failed_configuration: Value,
        }
        let section: Section<'_> = parse(place, config.get())?;
        let found = self.listeners.get_or_insert_default();
        let fixed = section.static_listeners.iter().enumerate();
        let fixed = fixed
            .map(|(index, state)| (format!("{place}.static_listeners[{index}]"), state.listener));
        let active = section.dynamic_listeners.iter().enumerate();
        let active = active.filter_map(|(index, dynamic)| {
            let listener = dynamic.active_state.as_ref()?.listener;
            Some((
                format!("{place}.dynamic_listeners[{index}].active_state"),
                listener,
            ))
        });
        for (place, listener) in fixed.chain(active) {
            if let Some(listener) = listener {
                found.push(Listener::read(
                    &format!("{place}.listener"),
                    listener.get(),
                )?);
            }
        }
        for dynamic in section.dynamic_listeners {
            if let Some(error) = dynamic.error_state {
                // Each further try is listed again; and all of the last update's, without their names.
                let name = match error.failed_configuration.get("name") {
                    Some(Value::String(name)) if dynamic.name.is_empty() => name.clone(),
                    _ => dynamic.name,
                };
                let refused = (name, error.details);
                if !self.refused.contains(&refused) {
                    self.refused.push(refused);
                }
            } else if dynamic.warming_state.is_some() {
                self.warming.push(dynamic.name);
            }
        }
        Ok(())
    }

    fn clusters(&mut self, place: &str, config: &RawValue) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Section<'a> {
            #[serde(alias = "staticClusters", borrow, default)]
            static_clusters: Vec<State<'a>>,
            #[serde(alias = "dynamicActiveClusters", borrow, default)]
            dynamic_active_clusters: Vec<State<'a>>,
        }
        #[derive(Deserialize)]
        struct State<'a> {
            #[serde(borrow)]
            cluster: Option<&'a RawValue>,
        }
        let section: Section<'_> = parse(place, config.get())?;
        let found = self.clusters.get_or_insert_default();
        let lists = [
            ("static_clusters", section.static_clusters),
            ("dynamic_active_clusters", section.dynamic_active_clusters),
        ];
        for (list, states) in lists {
            for (index, state) in states.iter().enumerate() {
                if let Some(cluster) = state.cluster {
                    let place = format!("{place}.{list}[{index}].cluster");
                    found.push(Cluster::read(&place, cluster.get())?);
                }
            }
        }
        Ok(())
    }

    fn ecds(&mut self, place: &str, config: &RawValue) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Section<'a> {
            #[serde(alias = "ecdsFilters", borrow, default)]
            ecds_filters: Vec<State<'a>>,
        }
        #[derive(Deserialize)]
        struct State<'a> {
            #[serde(alias = "ecdsFilter", borrow)]
            ecds_filter: Option<Filter<'a>>,
        }
        #[derive(Deserialize)]
        struct Filter<'a> {
            #[serde(default)]
            name: String,
            #[serde(alias = "typedConfig", borrow)]
            typed_config: Option<&'a RawValue>,
        }
        let section: Section<'_> = parse(place, config.get())?;
        let found = self.extensions.get_or_insert_default();
        for (index, state) in section.ecds_filters.into_iter().enumerate() {
            if let Some(Filter {
                name,
                typed_config: Some(config),
            }) = state.ecds_filter
            {
                let place = format!("{place}.ecds_filters[{index}].ecds_filter.typed_config");
                found.insert(name, Extension::read(&place, config.get())?);
            }
        }
        Ok(())
    }

    fn endpoints(&mut self, place: &str, config: &RawValue) -> Result<(), Failure> {
        #[derive(Deserialize)]
        struct Section {
            #[serde(alias = "staticEndpointConfigs", default)]
            static_endpoint_configs: Vec<State>,
            #[serde(alias = "dynamicEndpointConfigs", default)]
            dynamic_endpoint_configs: Vec<State>,
        }
        #[derive(Deserialize)]
        struct State {
            #[serde(alias = "endpointConfig", default)]
            endpoint_config: Assignment,
        }
        let section: Section = parse(place, config.get())?;
        let states = section.static_endpoint_configs.into_iter();
        for state in states.chain(section.dynamic_endpoint_configs) {
            let hosts = state.endpoint_config.hosts();
            self.hosts.push(HostsOf {
                cluster: state.endpoint_config.cluster_name,
                hosts,
            });
        }
        Ok(())
    }
}

/// `envoy.config.endpoint.v3.ClusterLoadAssignment`
#[derive(Deserialize, Default)]
struct Assignment {
    #[serde(alias = "clusterName", default)]
    cluster_name: String,
    #[serde(default)]
    endpoints: Vec<Locality>,
}

#[derive(Deserialize)]
struct Locality {
    #[serde(alias = "lbEndpoints", default)]
    lb_endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(alias = "healthStatus", default)]
    health_status: String,
}

impl Assignment {
    fn hosts(&self) -> Hosts {
        let endpoints = || {
            self.endpoints
                .iter()
                .flat_map(|locality| &locality.lb_endpoints)
        };
        let healthy = |endpoint: &&Endpoint| {
            matches!(
                &*endpoint.health_status,
                "" | "UNKNOWN" | "HEALTHY" | "DEGRADED"
            )
        };
        Hosts {
            all: endpoints().count(),
            healthy: endpoints().filter(healthy).count(),
        }
    }
}
