//! One request through a gateway and a sidecar to a FastAPI service with OpenTelemetry's SDK, which calls on: gateway,
//! sidecar and application make one tree, whichever way each of them reports.

use crate::application::{Built, Running};
use crate::context::agreed;
use crate::stage::{SIDECAR, at_most_one, environment, tap};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::net::SocketAddr;
use throughline_dev::app::{App, Call};
use throughline_dev::backends::{Endpoint, Jaeger, Span};
use throughline_dev::built;
use throughline_dev::envoy::{Envoy, Release};
use throughline_dev::http::{Request, client};
use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route};
use throughline_dev::poll;
use throughline_dev::receiver::Receiver;

/// The application that is in the tree.
pub const APPLICATION: &str = "python-opentelemetry";

const TREE: &str = "\
gateway SERVER
  gateway CLIENT
    sidecar SERVER
      application SERVER
        application CLIENT
          sidecar CLIENT
        application INTERNAL
        application INTERNAL
";

const BAGGAGE: &str = "tenant=acme";

/// The spans of a trace id, as far as they are there.
type Trace<'a> = Box<dyn Fn(&str) -> Result<Vec<Span>> + 'a>;

/// Where spans go: what proxies report by, what the application reports by, and what gives them back.
struct Destination<'a> {
    name: &'static str,
    protocol: &'static str,
    collector: Cluster,
    environment: Vec<(String, String)>,
    trace: Trace<'a>,
}

/// Plays every destination.
pub fn play(built: &Built) -> Result<()> {
    let receiver = Receiver::start()?;
    let jaeger = Jaeger::start()?;
    for destination in [
        of_receiver(&receiver),
        of_jaeger(&jaeger, "otlp-grpc", jaeger.otlp_grpc()),
        of_jaeger(&jaeger, "zipkin", jaeger.zipkin()),
    ] {
        arrives_as_one_tree(built, &destination).context(destination.name)?;
        println!("one tree: {}", destination.name);
    }
    Ok(())
}

fn of_receiver(receiver: &Receiver) -> Destination<'_> {
    Destination {
        name: "all by OTLP over HTTP",
        protocol: "otlp-http",
        collector: Cluster::new("collector", receiver.http()),
        environment: exporting_by(
            "http/protobuf",
            &format!("http://{}/v1/traces", receiver.http()),
        ),
        trace: Box::new(|trace_id| {
            let spans = receiver.spans();
            let of_trace = spans.iter().filter(|span| span.trace_id == trace_id);
            Ok(of_trace.map(Span::from).collect())
        }),
    }
}

/// As in a cluster: the application by OTLP to port 4317, the proxies to that or to 9411.
fn of_jaeger<'a>(jaeger: &'a Jaeger, protocol: &'static str, to: Endpoint) -> Destination<'a> {
    let (name, collector) = match protocol {
        "zipkin" => (
            "proxies by Zipkin, the application by OTLP, to Jaeger",
            Cluster::new("collector", to.0),
        ),
        _ => (
            "all by OTLP over gRPC, to Jaeger",
            Cluster::new("collector", to.0).http2(),
        ),
    };
    Destination {
        name,
        protocol,
        collector,
        environment: exporting_by("grpc", &format!("http://{}", jaeger.otlp_grpc().0)),
        trace: Box::new(|trace_id| jaeger.trace(trace_id)),
    }
}

fn exporting_by(protocol: &str, endpoint: &str) -> Vec<(String, String)> {
    [
        ("OTEL_PROPAGATORS", "b3,tracecontext,baggage"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn arrives_as_one_tree(built: &Built, destination: &Destination<'_>) -> Result<()> {
    let (callee, after) = (App::start()?, tap()?);
    let mut environment = environment(after.address());
    environment.extend(destination.environment.iter().cloned());
    let application = Running::start(built, &environment)?;
    let plugin = |service: &str| -> Result<Plugin> {
        let batch = json!({"scheduleDelay": "50ms"});
        let export =
            json!({"protocol": destination.protocol, "cluster": "collector", "batch": batch});
        let config = json!({"export": export, "service": {"name": service}});
        Ok(Plugin::new(&built::module()?, &config))
    };
    let node = Node::sidecar("application", "application-v1", "interop");
    let sidecar = Proxy::sidecar(
        node,
        application.address(),
        callee.address(),
        Some(&plugin(SIDECAR)?),
    )
    .cluster(destination.collector.clone())
    .start(&Release::NEWEST.binary()?)?;
    after.calls(vec![Call::new(
        sidecar.listener("outbound")?,
        "callee.example.com",
        "/",
    )]);
    let gateway = gateway(
        sidecar.listener("inbound")?,
        &plugin("gateway")?,
        destination,
    )?;

    let request = Request::get("/")
        .header("host", "application.example.com")
        .header("baggage", BAGGAGE);
    let answer = client::send(gateway.listener("outbound")?, &request)?;
    ensure!(answer.status == 200, "{answer:?}\n{}", application.log());
    let arrived = at_most_one(&callee)?.context("the call did not arrive")?;
    ensure!(
        arrived.get("baggage") == Some(BAGGAGE.as_bytes()),
        "the baggage in\n{arrived:?}"
    );
    let trace_id = agreed(&arrived, &["tracecontext", "b3multi", "b3"])?.trace_id;
    let mut seen = String::new();
    let found = poll::until("the tree", || {
        seen = draw(&(destination.trace)(&trace_id)?);
        Ok((seen == TREE).then_some(()))
    });
    match found {
        Ok(()) => Ok(()),
        Err(error) => bail!("{error}; it is\n{seen}and not\n{TREE}{}", application.log()),
    }
}

fn gateway(to: SocketAddr, plugin: &Plugin, destination: &Destination<'_>) -> Result<Envoy> {
    let node = Node::gateway("istio-ingressgateway", "istio-system");
    Proxy::new(node)
        .listener(
            Listener::outbound("outbound")
                .route(Route::any("application"))
                .plugin(plugin),
        )
        .cluster(Cluster::new("application", to))
        .cluster(destination.collector.clone())
        .start(&Release::NEWEST.binary()?)
}

/// A line for each span under its parent, in the order of their start; what hangs under none of them says so.
fn draw(spans: &[Span]) -> String {
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| span.start_ns);
    let mut drawing = String::new();
    for root in spans.iter().filter(|span| span.parent_id.is_none()) {
        draw_under(root, &spans, 0, &mut drawing);
    }
    let drawn = drawing.lines().count();
    if drawn != spans.len() {
        drawing += &format!("{drawn} of {} spans: {spans:#?}\n", spans.len());
    }
    drawing
}

fn draw_under(span: &Span, spans: &[Span], depth: usize, drawing: &mut String) {
    *drawing += &format!("{}{} {}\n", "  ".repeat(depth), span.service, span.kind);
    let is_child = |child: &&Span| child.parent_id.as_ref() == Some(&span.span_id);
    for child in spans.iter().filter(is_child) {
        draw_under(child, spans, depth + 1, drawing);
    }
}
