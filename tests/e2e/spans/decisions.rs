//! Sampled or not, debug, random: what the caller decided.

use super::hop::Hop;
use super::ids::names;
use super::mesh::Mesh;
use crate::formats::{Context as Agreed, agreed};
use anyhow::{Context, Result, ensure};
use throughline_dev::http::{Headers, Request};

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

/// No span (what came too much is found when all is over), and the ids go through as they came.
pub fn unsampled(mesh: &Mesh) -> Result<()> {
    let with = |name: &str, value: &str| Headers::new().with(name, value);
    let callers = [
        with("traceparent", &format!("00-{TRACE}-{SPAN}-00")),
        with("b3", &format!("{TRACE}-{SPAN}-0")),
        with("x-b3-traceid", TRACE)
            .with("x-b3-spanid", SPAN)
            .with("x-b3-sampled", "0"),
        // A trace that starts here.
        with("x-b3-sampled", "0"),
    ];
    let mut sent = Vec::new();
    for hop in Hop::ALL {
        for headers in &callers {
            sent.push(mesh.send(hop, Request::get("/up/ok").headers(headers))?);
        }
    }
    for sent in sent {
        let seen = mesh
            .upstream
            .seen(&sent.id)
            .pop()
            .context("no request arrived")?;
        let left = agreed(&seen.headers)
            .map_err(anyhow::Error::msg)?
            .context("no trace left")?;
        let log = mesh.log(&sent)?;
        let logged = ["trace.id", "span.id", "trace.sampled"].map(|key| log[key].as_str());
        ensure!(
            logged == [Some(&*left.trace_id), Some(&*left.span_id), Some("false")] && !left.sampled,
            "{left:?}\n{log:#}"
        );
        if let Some(came) = agreed_ids(&sent.request.headers)? {
            ensure!(left == came, "{came:?} became {left:?}");
        }
    }
    Ok(())
}

/// A sampling state alone names no trace.
fn agreed_ids(headers: &Headers) -> Result<Option<Agreed>> {
    if headers.contains("x-b3-sampled") && !headers.contains("x-b3-traceid") {
        return Ok(None);
    }
    agreed(headers).map_err(anyhow::Error::msg)
}

/// B3's debug is kept on the wire, and means sampled on the span.
pub fn debug(mesh: &Mesh) -> Result<()> {
    for hop in Hop::ALL {
        let request = Request::get("/up/ok").header("b3", format!("{TRACE}-{SPAN}-d"));
        let sent = mesh.send(hop, request)?;
        let exchange = mesh.left(sent, 1 + u64::from(hop.is_both()))?;
        let seen = mesh
            .upstream
            .seen(&exchange.sent.id)
            .pop()
            .context("no request arrived")?;
        names(&seen.headers, exchange.innermost())?;
        let is = |name: &str| seen.headers.get(name).map(String::from_utf8_lossy);
        let id = &exchange.innermost().span_id;
        ensure!(
            is("b3").as_deref() == Some(&*format!("{TRACE}-{id}-d"))
                && is("x-b3-flags").as_deref() == Some("1")
                && is("x-b3-sampled").is_none(),
            "{hop}: {:?}",
            seen.headers
        );
        ensure!(exchange.outer.flags & 1 == 1, "{}", exchange.outer);
    }
    Ok(())
}

/// The random flag goes on where it came in, on the wire and on the spans; a trace that starts here has none.
pub fn random(mesh: &Mesh) -> Result<()> {
    for (came, random) in [(Some("03"), 2), (Some("01"), 0), (None, 0)] {
        let mut request = Request::get("/up/ok");
        if let Some(flags) = came {
            request = request.header("traceparent", format!("00-{TRACE}-{SPAN}-{flags}"));
        }
        let exchange = mesh.left(mesh.send(Hop::Gateway, request)?, 2)?;
        for span in exchange.spans() {
            ensure!(span.flags & 3 == 1 | random, "{came:?}: {span}");
        }
        let seen = mesh
            .upstream
            .seen(&exchange.sent.id)
            .pop()
            .context("no request arrived")?;
        let traceparent =
            String::from_utf8_lossy(seen.headers.get("traceparent").unwrap_or_default());
        ensure!(
            traceparent.ends_with(&format!("-0{}", 1 | random)),
            "{came:?}: {traceparent}"
        );
    }
    Ok(())
}
