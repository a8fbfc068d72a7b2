//! What a policy denies never comes to the application; the trace has it all the same.

use super::with;
use crate::mesh::Mesh;
use crate::report::Report;
use anyhow::Result;

const PATH: &str = "/productpage/authz-deny-reviews";

pub fn play(mesh: &Mesh, report: &mut Report) -> Result<()> {
    with(mesh, "authz-deny-reviews", || {
        mesh.settle("the policy", |asked| !asked.came_to("reviews"))?;
        let asked = mesh.ask(PATH)?;
        report.say(format!(
            "GET {PATH} → 200: productpage does without reviews, so only the trace shows the denial."
        ))?;
        report.find(
            !asked.came_to("reviews"),
            "no version of reviews saw a request",
        )?;
        let denied =
            format!("{{ span.url.path = \"{PATH}\" }} >> {{ span.http.response.status_code = 403");
        // OpenTelemetry has a 403 as the caller's error, not as that of the server which rightly refused.
        let caller = format!(
            "{denied} && status = error && resource.service.name = \"productpage.bookinfo\" }}"
        );
        let found = report.search(mesh, &caller, 1)?;
        report.find(
            found == asked.trace_ids(),
            "it is the trace of that request",
        )?;
        let refused = format!("{denied} && resource.service.name = \"reviews.bookinfo\" }}");
        report.search(mesh, &refused, 1)?;
        report.waterfall(mesh, &asked, 1)
    })
}
