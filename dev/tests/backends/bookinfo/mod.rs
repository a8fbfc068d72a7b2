//! Bookinfo's traces in every real backend, by every protocol that it takes, from a mesh that has no tracing of its own.

mod destination;
mod request;
mod stage;
mod tree;
mod wire;

use anyhow::{Context, Result};
use destination::{Backend, Destination};
use request::Request;
use stage::Stage;
use throughline_dev::backends::{Jaeger, Otelcol, Prometheus, Tempo, Zipkin};
use throughline_dev::poll;
use throughline_dev::receiver::Receiver;

#[test]
fn bookinfo_is_the_same_everywhere() -> Result<()> {
    let (receiver, prometheus) = (Receiver::start()?, Prometheus::start()?);
    let (zipkin, jaeger) = (Zipkin::start()?, Jaeger::start()?);
    let (tempo, otelcol) = (Tempo::start(Some(&prometheus))?, Otelcol::start(|_| {})?);
    let backends = [
        Backend::Receiver(&receiver),
        Backend::Zipkin(&zipkin),
        Backend::Jaeger(&jaeger),
        Backend::Tempo(&tempo),
        Backend::Otelcol(&otelcol),
    ];
    let destinations = Destination::all(&backends);
    let mut stage = Stage::start(&destinations)?;
    for to in destinations {
        let t = std::time::Instant::now();
        stage.report_to(to).with_context(|| to.name())?;
        for request in &Request::ALL {
            let lines = stage.send(request)?;
            let id = &lines[0].trace_id;
            let n = lines.len() + 1;
            let mut last = Vec::new();
            let spans = poll::until_within(super::check::PATIENCE, "spans", || {
                last = to.backend.trace(id)?;
                Ok((last.len() >= n).then(|| last.clone()))
            })
            .with_context(|| format!("{} {} {last:#?}", to.name(), request.name))?;
            let want = tree::expected(&stage.bookinfo, request, &lines, &spans)?;
            if let Backend::Receiver(_) | Backend::Zipkin(_) = to.backend {
                println!(
                    "{} {}: {lines:#?} {want:#?} {spans:#?}",
                    to.name(),
                    request.name
                );
            }
            for want in want {
                let Some(got) = spans.iter().find(|s| s.span_id == want.span_id) else {
                    println!("MISSING {} {} {want:?}", to.name(), request.name);
                    continue;
                };
                let a = (&got.parent_id, got.kind, &got.service, got.status);
                let b = (&want.parent_id, want.kind, &want.service, want.status);
                if a != b {
                    println!("DIFF {} {}: {a:?} {b:?}", to.name(), request.name);
                }
                for (k, v) in &want.attributes {
                    if got.attributes.get(*k) != Some(v) {
                        println!(
                            "ATTR {} {} {:?} {}: {k} {v:?} {:?}",
                            to.name(),
                            request.name,
                            got.kind,
                            got.service,
                            got.attributes.get(*k)
                        );
                    }
                }
            }
        }
        println!("{} {:?}", to.name(), t.elapsed());
    }
    stage.check()
}
