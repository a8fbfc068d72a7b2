//! Which spans a hop is.

use super::Kind;
use crate::policy::place::{Direction, Proxy};

/// A sidecar is one side of a call; a proxy between two parties is the server of one and the client of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    One(Kind),
    /// A server span, and a client span under it once an upstream was chosen.
    Both,
}

impl Sides {
    pub const fn of(proxy: Proxy, direction: Option<Direction>) -> Self {
        match (proxy, direction) {
            (Proxy::Gateway | Proxy::Waypoint, _) | (Proxy::Plain, None) => Self::Both,
            (_, Some(Direction::Outbound)) => Self::One(Kind::Client),
            (Proxy::Sidecar, None) | (_, Some(Direction::Inbound)) => Self::One(Kind::Server),
        }
    }

    /// The span that the caller's span is the parent of.
    pub const fn outer(self) -> Kind {
        match self {
            Self::One(kind) => kind,
            Self::Both => Kind::Server,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_is_one_side_and_a_proxy_between_is_both() {
        let (inbound, outbound) = (Some(Direction::Inbound), Some(Direction::Outbound));
        for (proxy, direction, expected) in [
            (Proxy::Sidecar, inbound, Sides::One(Kind::Server)),
            (Proxy::Sidecar, outbound, Sides::One(Kind::Client)),
            (Proxy::Sidecar, None, Sides::One(Kind::Server)),
            (Proxy::Gateway, outbound, Sides::Both),
            (Proxy::Waypoint, inbound, Sides::Both),
            (Proxy::Plain, None, Sides::Both),
            (Proxy::Plain, inbound, Sides::One(Kind::Server)),
            (Proxy::Plain, outbound, Sides::One(Kind::Client)),
        ] {
            assert_eq!(
                Sides::of(proxy, direction),
                expected,
                "{proxy} {direction:?}"
            );
        }
    }
}
