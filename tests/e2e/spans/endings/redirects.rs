//! Redirects that Envoy follows itself: for its filters that is another request.

use crate::spans::exchange::shown;
use crate::spans::hop::Hop;
use crate::spans::mesh::Mesh;
use anyhow::{Result, bail, ensure};
use throughline_dev::http::Request;
use throughline_dev::poll;
use throughline_dev::receiver::Span;

/// Both have their spans, the second under the first, and a line of the access log each.
pub fn internal(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        let sent = mesh.send(hop, Request::get("/redirected/moved"))?;
        ensure!(sent.status() == 200, "{hop}: {:?}", sent.answer);
        let spans = mesh.spans(&sent.id, 2 * (1 + u64::from(hop.is_both())))?;
        let mut parent: Option<&Span> = None;
        let mut codes = Vec::new();
        for _ in &spans {
            let child = |span: &&Span| span.parent_id.as_ref() == parent.map(|span| &span.span_id);
            let mut children = spans.iter().filter(child);
            let (Some(span), None) = (children.next(), children.next()) else {
                bail!(
                    "{hop}: not one span is under {:?}:\n{}",
                    parent.map(|span| &span.span_id),
                    shown(&spans)
                );
            };
            codes.push((
                span.span_id.as_str(),
                span.attribute("http.response.status_code"),
            ));
            parent = Some(span);
        }
        let (first, second) = codes.split_at(codes.len() / 2);
        ensure!(
            first.iter().all(|(_, code)| code == "302")
                && second.iter().all(|(_, code)| code == "200"),
            "{hop}: {codes:?}"
        );
        let outer = [first, second].map(|codes| codes.first().map(|(id, _)| *id));
        poll::until("both lines of the access log", || {
            let log = mesh.envoy(hop).access_log(hop.listener())?;
            let of_this = log
                .iter()
                .filter(|entry| entry["request_id"] == sent.id.as_str());
            let logged: Vec<_> = of_this.map(|entry| entry["span.id"].as_str()).collect();
            Ok((logged == outer).then_some(()))
        })?;
    }
    Ok(())
}
