//! A cluster with Istio's own control plane: etcd, kube-apiserver and istiod, pods whose sidecars istiod injects and whose
//! agents pull modules from a registry, and Envoys. `dev/istio/install.py` builds the programs.
//!
//! It runs in a network and a mount namespace of its own (`dev/istio/isolated`), in which each pod has a network of its own,
//! and a bridge between them: ports are the usual ones, and none is bound outside. What a container runtime and a kubelet do
//! with a pod, [`Pod`] does with processes; Envoy is a plain one, as Istio's own build of it is in no registry.
//!
//! - [`Cluster`]: the API server, and Istio in it
//! - [`Kubectl`]: what its users type
//! - [`Pod`]: an application or a gateway, with what istiod injected
//! - [`plugin`]: what a pod's proxy has of the plugin
//! - [`Registry`], [`Tunnel`]: what images are pulled from, and a client of waypoints
//! - [`Line`]: the lines of Istio that can be had

mod apiserver;
mod cluster;
mod container;
mod daemon;
mod install;
mod kubectl;
mod line;
mod network;
pub mod plugin;
mod pod;
mod registry;
mod tunnel;

pub use cluster::Cluster;
pub use kubectl::Kubectl;
pub use line::Line;
pub use network::{NODE, OUTSIDE};
pub use pod::Pod;
pub use registry::{HOST as REGISTRY, Registry};
pub use tunnel::Tunnel;
