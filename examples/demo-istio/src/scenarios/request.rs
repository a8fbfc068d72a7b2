//! One request, and its trace.

use crate::mesh::Mesh;
use crate::report::Report;
use anyhow::{Result, bail};
use std::time::Instant;

const PATH: &str = "/productpage";

/// So many never all come to the version that calls nobody.
const MOST: usize = 60;

pub fn play(mesh: &Mesh, report: &mut Report) -> Result<()> {
    // Two of the three versions of reviews call ratings; the client has no say in who answers.
    let asked = (0..MOST).map(|_| (Instant::now(), mesh.ask(PATH)));
    let (begun, asked) = asked
        .map(|(begun, asked)| Ok((begun, asked?)))
        .find(|asked| {
            asked
                .as_ref()
                .map_or(true, |(_, asked)| asked.came_to("ratings"))
        })
        .unwrap_or_else(|| bail!("none of {MOST} requests came to ratings"))?;
    report.say(format!(
        "GET {PATH} → 200, without trace headers, as Tempo gives it back:"
    ))?;
    report.waterfall(mesh, &asked, 0)?;
    // A query across hops: only in one tree is one span below the other.
    let query = format!(
        "{{ span.url.path = \"{PATH}\" }} >> {{ resource.service.name = \"ratings.bookinfo\" }}"
    );
    let found = report.search(mesh, &query, 1)?;
    report.find(
        found == asked.trace_ids(),
        format!(
            "it is that trace, found {:.0} s after the request",
            begun.elapsed().as_secs_f64()
        ),
    )?;
    Ok(())
}
