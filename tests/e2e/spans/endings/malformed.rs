//! What Envoy's codec refuses is no request: no span, and nothing breaks.

use crate::spans::hop::Hop;
use crate::spans::mesh::Mesh;
use anyhow::Result;
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

pub fn refused(mesh: &Mesh) -> Result<()> {
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
    }
    Ok(())
}
