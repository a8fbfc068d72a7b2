//! Where a request passes the filter: each kind of listener, and which spans it is there.

use std::fmt;
use throughline_dev::mesh::Listener;
use throughline_dev::receiver::Kind;

/// A kind of listener.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hop {
    Inbound,
    Outbound,
    Gateway,
    Waypoint,
}

impl Hop {
    pub const ALL: [Self; 4] = [Self::Inbound, Self::Outbound, Self::Gateway, Self::Waypoint];

    /// The listener's name.
    pub const fn listener(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
        }
    }

    /// A listener of this kind.
    pub fn open(self, name: &str) -> Listener {
        match self {
            Self::Inbound | Self::Waypoint => Listener::inbound(name),
            Self::Outbound | Self::Gateway => Listener::outbound(name),
        }
    }

    /// The span under the caller's.
    pub const fn outer(self) -> Kind {
        match self {
            Self::Outbound => Kind::Client,
            _ => Kind::Server,
        }
    }

    /// Whether a client span is under the server span, once there is an upstream.
    pub const fn is_both(self) -> bool {
        matches!(self, Self::Gateway | Self::Waypoint)
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.listener())
    }
}
