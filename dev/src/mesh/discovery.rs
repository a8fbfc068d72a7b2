//! Clusters that come and go while Envoy runs, as Istio delivers them.

use super::Cluster;
use crate::envoy::Envoy;
use crate::poll;
use anyhow::Result;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// A file that Envoy watches for its clusters.
#[derive(Debug)]
pub struct ClusterDiscovery {
    directory: TempDir,
}

impl ClusterDiscovery {
    /// With those clusters at first.
    pub fn new(clusters: &[Cluster]) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("throughline-clusters-")
            .tempdir()?;
        let discovery = Self { directory };
        discovery.write(clusters)?;
        Ok(discovery)
    }

    /// What the bootstrap needs for it.
    pub fn bootstrap(&self) -> Value {
        json!({"dynamic_resources": {"cds_config": {
            "resource_api_version": "V3",
            "path_config_source": {
                "path": self.path(),
                "watched_directory": {"path": self.directory.path()},
            },
        }}})
    }

    /// Makes those the clusters, and waits until Envoy has them.
    pub fn deliver(&self, envoy: &Envoy, clusters: &[Cluster]) -> Result<()> {
        const TAKEN: &str = "cluster_manager.cds.update_success";
        let before = envoy.stat(TAKEN)?;
        self.write(clusters)?;
        poll::until("Envoy to take the new clusters", || {
            Ok((envoy.stat(TAKEN)? > before).then_some(()))
        })
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("clusters.json")
    }

    /// By renaming, which is what Envoy watches for.
    fn write(&self, clusters: &[Cluster]) -> Result<()> {
        const CLUSTER: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
        let resource =
            |cluster: &Cluster| cluster.clone().merge(&json!({"@type": CLUSTER})).to_json();
        let resources: Vec<_> = clusters.iter().map(resource).collect();
        let mut file = tempfile::NamedTempFile::new_in(self.directory.path())?;
        serde_json::to_writer(&mut file, &json!({"resources": resources}))?;
        file.persist(self.path())?;
        Ok(())
    }
}
