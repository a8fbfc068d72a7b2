//! Clients that leave before they have their answer.

use crate::spans::hop::Hop;
use crate::spans::mesh::Mesh;
use anyhow::{Context, Result, ensure};
use std::io::Read;
use throughline_dev::http::Request;
use throughline_dev::receiver::Code;

pub fn leave(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        let (client, sent) = mesh.begin(hop, Request::get("/up/never"))?;
        mesh.upstream.wait_for(&sent.id)?;
        drop(client);
        let exchange = mesh.left(sent, 1 + u64::from(hop.is_both()))?;
        for span in exchange.spans() {
            ensure!(
                span.attribute("response_flags") == "DC"
                    && !span.attributes.contains_key("http.response.status_code")
                    && span.attribute("error.type") == "DownstreamConnectionTermination"
                    && span.status.code == Code::Error,
                "{hop}: {span}"
            );
        }
        // Once the answer has begun, what the client does not read of it is its own affair.
        let (client, sent) = mesh.begin(hop, Request::get("/up/stalls"))?;
        let mut stream = client.into_stream();
        stream
            .read_exact(&mut [0; 15])
            .context("the answer does not begin")?;
        drop(stream);
        let exchange = mesh.left(sent, 1 + u64::from(hop.is_both()))?;
        for span in exchange.spans() {
            ensure!(
                span.attribute("response_flags") == "DC"
                    && span.attribute("http.response.status_code") == "200"
                    && !span.attributes.contains_key("error.type")
                    && span.status.code == Code::Unset,
                "{hop}: {span}"
            );
        }
    }
    Ok(())
}
