//! One request in memory, for the module's own filter. What the filter asks and does is noted.

use super::request::Request;
use crate::proxy::{Pair, Proxy, find};
use std::collections::{BTreeMap, BTreeSet};
use throughline::engine::{NoRandomness, Randomness};
use throughline::filter::host::{
    Call, Expression, Host, MetricId, MetricKind, NotSent, PropertyPath, Shared,
};
use throughline::policy::place::Place;
use throughline::policy::tags::AttributeType;
use throughline::propagation::Headers;

/// Where the request is, and what Envoy would say of it.
#[derive(Debug)]
pub struct Circumstances<'a> {
    pub place: Place,
    pub proxy: &'a Proxy,
    pub properties: &'a [Pair],
    /// Of properties that tags read.
    pub kinds: BTreeMap<String, AttributeType>,
    /// The peer's mTLS identity.
    pub peer: Option<&'a str>,
    /// What ids are made of.
    pub seed: u64,
}

/// The host of one request.
#[derive(Debug)]
pub struct Stage<'a> {
    at: &'a Circumstances<'a>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub filter_state: BTreeMap<String, String>,
    /// Headers of the response, which has none before the filter sees it.
    pub response: BTreeMap<String, String>,
    /// Properties that were asked for and that nobody described.
    pub unknown: BTreeSet<String>,
    pub log: Vec<String>,
    metrics: Vec<Metric>,
    shared: BTreeMap<String, (Vec<u8>, u32)>,
    random: u64,
}

/// As Envoy hands headers over.
pub fn serialized(headers: &[(String, Vec<u8>)]) -> Headers {
    let headers: Vec<(&[u8], &[u8])> = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_slice()))
        .collect();
    Headers::from_serialized(Headers::serialize(&headers))
}

#[derive(Debug)]
struct Metric {
    name: String,
    kind: MetricKind,
    value: u64,
}

impl<'a> Stage<'a> {
    pub fn new(at: &'a Circumstances<'a>, request: &Request) -> Self {
        Self {
            at,
            headers: request.headers.clone(),
            filter_state: BTreeMap::new(),
            response: BTreeMap::new(),
            unknown: BTreeSet::new(),
            log: Vec::new(),
            metrics: Vec::new(),
            shared: BTreeMap::new(),
            random: at.seed,
        }
    }

    /// Counters by their names on Envoy's Prometheus page; those above zero.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let counters = self
            .metrics
            .iter()
            .filter(|metric| metric.kind == MetricKind::Counter && metric.value > 0);
        counters
            .map(|metric| (prometheus(&metric.name), metric.value))
            .collect()
    }

    fn first(&self, name: &str) -> Option<Vec<u8>> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value.clone())
    }

    fn known(&self, path: &[&str]) -> Option<Vec<u8>> {
        let named = path.join(".");
        if let Some(value) = find(self.at.properties, &named) {
            return Some(encoded(self.at.kinds.get(&named).copied(), value));
        }
        match path {
            ["xds", "node", "id"] => Some(self.node_id().into_bytes()),
            ["xds", "node", "metadata", path @ ..] => {
                Some(self.at.proxy.text(path)?.as_bytes().to_vec())
            }
            ["xds", "listener_direction"] => direction(self.at.place),
            ["plugin_name" | "plugin_root_id"] => Some(b"throughline".to_vec()),
            ["connection", "mtls"] => Some(vec![u8::from(self.at.peer.is_some())]),
            ["connection", "uri_san_peer_certificate"] => {
                let peer = self.at.peer?;
                let peer = peer.strip_prefix("spiffe://").unwrap_or(peer);
                Some(format!("spiffe://{peer}").into_bytes())
            }
            ["request", "path"] => self.first(":path"),
            ["request", "url_path"] => {
                let path = self.first(":path")?;
                path.split(|byte| *byte == b'?').next().map(<[u8]>::to_vec)
            }
            ["request", "host"] => self.first(":authority"),
            ["request", "scheme"] => self.first(":scheme"),
            ["request", "method"] => self.first(":method"),
            ["request", "referer"] => self.first("referer"),
            ["request", "useragent"] => self.first("user-agent"),
            ["request", "id"] => self.first("x-request-id"),
            ["request", "headers", name] => self.first(name),
            // What is none of Envoy's is looked for in the filter state.
            _ => self
                .filter_state
                .get(&named)
                .map(|text| text.clone().into_bytes()),
        }
    }

    /// As Istio spells it.
    fn node_id(&self) -> String {
        let kind = match self.at.place {
            Place::SidecarInbound | Place::SidecarOutbound => "sidecar",
            Place::Gateway => "router",
            Place::Waypoint => "waypoint",
            Place::Plain => return "envoy".to_owned(),
        };
        let name = self.at.proxy.text(&["NAME"]).unwrap_or("proxy");
        let namespace = self.at.proxy.text(&["NAMESPACE"]).unwrap_or("default");
        format!("{kind}~127.0.0.1~{name}.{namespace}~{namespace}.svc.cluster.local")
    }
}

/// As Istio sets it, so that gateways are outbound and waypoints inbound.
fn direction(place: Place) -> Option<Vec<u8>> {
    let direction: i64 = match place {
        Place::SidecarInbound | Place::Waypoint => 1,
        Place::SidecarOutbound | Place::Gateway => 2,
        Place::Plain => return None,
    };
    Some(direction.to_le_bytes().to_vec())
}

/// As Envoy hands a property over. What is no value of its type is handed over as text, which no reader takes for one.
fn encoded(kind: Option<AttributeType>, value: &str) -> Vec<u8> {
    let bytes = match (kind, value) {
        (Some(AttributeType::Bool) | None, "true") => Some(vec![1]),
        (Some(AttributeType::Bool) | None, "false") => Some(vec![0]),
        (Some(AttributeType::Int | AttributeType::Timestamp | AttributeType::Duration), _) => {
            let number = value.parse::<i64>();
            number.ok().map(|number| number.to_le_bytes().to_vec())
        }
        (Some(AttributeType::Uint), _) => {
            let number = value.parse::<u64>();
            number.ok().map(|number| number.to_le_bytes().to_vec())
        }
        (Some(AttributeType::Double), _) => {
            let number = value.parse::<f64>();
            number.ok().map(|number| number.to_le_bytes().to_vec())
        }
        _ => None,
    };
    bytes.unwrap_or_else(|| value.as_bytes().to_vec())
}

/// `a=.=b;.;throughline.m` → `throughline_m{a="b"}`.
fn prometheus(stat: &str) -> String {
    let mut parts: Vec<&str> = stat.split(";.;").collect();
    let metric = parts.pop().unwrap_or_default().replace('.', "_");
    let labels: Vec<String> = parts
        .iter()
        .filter_map(|part| part.split_once("=.="))
        .map(|(label, value)| format!("{label}=\"{value}\""))
        .collect();
    match labels.is_empty() {
        true => metric,
        false => format!("{metric}{{{}}}", labels.join(",")),
    }
}

impl Randomness for Stage<'_> {
    /// SplitMix64 (Steele, Lea, Flood): the same for the same seed, as an explanation can be compared.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        for chunk in bytes.chunks_mut(8) {
            self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.random;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            for (byte, random) in chunk.iter_mut().zip(mixed.to_be_bytes()) {
                *byte = random;
            }
        }
        Ok(())
    }
}

impl Host for Stage<'_> {
    fn request_headers(&mut self) -> Option<Headers> {
        Some(serialized(&self.headers))
    }

    fn set_request_header(&mut self, name: &str, value: &[u8]) {
        let mut is_set = false;
        self.headers.retain_mut(|(known, there)| {
            if known != name {
                return true;
            }
            value.clone_into(there);
            !std::mem::replace(&mut is_set, true)
        });
        if !is_set {
            self.headers.push((name.to_owned(), value.to_vec()));
        }
    }

    fn remove_request_header(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    fn response_headers(&mut self) -> Option<Headers> {
        let headers = self.response.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
            .collect();
        Some(serialized(&headers))
    }

    fn set_response_header(&mut self, name: &str, value: &[u8]) {
        let value = String::from_utf8_lossy(value).into_owned();
        self.response.insert(name.to_owned(), value);
    }

    fn property(&mut self, path: &PropertyPath) -> Option<Vec<u8>> {
        let path = String::from_utf8_lossy(path.as_bytes()).into_owned();
        let elements: Vec<&str> = path.split('\0').collect();
        let value = self.known(&elements);
        if value.is_none() {
            self.unknown.insert(elements.join("."));
        }
        value
    }

    fn compile(&mut self, _expression: &str) -> Option<Expression> {
        // As an older Envoy: what the filter wants to know, it asks for one by one.
        None
    }

    fn evaluate(&mut self, _expression: Expression) -> Option<Headers> {
        None
    }

    fn set_filter_state(&mut self, name: &str, value: &[u8]) {
        let value = String::from_utf8_lossy(value).into_owned();
        self.filter_state.insert(name.to_owned(), value);
    }

    fn define_metric(&mut self, kind: MetricKind, name: &str) -> Option<MetricId> {
        let known = self.metrics.iter().position(|known| known.name == name);
        let index = known.unwrap_or_else(|| {
            self.metrics.push(Metric {
                name: name.to_owned(),
                kind,
                value: 0,
            });
            self.metrics.len().saturating_sub(1)
        });
        Some(MetricId(u32::try_from(index).ok()?))
    }

    fn increment(&mut self, metric: MetricId, by: u64) {
        if let Some(value) = self.metric(metric) {
            *value = value.saturating_add(by);
        }
    }

    fn record(&mut self, metric: MetricId, to: u64) {
        if let Some(value) = self.metric(metric) {
            *value = to;
        }
    }

    fn add(&mut self, gauge: MetricId, by: i64) {
        if let Some(value) = self.metric(gauge) {
            *value = value.saturating_add_signed(by);
        }
    }

    fn value(&mut self, metric: MetricId) -> Option<u64> {
        self.metric(metric).copied()
    }

    fn now(&mut self) -> u64 {
        // Any moment; the same each time.
        1_000_000_000_000_000_000
    }

    fn log(&mut self, _level: log::Level, message: &str) {
        self.log.push(message.to_owned());
    }

    fn shared(&mut self, key: &str) -> Shared {
        let stored = self.shared.get(key);
        stored.map_or_else(Shared::default, |(value, version)| Shared {
            value: Some(value.clone()),
            version: Some(*version),
        })
    }

    fn set_shared(&mut self, key: &str, value: &[u8], _version: u32) -> bool {
        // Nobody else is there to be faster.
        let stored = self.shared.entry(key.to_owned()).or_default();
        *stored = (value.to_vec(), stored.1.saturating_add(1));
        true
    }

    fn call(&mut self, _call: Call<'_>) -> Result<u32, NotSent> {
        Err(NotSent)
    }

    fn answer_headers(&mut self) -> Option<Headers> {
        None
    }

    fn answer_trailers(&mut self) -> Option<Headers> {
        None
    }

    fn answer_body(&mut self, _most: usize) -> Vec<u8> {
        Vec::new()
    }

    fn set_tick(&mut self, _root: u32, _milliseconds: u32) {}

    fn done(&mut self, _root: u32) {}
}

impl Stage<'_> {
    fn metric(&mut self, metric: MetricId) -> Option<&mut u64> {
        let index = usize::try_from(metric.0).ok()?;
        self.metrics.get_mut(index).map(|metric| &mut metric.value)
    }
}
