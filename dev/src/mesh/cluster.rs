//! Where requests go.

use super::{Identity, merge::merge};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// An upstream with one address.
#[derive(Clone, Debug)]
pub struct Cluster {
    name: String,
    address: SocketAddr,
    http2: bool,
    extra: Value,
}

impl Cluster {
    /// An HTTP/1.1 upstream.
    pub fn new(name: &str, address: SocketAddr) -> Self {
        Self {
            name: name.to_owned(),
            address,
            http2: false,
            extra: json!({}),
        }
    }

    /// Talks HTTP/2 to it.
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    /// Talks HTTP/1.1 to it after all.
    #[must_use]
    pub fn http1(mut self) -> Self {
        self.http2 = false;
        self
    }

    /// Talks mTLS to it, as that workload.
    #[must_use]
    pub fn mtls(self, identity: &Identity) -> Self {
        self.merge(&json!({"transport_socket": identity.of_client()}))
    }

    /// Marks it as Istio marks services that are MESH_EXTERNAL.
    #[must_use]
    pub fn external(self) -> Self {
        self.merge(&json!({"metadata": {"filter_metadata": {"istio": {"external": true}}}}))
    }

    /// Merges JSON into the cluster, for what has no method here.
    #[must_use]
    pub fn merge(mut self, extra: &Value) -> Self {
        merge(&mut self.extra, extra);
        self
    }

    /// The cluster of a bootstrap.
    pub fn to_json(&self) -> Value {
        let protocol = if self.http2 {
            "http2_protocol_options"
        } else {
            "http_protocol_options"
        };
        let mut cluster = json!({
            "name": self.name,
            "type": "STATIC",
            "connect_timeout": "5s",
            "load_assignment": {"cluster_name": self.name, "endpoints": [{"lb_endpoints": [{
                "endpoint": {"address": socket(self.address)},
            }]}]},
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {protocol: {}},
            }},
        });
        merge(&mut cluster, &self.extra);
        cluster
    }
}

/// An address as Envoy writes it.
pub fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}
