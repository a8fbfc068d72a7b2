//! Listeners: what takes HTTP, through which filters.

use super::super::json::parse;
use super::extension::Extension;
use super::kind_of;
use crate::Failure;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use throughline::policy::place::Direction;

#[derive(Clone, Debug)]
pub struct Listener {
    pub name: String,
    pub direction: Option<Direction>,
    pub chains: Vec<Chain>,
}

#[derive(Clone, Debug)]
pub struct Chain {
    /// Names of the TLS handshake that the chain is for.
    pub server_names: Vec<String>,
    pub traffic: Traffic,
}

#[derive(Clone, Debug)]
pub enum Traffic {
    Http(Manager),
    /// Passed on as it is.
    Tcp,
    Other,
}

/// An HTTP connection manager.
#[derive(Clone, Debug)]
pub struct Manager {
    pub stat_prefix: String,
    pub filters: Vec<HttpFilter>,
    pub tracer: Option<Tracer>,
    /// For each access log, whether it has the trace id.
    pub access_logs: Vec<bool>,
}

#[derive(Clone, Debug)]
pub struct HttpFilter {
    pub name: String,
    pub disabled: bool,
    /// `None`: its configuration comes by discovery, under its name.
    pub config: Option<Extension>,
}

/// One of Envoy's own.
#[derive(Clone, Debug)]
pub struct Tracer {
    pub name: String,
    /// Whether it writes trace headers.
    pub propagates: bool,
}

impl Listener {
    pub fn read(place: &str, text: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Raw<'a> {
            #[serde(default)]
            name: String,
            #[serde(default)]
            address: Value,
            #[serde(alias = "trafficDirection", default)]
            traffic_direction: String,
            #[serde(alias = "filterChains", borrow, default)]
            filter_chains: Vec<RawChain<'a>>,
            #[serde(alias = "defaultFilterChain", borrow)]
            default_filter_chain: Option<RawChain<'a>>,
        }
        let raw: Raw<'_> = parse(place, text)?;
        let listed = raw.filter_chains.iter().enumerate();
        let listed =
            listed.map(|(index, chain)| (format!("{place}.filter_chains[{index}]"), chain));
        let default = raw.default_filter_chain.iter();
        let default = default.map(|chain| (format!("{place}.default_filter_chain"), chain));
        let chains = listed
            .chain(default)
            .map(|(place, chain)| chain.read(&place));
        let port = ["/socket_address/port_value", "/socketAddress/portValue"];
        let port = port
            .iter()
            .find_map(|path| raw.address.pointer(path)?.as_u64());
        let name = match (raw.name.is_empty(), port) {
            (true, Some(port)) => format!("port {port}"),
            (true, None) => "without a name".to_owned(),
            (false, _) => raw.name,
        };
        Ok(Self {
            name,
            direction: match &*raw.traffic_direction {
                "INBOUND" => Some(Direction::Inbound),
                "OUTBOUND" => Some(Direction::Outbound),
                _ => None,
            },
            chains: chains.collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Deserialize)]
struct RawChain<'a> {
    #[serde(alias = "filterChainMatch", default)]
    filter_chain_match: Match,
    #[serde(borrow, default)]
    filters: Vec<RawFilter<'a>>,
}

#[derive(Deserialize, Default)]
struct Match {
    #[serde(alias = "serverNames", default)]
    server_names: Vec<String>,
}

/// A network filter or an HTTP filter.
#[derive(Deserialize)]
struct RawFilter<'a> {
    #[serde(default)]
    name: String,
    #[serde(alias = "typedConfig", borrow)]
    typed_config: Option<&'a RawValue>,
    #[serde(alias = "configDiscovery", borrow)]
    config_discovery: Option<&'a RawValue>,
    #[serde(default)]
    disabled: bool,
}

impl RawChain<'_> {
    fn read(&self, place: &str) -> Result<Chain, Failure> {
        let mut traffic = Traffic::Other;
        for (index, filter) in self.filters.iter().enumerate() {
            let Some(config) = filter.typed_config else {
                continue;
            };
            let place = format!("{place}.filters[{index}].typed_config");
            match &*kind_of(&place, config.get())? {
                "HttpConnectionManager" => {
                    traffic = Traffic::Http(Manager::read(&place, config.get())?)
                }
                "TcpProxy" => traffic = Traffic::Tcp,
                _ => {}
            }
        }
        Ok(Chain {
            server_names: self.filter_chain_match.server_names.clone(),
            traffic,
        })
    }
}

impl Manager {
    fn read(place: &str, text: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Raw<'a> {
            #[serde(alias = "statPrefix", default)]
            stat_prefix: String,
            #[serde(alias = "httpFilters", borrow, default)]
            http_filters: Vec<RawFilter<'a>>,
            #[serde(default)]
            tracing: Tracing,
            #[serde(alias = "accessLog", borrow, default)]
            access_log: Vec<&'a RawValue>,
        }
        #[derive(Deserialize, Default)]
        struct Tracing {
            provider: Option<Provider>,
            #[serde(alias = "noContextPropagation", default)]
            no_context_propagation: bool,
        }
        #[derive(Deserialize)]
        struct Provider {
            #[serde(default)]
            name: String,
        }
        let raw: Raw<'_> = parse(place, text)?;
        let mut filters = Vec::new();
        for (index, filter) in raw.http_filters.into_iter().enumerate() {
            let place = format!("{place}.http_filters[{index}].typed_config");
            let config = match (filter.typed_config, filter.config_discovery) {
                (_, Some(_)) => None,
                (Some(config), None) => Some(Extension::read(&place, config.get())?),
                (None, None) => Some(Extension::Other(String::new())),
            };
            filters.push(HttpFilter {
                name: filter.name,
                disabled: filter.disabled,
                config,
            });
        }
        let propagates = !raw.tracing.no_context_propagation;
        Ok(Self {
            stat_prefix: raw.stat_prefix,
            filters,
            tracer: raw.tracing.provider.map(|provider| Tracer {
                name: provider.name,
                propagates,
            }),
            access_logs: raw
                .access_log
                .iter()
                .map(|log| log.get().contains("wasm.throughline.trace_id"))
                .collect(),
        })
    }
}
