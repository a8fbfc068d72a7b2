//! A client of waypoints, in ztunnel's place.

use super::daemon::Daemon;
use super::install;
use super::network::NODE;
use super::pod::Pod;
use anyhow::Result;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

/// A port of the node whose connections go through a waypoint, each in a tunnel by HBONE. Dropping it closes it.
#[derive(Debug)]
pub struct Tunnel {
    daemon: Daemon,
    entrance: SocketAddr,
}

impl Tunnel {
    /// To `service` through `waypoint`, with the identity of the workload in `client`.
    pub fn open(client: &Pod, waypoint: &Pod, service: SocketAddr, log: &Path) -> Result<Self> {
        let entrance = SocketAddr::from((NODE, 19091));
        let mut command = Command::new(install::directory("tools")?.join("hbone"));
        command
            .arg(entrance.to_string())
            .arg(waypoint.at(15008).to_string())
            .arg(service.to_string())
            .arg(client.certificates());
        let daemon = Daemon::start("hbone", command, log)?;
        daemon.wait("listen", || TcpStream::connect(entrance).is_ok())?;
        Ok(Self { daemon, entrance })
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Where clients connect.
    pub fn entrance(&self) -> SocketAddr {
        self.entrance
    }
}
