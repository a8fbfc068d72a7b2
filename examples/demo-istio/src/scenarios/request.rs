//! One request, and its trace.

use crate::mesh::Mesh;
use crate::report::Report;
use anyhow::Result;
use std::time::Instant;

const PATH: &str = "/productpage";

pub fn play(mesh: &Mesh, report: &mut Report) -> Result<()> {
    // Two of the three versions of reviews call ratings; the client has no say in who answers.
    let (begun, asked) = loop {
        let begun = Instant::now();
        let asked = mesh.ask(PATH)?;
        if asked.came_to("ratings") {
            break (begun, asked);
        }
    };
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
