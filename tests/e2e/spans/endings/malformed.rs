//! What Envoy refuses before any filter sees it.

use crate::spans::hop::Hop;
use crate::spans::mesh::Mesh;
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::TcpStream;
use throughline_dev::http::Request;
use throughline_dev::poll::PATIENCE;

const NONSENSE: [&[u8]; 8] = [
    b"nonsense\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /up/ok HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
    b"GET /up/ok HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n",
    b"NOT-A-METHOD-OF-HTTP /up/ok HTTP/1.1\r\nhost: a\r\n\r\n",
    b"POST /up/ok HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense after the preface",
    b"GET /up/ok HTTP/1.1\r\nhost",
];

/// What its codec cannot read is no request: no span, and nothing breaks.
pub fn no_http(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        for bytes in NONSENSE {
            let mut stream = TcpStream::connect(mesh.envoy(hop).listener(hop.listener())?)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(bytes)?;
            stream.shutdown(std::net::Shutdown::Write)?;
            // Envoy may reset what it does not read.
            let _ = stream.read_to_end(&mut Vec::new());
        }
        mesh.left(
            mesh.send(hop, Request::get("/up/ok"))?,
            1 + u64::from(hop.is_both()),
        )?;
        // They would be in the queue before the last.
        mesh.nothing_else().with_context(|| hop.to_string())?;
    }
    Ok(())
}

/// A request that could be read, and that Envoy's connection manager refuses: seen in the log phase alone.
const REFUSED: [(&str, &str, &str); 3] = [
    ("GET /up/ok HTTP/1.1", "400", "missing_host_header"),
    (
        "OPTIONS * HTTP/1.1\r\nhost: reviews",
        "404",
        "absolute_path_rejected",
    ),
    (
        "GET /up/ok HTTP/1.1\r\nhost: reviews\r\nconnection: upgrade\r\nupgrade: other",
        "403",
        "upgrade_failed",
    ),
];

/// That is a request, which has its span.
pub fn refused(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        for (head, status, details) in REFUSED {
            // What is sent is the text; the request is for looking up what it left.
            let (mut client, sent) = mesh.prepare(hop, Request::get(head))?;
            let text = format!("{head}\r\nx-request-id: {}\r\n\r\n", sent.id);
            client.send_raw(text.as_bytes())?;
            let exchange = mesh.left(sent, 1)?;
            let span = &exchange.outer;
            ensure!(
                span.attribute("http.response.status_code") == status
                    && span.attribute("response_code_details") == details
                    && !span.attribute("http.url").starts_with(':'),
                "{hop}: {span}"
            );
        }
    }
    Ok(())
}
