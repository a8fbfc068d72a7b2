//! Requests that a filter answers: one after ours, or one before it, so that ours sees them only when they are over.

use crate::spans::exchange::Sent;
use crate::spans::hop::Hop;
use crate::spans::mesh::Mesh;
use crate::spans::routes::PLACES;
use anyhow::{Context, Result, ensure};
use throughline_dev::http::Request;
use throughline_dev::receiver::{Code, Kind};

/// What denies, its status, its flags, its reason.
const DENIALS: [(&str, u16, &str, &str); 4] = [
    (
        "rbac",
        403,
        "-",
        "rbac_access_denied_matched_policy[everything]",
    ),
    ("authz", 403, "UAEX", "ext_authz_denied"),
    ("fault", 503, "FI", "fault_filter_abort"),
    ("limit", 429, "RL", "local_rate_limited"),
];

pub fn all(mesh: &Mesh) -> Result<()> {
    let b3 = "463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1";
    for hop in Hop::ALL {
        for place in PLACES {
            // The limit lets one through, which is no denial.
            let passes = mesh.send(hop, Request::get(&format!("/limit/{place}/ok")))?;
            ensure!(passes.status() == 200, "{:?}", passes.answer);
            mesh.left(passes, 1 + u64::from(hop.is_both()))?;
            let mut sent = Vec::new();
            for (what, status, ..) in DENIALS {
                let path = format!("/{what}/{place}/ok");
                for request in [Request::get(&path).header("b3", b3), Request::get(&path)] {
                    let one = mesh.send(hop, request)?;
                    ensure!(one.status() == status, "{hop}: {path}: {:?}", one.answer);
                    ensure!(
                        mesh.upstream.seen(&one.id).is_empty(),
                        "{hop}: {path} went on"
                    );
                    sent.push(one);
                }
            }
            // An unsampled one has no span here either.
            let unsampled =
                Request::get(&format!("/rbac/{place}/ok")).header("b3", b3.replace("-1", "-0"));
            let unsampled = mesh.send(hop, unsampled)?;
            ensure!(
                mesh.log(&unsampled)?["trace.sampled"] == "false",
                "{hop}: {place}"
            );
            let rows = DENIALS.iter().flat_map(|row| [row, row]);
            for (row, sent) in rows.zip(sent) {
                check(mesh, hop, row, sent).with_context(|| format!("{hop}: {place} {row:?}"))?;
            }
        }
    }
    Ok(())
}

fn check(
    mesh: &Mesh,
    hop: Hop,
    (_, status, flags, details): &(&str, u16, &str, &str),
    sent: Sent,
) -> Result<()> {
    let came_from_somewhere = sent.request.headers.contains("b3");
    let span = mesh.left(sent, 1)?.outer;
    let threshold = if span.kind == Kind::Server { 500 } else { 400 };
    let (error, code) = match *status >= threshold {
        true => (status.to_string(), Code::Error),
        false => (String::new(), Code::Unset),
    };
    ensure!(
        span.kind == hop.outer()
            && span.parent_id.is_some() == came_from_somewhere
            && span.attribute("http.response.status_code") == status.to_string()
            && span.attribute("response_flags") == *flags
            && span.attribute("response_code_details") == *details
            && span.attribute("error.type") == error
            && span.status.code == code,
        "{span}"
    );
    Ok(())
}
