//! One request's way through the proxy, as far as somebody has to know: each property is asked for when it is first needed, and
//! remembered.

use core::{
    cell::OnceCell,
    net::{IpAddr, SocketAddr},
};

use super::host::{Host, PropertyPath};
use crate::{
    policy::{
        place::{Direction, Place, Proxy},
        service::host_of_cluster,
        trust::Circumstances,
    },
    propagation::Headers,
};

// Envoy, "Attributes".
const DIRECTION: PropertyPath = PropertyPath::of("xds\0listener_direction");
const MTLS: PropertyPath = PropertyPath::of("connection\0mtls");
const URI_SAN: PropertyPath = PropertyPath::of("connection\0uri_san_peer_certificate");
const SOURCE: PropertyPath = PropertyPath::of("source\0address");
const CLUSTER: PropertyPath = PropertyPath::of("xds\0cluster_name");
/// What a request that came by HBONE has in place of TLS: Istio ends the tunnel in another listener of the proxy, which leaves
/// the peer's name with the connection. Nothing that a client sends can set it.
const TUNNEL_PEER: PropertyPath = PropertyPath::of("filter_state\0io.istio.peer_principal");
/// How Istio marks the clusters of services that are MESH_EXTERNAL.
const EXTERNAL: PropertyPath =
    PropertyPath::of("xds\0cluster_metadata\0filter_metadata\0istio\0external");
/// Istio's cluster for destinations that it does not know.
const PASSTHROUGH: &[u8] = b"PassthroughCluster";

#[derive(Debug)]
pub struct Hop {
    proxy: Proxy,
    direction: OnceCell<Option<Direction>>,
    has_mtls: OnceCell<bool>,
    principal: OnceCell<Option<Vec<u8>>>,
    source: OnceCell<Option<IpAddr>>,
    cluster: OnceCell<Vec<u8>>,
    is_external: OnceCell<bool>,
}

impl Hop {
    pub const fn new(proxy: Proxy) -> Self {
        Self {
            proxy,
            direction: OnceCell::new(),
            has_mtls: OnceCell::new(),
            principal: OnceCell::new(),
            source: OnceCell::new(),
            cluster: OnceCell::new(),
            is_external: OnceCell::new(),
        }
    }

    /// The node is known for good; the listener is not, since Envoy 1.40 gives one root context to all listeners of a plugin.
    pub fn direction(&self, host: &mut impl Host) -> Option<Direction> {
        *self.direction.get_or_init(|| {
            let direction = host.property(&DIRECTION);
            direction.as_deref().and_then(Direction::from_property)
        })
    }

    pub fn place(&self, host: &mut impl Host) -> Place {
        let direction = match self.proxy {
            Proxy::Sidecar => self.direction(host),
            // Has one place.
            Proxy::Gateway | Proxy::Waypoint | Proxy::Plain => None,
        };
        Place::new(self.proxy, direction)
    }

    pub fn is_authenticated(&self, host: &mut impl Host) -> bool {
        self.has_mtls(host) || self.principal(host).is_some()
    }

    fn has_mtls(&self, host: &mut impl Host) -> bool {
        *self.has_mtls.get_or_init(|| {
            let mtls = host.property(&MTLS);
            mtls.is_some_and(|mtls| mtls == [1])
        })
    }

    fn principal(&self, host: &mut impl Host) -> Option<&[u8]> {
        let path = if self.has_mtls(host) {
            &URI_SAN
        } else {
            &TUNNEL_PEER
        };
        let principal = self.principal.get_or_init(|| {
            let name = host.property(path)?;
            let name = name.strip_prefix(b"spiffe://".as_slice()).unwrap_or(&name);
            // What Envoy writes where there is none.
            (!matches!(name, b"" | b"-")).then(|| name.to_vec())
        });
        principal.as_deref()
    }

    /// Istio's sidecars and waypoints believe whoever calls them what X-Forwarded-For says.
    fn source(&self, host: &mut impl Host, headers: &Headers) -> Option<IpAddr> {
        *self.source.get_or_init(|| {
            if headers.first("x-forwarded-for").is_some()
                && matches!(self.place(host), Place::SidecarInbound | Place::Waypoint)
                && !self.is_authenticated(host)
            {
                return None;
            }
            let text = host.property(&SOURCE)?;
            let text = core::str::from_utf8(&text).ok()?;
            let socket = text.parse::<SocketAddr>().map(|socket| socket.ip());
            socket.or_else(|_| text.parse()).ok()
        })
    }

    fn is_external(&self, host: &mut impl Host) -> bool {
        *self.is_external.get_or_init(|| {
            host.property(&EXTERNAL)
                .is_some_and(|external| external == [1])
                || self.cluster(host) == PASSTHROUGH
        })
    }

    /// Only its name tells: a service that has none of the kind may as well be the destination itself, which goes by many names.
    fn egress_gateway(&self, host: &mut impl Host) -> Option<&str> {
        let upstream = core::str::from_utf8(self.cluster(host)).ok();
        let upstream = upstream.and_then(host_of_cluster)?;
        let mut words = upstream.split('.').next()?.split('-');
        let is_gateway = words.any(|word| word.starts_with("egress"));
        (is_gateway && !self.is_external(host)).then_some(upstream)
    }

    fn cluster(&self, host: &mut impl Host) -> &[u8] {
        self.cluster
            .get_or_init(|| host.property(&CLUSTER).unwrap_or_default())
    }
}

/// The same of one request, beside the host that answers.
pub struct Asked<'a, H> {
    pub hop: &'a Hop,
    pub headers: &'a Headers,
    pub host: &'a mut H,
}

impl<H: Host> Circumstances for Asked<'_, H> {
    fn place(&mut self) -> Place {
        self.hop.place(self.host)
    }

    fn is_authenticated(&mut self) -> bool {
        self.hop.is_authenticated(self.host)
    }

    fn principal(&mut self) -> Option<&[u8]> {
        self.hop.principal(self.host)
    }

    fn source(&mut self) -> Option<IpAddr> {
        self.hop.source(self.host, self.headers)
    }

    fn is_external(&mut self) -> bool {
        self.hop.is_external(self.host)
    }

    fn egress_gateway(&mut self) -> Option<&str> {
        self.hop.egress_gateway(self.host)
    }
}
