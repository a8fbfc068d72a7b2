//! An address at which nobody listens, and nobody else can begin to.

use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr};

/// A port that is bound and never listens: connecting to it is refused.
#[derive(Debug)]
pub struct Refused {
    address: SocketAddr,
    _held: Socket,
}

impl Refused {
    /// Takes a free port.
    pub fn take() -> Result<Self> {
        Self::take_on(Ipv4Addr::LOCALHOST)
    }

    /// Takes a free port of the interface with that address.
    pub fn take_on(interface: Ipv4Addr) -> Result<Self> {
        let held = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        held.bind(&SocketAddr::from((interface, 0)).into())?;
        let address = held.local_addr()?.as_socket();
        Ok(Self {
            address: address.context("a socket without an IP address")?,
            _held: held,
        })
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
