//! Clusters: whether they are there, how many hosts they were given, and what is spoken to them.

use super::super::clusters::Hosts;
use super::super::json::parse;
use super::Assignment;
use crate::Failure;
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Cluster {
    pub name: String,
    pub protocol: Protocol,
    /// Whether it sends to the address that a connection was going to, as Istio has it of headless services.
    pub is_original_destination: bool,
    /// Those that its own configuration names; `None` where they are discovered.
    pub hosts: Option<Hosts>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    Http1,
    Http2,
    /// What the client spoke, or what TLS agreed on.
    Negotiated,
}

impl Cluster {
    pub fn read(place: &str, text: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(default)]
            name: String,
            #[serde(rename = "type", default)]
            kind: String,
            #[serde(alias = "typedExtensionProtocolOptions", default)]
            typed_extension_protocol_options: Value,
            #[serde(alias = "http2ProtocolOptions")]
            http2_protocol_options: Option<serde::de::IgnoredAny>,
            #[serde(alias = "loadAssignment")]
            load_assignment: Option<Assignment>,
        }
        let raw: Raw = parse(place, text)?;
        let options = raw
            .typed_extension_protocol_options
            .get("envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
        let protocol = match options {
            Some(options) => Protocol::of(options),
            None if raw.http2_protocol_options.is_some() => Protocol::Http2,
            None => Protocol::Http1,
        };
        Ok(Self {
            name: raw.name,
            protocol,
            is_original_destination: raw.kind == "ORIGINAL_DST",
            hosts: raw.load_assignment.map(|assignment| assignment.hosts()),
        })
    }
}

impl Protocol {
    fn of(options: &Value) -> Self {
        let has = |names: [&str; 2]| names.iter().find_map(|name| options.get(name));
        if let Some(explicit) = has(["explicit_http_config", "explicitHttpConfig"]) {
            let http2 = ["http2_protocol_options", "http2ProtocolOptions"];
            if http2.iter().any(|name| explicit.get(name).is_some()) {
                return Self::Http2;
            }
            return Self::Http1;
        }
        let negotiated = has([
            "use_downstream_protocol_config",
            "useDownstreamProtocolConfig",
        ])
        .or_else(|| has(["auto_config", "autoConfig"]));
        match negotiated {
            Some(_) => Self::Negotiated,
            None => Self::Http1,
        }
    }
}
