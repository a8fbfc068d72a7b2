//! Streams: one span each, when they end.

use crate::spans::hop::Hop;
use crate::spans::mesh::Mesh;
use anyhow::{Result, ensure};
use std::io::{Read, Write};
use throughline_dev::http::Request;
use throughline_dev::receiver::Code;

/// While a stream lasts others come and go, and have their spans.
pub fn long(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        let count = 1 + u64::from(hop.is_both());
        let (mut stream, mut sent) = mesh.begin(hop, Request::get("/up/streams"))?;
        mesh.upstream.wait_for(&sent.id)?;
        mesh.left(mesh.send(hop, Request::get("/up/ok"))?, count)?;
        ensure!(
            !mesh.arrived(&sent.id),
            "{hop}: a span before the stream's end"
        );
        mesh.upstream.release(&sent.id);
        let answer = stream.receive("GET")?;
        ensure!(answer.body == b"firstlast", "{answer:?}");
        sent.answer = Some(answer);
        for span in mesh.left(sent, count)?.spans() {
            ensure!(span.status.code == Code::Unset, "{hop}: {span}");
            ensure!(span.attribute("response_size") == "9", "{hop}: {span}");
        }
    }
    Ok(())
}

pub fn websocket(mesh: &Mesh) -> Result<()> {
    let request = Request::get("/up/websocket")
        .header("connection", "upgrade")
        .header("upgrade", "websocket");
    upgraded(mesh, "GET", &request, "101", "/up/websocket")
}

pub fn connect(mesh: &Mesh) -> Result<()> {
    upgraded(
        mesh,
        "CONNECT",
        &Request::new("CONNECT", "reviews:9080"),
        "200",
        "",
    )
}

/// Bytes go both ways before there is a span.
fn upgraded(mesh: &Mesh, name: &str, request: &Request, status: &str, path: &str) -> Result<()> {
    for hop in Hop::ALL {
        let (mut client, mut sent) = mesh.begin(hop, request.clone())?;
        let answer = client.receive(name)?;
        ensure!(answer.status.to_string() == status, "{hop}: {answer:?}");
        sent.answer = Some(answer);
        let mut stream = client.into_stream();
        for _ in 0..2 {
            let mut echoed = [0; 5];
            stream.get_mut().write_all(b"hello")?;
            stream.read_exact(&mut echoed)?;
            ensure!(&echoed == b"hello", "{hop}: the stream changed");
        }
        ensure!(
            !mesh.arrived(&sent.id),
            "{hop}: a span before the stream's end"
        );
        drop(stream);
        for span in mesh.left(sent, 1 + u64::from(hop.is_both()))?.spans() {
            ensure!(
                span.name == name
                    && span.attribute("http.response.status_code") == status
                    && (hop == Hop::Outbound
                        || span.attribute("url.path") == path
                        || span.parent_id.is_some())
                    && span.attribute("request_size") == "10"
                    && span.attribute("response_size") == "10"
                    && span.status.code == Code::Unset,
                "{hop}: {span}"
            );
        }
    }
    Ok(())
}
