//! All calls go to one version: every trace passes it, and none another.

use super::{reviews_below, with};
use crate::mesh::Mesh;
use crate::report::Report;
use anyhow::Result;

const PATH: &str = "/productpage/reviews-v3-only";

const REQUESTS: usize = 30;

pub fn play(mesh: &Mesh, report: &mut Report) -> Result<()> {
    with(mesh, "reviews-v3-only", || {
        mesh.settle("the route to v3", |asked| asked.came_to_reviews("v3"))?;
        let asked = (0..REQUESTS)
            .map(|_| mesh.ask(PATH))
            .collect::<Result<Vec<_>>>()?;
        report.say(format!("{REQUESTS} requests:"))?;
        report.search(mesh, &reviews_below(PATH, "v3"), REQUESTS)?;
        for other in ["v1", "v2"] {
            report.search(mesh, &reviews_below(PATH, other), 0)?;
        }
        if let Some(last) = asked.last() {
            report.say("The last of them:")?;
            report.waterfall(mesh, last, 0)?;
        }
        Ok(())
    })
}
