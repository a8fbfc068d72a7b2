//! The listener that a request came to.

use core::cell::OnceCell;

use super::host::{Host, PropertyPath};
use crate::{
    policy::place::{Direction, Place, Proxy},
    span::Sides,
};

/// The node is known for good; the direction is asked for each request and only where it matters, since Envoy 1.40 gives
/// one root context to all listeners of a plugin.
#[derive(Debug)]
pub struct Listener {
    proxy: Proxy,
    direction: OnceCell<Option<Direction>>,
}

impl Listener {
    pub const fn of(proxy: Proxy) -> Self {
        Self {
            proxy,
            direction: OnceCell::new(),
        }
    }

    pub fn place(&self, host: &mut impl Host) -> Place {
        let direction = match self.proxy {
            Proxy::Sidecar => self.direction(host),
            Proxy::Gateway | Proxy::Waypoint | Proxy::Plain => None,
        };
        Place::new(self.proxy, direction)
    }

    pub fn sides(&self, host: &mut impl Host) -> Sides {
        Sides::of(self.proxy, self.direction(host))
    }

    fn direction(&self, host: &mut impl Host) -> Option<Direction> {
        *self.direction.get_or_init(|| {
            let direction = host.property(&PropertyPath::of("xds\0listener_direction"));
            direction.as_deref().and_then(Direction::from_property)
        })
    }
}
