//! Contexts that came in and were not continued.

use super::hop::Hop;
use super::mesh::Mesh;
use anyhow::{Result, ensure};
use throughline_dev::http::{Headers, Request};

const ONE: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
const TWO: (&str, &str) = ("80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1");
const THREE: (&str, &str) = ("463ac35c9f6413ad48485a3953bb6124", "a2fb4a1d1a96d312");

pub fn links(mesh: &Mesh) -> Result<()> {
    let w3c = |(trace, span): (&str, &str)| {
        Headers::new().with("traceparent", format!("00-{trace}-{span}-01"))
    };
    let single = |(trace, span): (&str, &str)| format!("{trace}-{span}-1");
    let mut sent = Vec::new();
    for hop in Hop::ALL {
        for (headers, linked) in [
            (w3c(ONE), vec![]),
            (w3c(ONE).with("b3", single(ONE)), vec![]),
            // The same trace, another span: which of them was newer nobody knows, but it is one trace.
            (w3c(ONE).with("b3", single((ONE.0, TWO.1))), vec![]),
            (w3c(ONE).with("b3", single(TWO)), vec![TWO]),
            // Not sampled there, and linked all the same.
            (
                w3c(ONE).with("b3", format!("{}-{}-0", TWO.0, TWO.1)),
                vec![TWO],
            ),
            (
                w3c(ONE)
                    .with("b3", single(TWO))
                    .with("x-b3-traceid", THREE.0)
                    .with("x-b3-spanid", THREE.1),
                vec![TWO, THREE],
            ),
            (
                w3c(ONE)
                    .with("b3", single(TWO))
                    .with("x-b3-traceid", TWO.0)
                    .with("x-b3-spanid", TWO.1),
                vec![TWO],
            ),
        ] {
            let one = mesh.send(hop, Request::get("/direct/200").headers(&headers))?;
            sent.push((one, linked));
        }
    }
    for (sent, linked) in sent {
        let exchange = mesh.left(sent, 1)?;
        let span = &exchange.outer;
        let links: Vec<_> = span
            .links
            .iter()
            .map(|(trace, id)| (&**trace, &**id))
            .collect();
        ensure!(
            links == linked && (&*span.trace_id, span.parent_id.as_deref()) == (ONE.0, Some(ONE.1)),
            "{}: {:?}{span}",
            exchange.described(),
            exchange.sent.request.headers
        );
    }
    Ok(())
}
