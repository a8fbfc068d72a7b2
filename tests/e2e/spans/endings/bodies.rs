//! Answers without a body, and HTTP/2.

use crate::spans::exchange::Sent;
use crate::spans::hop::Hop;
use crate::spans::mesh::Mesh;
use anyhow::{Result, ensure};
use throughline_dev::http::Request;
use throughline_dev::http2;

pub fn none(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        let exchange = mesh.left(
            mesh.send(hop, Request::new("HEAD", "/up/ok"))?,
            1 + u64::from(hop.is_both()),
        )?;
        for span in exchange.spans() {
            ensure!(
                span.name == "HEAD"
                    && span.attribute("response_size") == "0"
                    && span.attribute("http.response.status_code") == "200",
                "{hop}: {span}"
            );
        }
    }
    Ok(())
}

pub fn http2(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        let request = Request::post("/up/ok", "12345").header("host", "reviews:9080");
        let (request, id) = mesh.tagged(request);
        let (answer, from) = http2::send_from(mesh.envoy(hop).listener(hop.listener())?, &request)?;
        ensure!(answer.status == 200, "{answer:?}");
        let sent = Sent {
            hop,
            listener: hop.listener().to_owned(),
            id,
            request,
            from,
            answer: Some(answer),
        };
        let span = mesh.left(sent, 1 + u64::from(hop.is_both()))?.outer;
        let version = if hop == Hop::Outbound { "" } else { "2" };
        ensure!(
            span.attribute("network.protocol.version") == version
                && span.attribute("request_size") == "5"
                && span.attribute("server.address") == "reviews",
            "{hop}: {span}"
        );
    }
    Ok(())
}
