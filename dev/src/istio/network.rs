//! The networks of pods, joined by a bridge as a node has it.

use anyhow::{Context, Result, bail, ensure};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

/// The node, where the API server, the registry and collectors are.
pub const NODE: Ipv4Addr = Ipv4Addr::new(10, 244, 0, 1);

/// The name by which pods find a host outside of the mesh: the node again.
pub const OUTSIDE: &str = "outside.test";

/// The bridge. Dropping it removes it.
#[derive(Debug)]
pub struct Bridge(());

impl Bridge {
    /// Makes it. It must be the first thing in a network that nobody else uses.
    pub fn make() -> Result<Self> {
        let interfaces = fs::read_to_string("/proc/self/net/dev")?;
        let others = interfaces
            .lines()
            .skip(2)
            .filter_map(|l| l.split(':').next());
        let others: Vec<_> = others.map(str::trim).filter(|name| *name != "lo").collect();
        ensure!(
            others.is_empty(),
            "a cluster needs a network of its own, this one has {others:?}: run it by dev/istio/isolated"
        );
        ip("link add name pods type bridge")?;
        ip(&format!("address add {NODE}/16 dev pods"))?;
        ip("link set pods up")?;
        Ok(Self(()))
    }

    /// A network for one pod.
    pub fn pod(&self) -> Result<PodNetwork> {
        static COUNT: AtomicU8 = AtomicU8::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let network = PodNetwork {
            name: format!("pod{number}"),
            address: Ipv4Addr::new(10, 244, 1, number),
        };
        let (name, address) = (&network.name, network.address);
        ip(&format!("netns add {name}"))?;
        ip(&format!(
            "link add v{name} type veth peer name eth0 netns {name}"
        ))?;
        ip(&format!("link set v{name} master pods up"))?;
        ip(&format!("-n {name} address add {address}/16 dev eth0"))?;
        ip(&format!("-n {name} link set lo up"))?;
        ip(&format!("-n {name} link set eth0 up"))?;
        ip(&format!("-n {name} route add default via {NODE}"))?;
        // As container runtimes set it: no port needs a privilege.
        let sysctl = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
        network.inside(|| Ok(fs::write(sysctl, "0")?))?;
        Ok(network)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = ip("link delete pods");
    }
}

/// The network of one pod. Dropping it removes it.
#[derive(Debug)]
pub struct PodNetwork {
    name: String,
    address: Ipv4Addr,
}

impl PodNetwork {
    /// The pod's address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Does `work` in it; so do the threads that `work` starts.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let namespace = File::open(format!("/run/netns/{}", self.name))?;
        let worker = || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            work()
        };
        let joined = thread::scope(|scope| scope.spawn(worker).join());
        match joined {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// The command that runs what is added to it in this network.
    pub fn command(&self) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]);
        command
    }
}

impl Drop for PodNetwork {
    fn drop(&mut self) {
        let _ = ip(&format!("netns delete {}", self.name));
    }
}

fn ip(arguments: &str) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .context("ip, of iproute2")?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("ip {arguments}: {}", error.trim());
    }
    Ok(())
}
