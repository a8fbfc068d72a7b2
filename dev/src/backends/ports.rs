//! Ports for servers that must be told theirs.

use anyhow::Result;
use socket2::{Domain, SockAddr, Socket, Type};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Free ports, of the loopback interface unless others are asked for, held until they are dropped.
///
/// A port that was only looked up could be gone by the time the server takes it. These stay bound, so that the kernel
/// gives them to nobody; but they do not listen and allow reuse, so that a server which asks for one by its number,
/// and like every server allows reuse, gets it.
#[derive(Debug)]
pub struct Ports<const N: usize>([(Socket, SocketAddr); N]);

impl<const N: usize> Ports<N> {
    /// Takes free ones of the loopback interface.
    pub fn reserve() -> Result<Self> {
        Self::reserve_on([Ipv4Addr::LOCALHOST.into(); N])
    }

    /// Takes a free one of each of these interfaces, which are known by their addresses.
    pub fn reserve_on(interfaces: [IpAddr; N]) -> Result<Self> {
        let reserved: Vec<_> = interfaces.into_iter().map(reserve).collect::<Result<_>>()?;
        match reserved.try_into() {
            Ok(reserved) => Ok(Self(reserved)),
            Err(_) => unreachable!("N were taken"),
        }
    }

    /// Their addresses.
    pub fn addresses(&self) -> [SocketAddr; N] {
        self.0.each_ref().map(|(_, address)| *address)
    }
}

fn reserve(interface: IpAddr) -> Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(SocketAddr::from((interface, 0))))?;
    let port = socket
        .local_addr()?
        .as_socket_ipv4()
        .map_or(0, |address| address.port());
    Ok((socket, SocketAddr::from((interface, port))))
}

#[cfg(test)]
mod tests {
    use super::Ports;
    use anyhow::Result;
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_reserved_port_is_given_to_nobody_but_to_who_asks_for_it() -> Result<()> {
        let reserved = Ports::<200>::reserve()?;
        let distinct: BTreeSet<_> = reserved.addresses().into_iter().collect();
        assert_eq!(distinct.len(), 200);
        for address in reserved.addresses() {
            assert!(TcpStream::connect(address).is_err(), "nobody listens yet");
            assert!(!distinct.contains(&TcpListener::bind("127.0.0.1:0")?.local_addr()?));
            let server = TcpListener::bind(address)?;
            assert!(TcpListener::bind(address).is_err(), "it is taken now");
            TcpStream::connect(server.local_addr()?)?;
        }
        Ok(())
    }
}
