//! Where the filter runs, in the words of the configuration.

use core::fmt;

/// The kind of proxy, from Istio's node id: `sidecar~10.0.0.1~reviews-v1-abc.default~default.svc.cluster.local`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    Sidecar,
    Gateway,
    Waypoint,
    /// An Envoy that Istio does not run.
    Plain,
}

impl Proxy {
    pub fn from_node_id(id: &[u8]) -> Self {
        match id.split(|byte| *byte == b'~').next() {
            Some(b"sidecar") => Self::Sidecar,
            Some(b"router") => Self::Gateway,
            Some(b"waypoint") => Self::Waypoint,
            _ => Self::Plain,
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sidecar => "sidecar",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
            Self::Plain => "envoy",
        })
    }
}

/// The listener's traffic direction, as far as it was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Inbound,
    Outbound,
}

impl Direction {
    /// From the property `xds.listener_direction`.
    pub fn from_property(bytes: &[u8]) -> Option<Self> {
        match bytes.try_into().map(i64::from_le_bytes) {
            Ok(1) => Some(Self::Inbound),
            Ok(2) => Some(Self::Outbound),
            _ => None,
        }
    }
}

/// One listener's side of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    SidecarInbound,
    SidecarOutbound,
    Gateway,
    Waypoint,
    Plain,
}

impl Place {
    /// The proxy's kind comes first: gateways report outbound and waypoints inbound.
    pub const fn new(proxy: Proxy, direction: Option<Direction>) -> Self {
        match (proxy, direction) {
            (Proxy::Gateway, _) => Self::Gateway,
            (Proxy::Waypoint, _) => Self::Waypoint,
            (Proxy::Plain, _) => Self::Plain,
            (Proxy::Sidecar, Some(Direction::Outbound)) => Self::SidecarOutbound,
            (Proxy::Sidecar, _) => Self::SidecarInbound,
        }
    }

    /// Whether such a proxy has it.
    pub fn is_of(self, proxy: Proxy) -> bool {
        let of = |direction| Self::new(proxy, Some(direction)) == self;
        of(Direction::Inbound) || of(Direction::Outbound)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SidecarInbound => "sidecar-inbound",
            Self::SidecarOutbound => "sidecar-outbound",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
            Self::Plain => "envoy",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_id_decides_before_the_direction() {
        let (inbound, outbound) = (1_i64.to_le_bytes(), 2_i64.to_le_bytes());
        for (id, direction, expected) in [
            (
                "sidecar~10.0.0.1~a.b~b.svc",
                Some(&inbound),
                "sidecar-inbound",
            ),
            (
                "sidecar~10.0.0.1~a.b~b.svc",
                Some(&outbound),
                "sidecar-outbound",
            ),
            ("router~10.0.0.1~a.b~b.svc", Some(&outbound), "gateway"),
            ("waypoint~10.0.0.1~a.b~b.svc", Some(&inbound), "waypoint"),
            ("my-envoy", Some(&inbound), "envoy"),
            ("", None, "envoy"),
        ] {
            let place = Place::new(
                Proxy::from_node_id(id.as_bytes()),
                direction.and_then(|bytes| Direction::from_property(bytes)),
            );
            assert_eq!(place.to_string(), expected, "{id}");
        }
    }
}
