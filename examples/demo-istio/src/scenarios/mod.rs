//! What is played in the mesh.

mod authz_deny_reviews;
mod canary;
mod request;
mod reviews_v3_only;

use crate::mesh::Mesh;
use crate::report::Report;
use anyhow::{Context, Result};

/// What is to be seen in the mesh.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// On the command line.
    pub name: &'static str,
    pub title: &'static str,
    pub play: fn(&Mesh, &mut Report) -> Result<()>,
}

/// In the order in which they can be played one after the other.
pub const ALL: [Scenario; 4] = [
    Scenario {
        name: "request",
        title: "A request",
        play: request::play,
    },
    Scenario {
        name: "canary",
        title: "A canary: one call in ten of reviews goes to its third version",
        play: canary::play,
    },
    Scenario {
        name: "reviews-v3-only",
        title: "Every call of reviews goes to its third version",
        play: reviews_v3_only::play,
    },
    Scenario {
        name: "authz-deny-reviews",
        title: "A policy denies all calls of reviews",
        play: authz_deny_reviews::play,
    },
];

/// Those that a name means: one, or all of them.
pub fn find(name: &str) -> Result<Vec<Scenario>> {
    if name == "all" {
        return Ok(ALL.into());
    }
    let found = ALL.into_iter().find(|scenario| scenario.name == name);
    let scenario = found.with_context(|| {
        let names = ALL.map(|scenario| scenario.name).join(", ");
        format!("there is no scenario {name:?}; there are: {names}, all")
    })?;
    Ok(vec![scenario])
}

/// Applies a scenario's manifest, does `work`, and takes the manifest away again.
fn with(mesh: &Mesh, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let file = format!("examples/demo-istio/manifests/{name}.yaml");
    mesh.workspace.kubectl(&format!("apply -f {file}"))?;
    work()?;
    mesh.workspace.kubectl(&format!("delete -f {file}"))
}

/// TraceQL for the traces in which a request for `path` led to a span of a version of reviews.
fn reviews_below(path: &str, version: &str) -> String {
    format!(
        "{{ span.url.path = \"{path}\" }} >> {{ resource.service.name = \"reviews.bookinfo\" && span.istio.canonical_revision = \"{version}\" }}"
    )
}
