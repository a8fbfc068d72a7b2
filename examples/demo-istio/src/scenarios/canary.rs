//! A share of the calls goes to another version: the share in the traces is the one in the manifest.

use super::{reviews_below, with};
use crate::mesh::Mesh;
use crate::report::Report;
use crate::share::bounds;
use crate::steps::step;
use anyhow::Result;

const PATH: &str = "/productpage/canary";

const REQUESTS: usize = 300;

/// What the manifest says.
const SHARE: f64 = 0.1;

pub fn play(mesh: &Mesh, report: &mut Report) -> Result<()> {
    with(mesh, "canary", || {
        mesh.settle("the canary", |asked| !asked.came_to_reviews("v2"))?;
        let asked = step(&format!("Sending {REQUESTS} requests"), || {
            (0..REQUESTS)
                .map(|_| mesh.ask(PATH))
                .collect::<Result<Vec<_>>>()
        })?;
        let canaries: Vec<_> = asked
            .iter()
            .filter(|asked| asked.came_to_reviews("v3"))
            .collect();
        report.say(format!(
            "{REQUESTS} requests, of which reviews v3 answered {}. Its share in the traces:",
            canaries.len()
        ))?;
        let old = report.search(mesh, &reviews_below(PATH, "v1"), REQUESTS - canaries.len())?;
        let new = report.search(mesh, &reviews_below(PATH, "v3"), canaries.len())?;
        let (least, most) = bounds(REQUESTS, SHARE);
        let count = new.len();
        report.find(
            (least..=most).contains(&(count as f64)),
            format!(
                "reviews v3 is in {count} of {REQUESTS} traces, {:.1} %; 10 % within three standard deviations is {least:.1} to {most:.1}",
                100.0 * count as f64 / REQUESTS as f64
            ),
        )?;
        report.find(old.is_disjoint(&new), "no trace passes both versions")?;
        if let Some(canary) = canaries.first() {
            report.say("One of them:")?;
            report.waterfall(mesh, canary, 0)?;
        }
        Ok(())
    })
}
