//! Bookinfo's traces in every real backend, by every protocol that it takes, from a mesh that has no tracing of its own.

mod api_gateway;
mod destination;
mod graph;
mod played;
mod queries;
mod request;
mod search;
mod stage;
mod tree;
mod wire;

use super::check;
use anyhow::{Context, Result, ensure};
use destination::{Backend, Destination};
use played::Played;
use request::{ORDINARY, Request};
use search::Traces;
use stage::Stage;
use throughline_dev::backends::{Jaeger, Otelcol, Prometheus, Tempo, Zipkin};
use throughline_dev::receiver::{Protocol, Receiver};

/// One test for all of it: a mesh of five Envoys and five servers are enough for two cores.
#[test]
fn bookinfo_is_the_same_everywhere() -> Result<()> {
    let (receiver, prometheus) = (Receiver::start()?, Prometheus::start()?);
    let (zipkin, jaeger) = (Zipkin::start()?, Jaeger::start()?);
    let (tempo, otelcol) = (Tempo::start(Some(&prometheus))?, Otelcol::start(|_| {})?);
    // The receiver is first: what it got is the reference for the others.
    let backends = [
        Backend::Receiver(&receiver),
        Backend::Zipkin(&zipkin),
        Backend::Jaeger(&jaeger),
        Backend::Tempo(&tempo),
        Backend::Otelcol(&otelcol),
    ];
    let destinations = Destination::all(&backends);
    let mut stage = Stage::start(&destinations)?;
    let mut played: Vec<Played<'_>> = Vec::new();
    for to in &destinations {
        for request in &Request::ALL {
            let about = || format!("the {} request, reported to {}", request.name, to.name());
            if request.name == ORDINARY.name {
                stage.report_to(*to).with_context(about)?;
            }
            let one = Played::new(&mut stage, *to, request).with_context(about)?;
            let reference = played.iter().find(|other| other.is_like(&one));
            one.check_attributes(reference.unwrap_or(&one))
                .with_context(about)?;
            played.push(one);
        }
    }
    stage.check()?;
    ensure!(receiver.invalid().is_empty(), "{:?}", receiver.invalid());

    let edges = |backend: Backend<'_>| graph::edges(&stage.bookinfo, backend.protocols().len());
    let [_, of_zipkin, of_jaeger, of_tempo, of_otelcol] = backends.map(edges);
    check::becomes(&of_zipkin, || zipkin.dependencies()).context("Zipkin")?;
    check::becomes(&of_jaeger, || jaeger.dependencies()).context("Jaeger")?;
    check::becomes(&of_otelcol, || otelcol.dependencies()).context("the Collector")?;
    check::becomes(&of_tempo, || prometheus.service_graph()).context("Tempo")?;

    search::in_zipkin(&zipkin, &Traces::of("zipkin", &played))?;
    search::in_jaeger(&jaeger, &Traces::of("jaeger", &played))?;
    let in_tempo = Traces::of("tempo", &played);
    search::in_tempo(&tempo, &in_tempo)?;
    let grpc = Destination {
        backend: Backend::Tempo(&tempo),
        protocol: Protocol::OtlpGrpc,
    };
    let slow = api_gateway::slow_post(stage.module(), grpc)?;
    queries::check(&tempo, &in_tempo, &slow)
}
