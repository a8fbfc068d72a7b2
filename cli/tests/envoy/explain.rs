//! What the program says.

#[path = "../common/run.rs"]
mod run;

use crate::fields::Fields;
use crate::table::{Request, Setup, VARIABLE, node};
use anyhow::{Result, ensure};
use run::Run;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The parts of `--format json` that can be seen from outside.
#[derive(Debug, Deserialize)]
pub struct Story {
    pub decision: Decision,
    pub headers: Vec<Header>,
    pub response: BTreeMap<String, String>,
    pub metrics: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    pub trace_id: Option<Id>,
}

#[derive(Debug, Deserialize)]
pub struct Id {
    pub generated: bool,
}

#[derive(Debug, Deserialize)]
pub struct Header {
    pub name: String,
    pub action: String,
    pub from: Vec<String>,
    pub to: Vec<String>,
}

/// Of that request, to whom everything is told that Envoy knows.
pub fn story(setup: &Setup, request: &Request) -> Result<Story> {
    let directory = tempfile::TempDir::new()?;
    let config = directory.path().join("config.json");
    std::fs::write(&config, setup.config.to_string())?;
    let mut command = run::program();
    command
        .args(["explain", "--format", "json", "-H", "@-"])
        .args(["--place", setup.place()])
        .arg("--property")
        .arg(format!("xds.cluster_name={}", setup.cluster))
        .args(["--property", "source.address=127.0.0.1:1"]);
    if setup.external {
        let external = "xds.cluster_metadata.filter_metadata.istio.external=true";
        command.args(["--property", external]);
    }
    if let Some(peer) = &setup.peer {
        command.args(["--peer", peer]);
    }
    let (name, value) = VARIABLE;
    command.arg("--env").arg(format!("{name}={value}"));
    let metadata = &node(setup.node()).to_json()["metadata"];
    for (name, value) in texts(metadata) {
        command.arg("--node").arg(format!("{name}={value}"));
    }
    for (name, value) in texts(&metadata["LABELS"]) {
        command.arg("--label").arg(format!("{name}={value}"));
    }
    let run = Run::of(command.arg(&config), &request.head()?)?;
    ensure!(
        run.code == 0 && run.err.is_empty(),
        "{}: {run:?}",
        setup.what
    );
    Ok(serde_json::from_str(&run.out)?)
}

fn texts(object: &Value) -> impl Iterator<Item = (&String, &str)> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name, value.as_str()?)))
}

impl Story {
    /// What it is counted as, as Envoy says it.
    pub fn page(&self) -> String {
        let metrics = self.metrics.iter();
        metrics
            .map(|(name, value)| format!("{name} {value}\n"))
            .collect()
    }

    /// What is to become of what was sent.
    pub fn applied(&self, sent: &Fields) -> Fields {
        let mut told = sent.clone();
        for header in &self.headers {
            match header.to.is_empty() {
                true => told.remove(&header.name),
                false => told.insert(header.name.clone(), header.to.clone()),
            };
        }
        told
    }
}
