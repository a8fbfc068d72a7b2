//! The attributes of a span, all of them and no other.

use super::exchange::{Exchange, Sent};
use super::hop::Hop;
use super::mesh::Mesh;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use throughline_dev::http::Request;
use throughline_dev::receiver::{Code, Kind, Span, Value};

/// The listeners of the gateway by what `spans.semconv` says there, and the names that it wants.
pub const SEMCONVS: [(&str, &[Names]); 3] = [
    ("gateway", &[Names::Always, Names::Stable, Names::Legacy]),
    ("stable", &[Names::Always, Names::Stable]),
    ("legacy", &[Names::Always, Names::Legacy]),
];

/// Which setting of `spans.semconv` has an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Always,
    Stable,
    Legacy,
}

/// Which names have it, on which spans it is, its key, its value.
pub type Row = (Names, &'static [Kind], &'static str, Value);

pub const BOTH: &[Kind] = &[Kind::Server, Kind::Client];
pub const SERVER: &[Kind] = &[Kind::Server];
pub const CLIENT: &[Kind] = &[Kind::Client];

pub fn http(mesh: &Mesh) -> Result<()> {
    for (listener, names) in SEMCONVS {
        let request = Request::get("/reviews/ok?token=x")
            .header("host", "reviews:9080")
            .header("user-agent", "curl/8.5.0");
        let exchange = mesh.left(mesh.send_to(Hop::Gateway, listener, request)?, 2)?;
        let mut rows = of_gateway(&exchange.sent);
        rows.extend(of_request(&exchange, mesh));
        rows.extend([
            (
                Names::Stable,
                BOTH,
                "http.response.status_code",
                Value::from(200),
            ),
            (Names::Legacy, BOTH, "http.status_code", Value::from(200)),
            (Names::Always, BOTH, "response_flags", Value::from("-")),
            (Names::Always, BOTH, "request_size", Value::from(0)),
            (Names::Always, BOTH, "response_size", Value::from(2)),
        ]);
        check(&exchange, &rows, names).with_context(|| listener.to_owned())?;
        for span in exchange.spans() {
            ensure!(span.status.code == Code::Unset, "{span}");
        }
    }
    Ok(())
}

pub fn error(mesh: &Mesh) -> Result<()> {
    for (listener, names) in SEMCONVS {
        let request = Request::post("/reviews/503", "12345")
            .header("host", "reviews:9080")
            .header("user-agent", "curl/8.5.0");
        let exchange = mesh.left(mesh.send_to(Hop::Gateway, listener, request)?, 2)?;
        let mut rows = of_gateway(&exchange.sent);
        rows.extend(of_request(&exchange, mesh));
        rows.extend([
            (
                Names::Stable,
                BOTH,
                "http.response.status_code",
                Value::from(503),
            ),
            (Names::Legacy, BOTH, "http.status_code", Value::from(503)),
            (Names::Stable, BOTH, "error.type", Value::from("503")),
            (Names::Legacy, BOTH, "error", Value::from("true")),
            (Names::Always, BOTH, "response_flags", Value::from("-")),
            (
                Names::Always,
                BOTH,
                "response_code_details",
                Value::from("via_upstream"),
            ),
            (Names::Always, BOTH, "request_size", Value::from(5)),
            (Names::Always, BOTH, "response_size", Value::from(0)),
        ]);
        check(&exchange, &rows, names).with_context(|| listener.to_owned())?;
        for span in exchange.spans() {
            ensure!(span.status.code == Code::Error, "{span}");
        }
    }
    Ok(())
}

/// Istio's own tags, as the gateway's node has them.
pub fn of_gateway(sent: &Sent) -> Vec<Row> {
    const NODE: &str = "router~127.0.0.1~istio-ingressgateway-7d4f8c9b5-x2x7k.istio-system~istio-system.svc.cluster.local";
    [
        ("component", "proxy"),
        ("node_id", NODE),
        ("istio.canonical_service", "istio-ingressgateway"),
        ("istio.canonical_revision", "v1"),
        ("istio.mesh_id", "cluster.local"),
        ("istio.cluster_id", "Kubernetes"),
        ("istio.namespace", "istio-system"),
        ("guid:x-request-id", &sent.id),
    ]
    .map(|(key, value)| (Names::Always, BOTH, key, Value::from(value)))
    .into()
}

/// What a request to the reviews says, and where it came from and went to.
fn of_request(exchange: &Exchange, mesh: &Mesh) -> Vec<Row> {
    use Names::{Always, Legacy, Stable};
    let Sent { request, from, .. } = &exchange.sent;
    let text = |text: &str| Value::from(text);
    let port = |port: u16| Value::from(i64::from(port));
    let path = request.target.split('?').next().unwrap_or_default();
    let url = format!("http://reviews:9080{path}");
    let upstream = mesh.upstream.http1();
    vec![
        (Stable, BOTH, "http.request.method", text(&request.method)),
        (Stable, SERVER, "url.scheme", text("http")),
        (Stable, SERVER, "url.path", text(path)),
        (Stable, CLIENT, "url.full", text(&url)),
        (Stable, BOTH, "server.address", text("reviews")),
        (Stable, BOTH, "server.port", port(9080)),
        (Stable, BOTH, "user_agent.original", text("curl/8.5.0")),
        (Stable, SERVER, "network.protocol.version", text("1.1")),
        (Stable, SERVER, "client.address", text("127.0.0.1")),
        (Stable, SERVER, "client.port", port(from.port())),
        (Stable, CLIENT, "network.peer.address", text("127.0.0.1")),
        (Stable, CLIENT, "network.peer.port", port(upstream.port())),
        (Legacy, BOTH, "http.method", text(&request.method)),
        (Legacy, BOTH, "http.url", text(&url)),
        (Legacy, BOTH, "user_agent", text("curl/8.5.0")),
        (Legacy, SERVER, "http.protocol", text("HTTP/1.1")),
        (Legacy, BOTH, "peer.address", text("127.0.0.1")),
        (
            Legacy,
            CLIENT,
            "upstream_address",
            text(&upstream.to_string()),
        ),
        (Legacy, CLIENT, "peer.service", text("reviews.bookinfo")),
        (
            Always,
            BOTH,
            "upstream_cluster",
            text(super::routes::REVIEWS),
        ),
        (
            Always,
            BOTH,
            "upstream_cluster.name",
            text(super::routes::REVIEWS),
        ),
    ]
}

/// The spans have exactly those of `rows` that have one of `names`.
pub fn check(exchange: &Exchange, rows: &[Row], names: &[Names]) -> Result<()> {
    for span in exchange.spans() {
        let of_span = |(with, kinds, ..): &&Row| names.contains(with) && kinds.contains(&span.kind);
        let expected: BTreeMap<_, _> = rows
            .iter()
            .filter(of_span)
            .map(|(_, _, key, value)| ((*key).to_owned(), value.clone()))
            .collect();
        let differences = differences(span, &expected);
        ensure!(
            differences.is_empty(),
            "{} span:\n{}",
            span.kind,
            differences.join("\n")
        );
    }
    Ok(())
}

fn differences(span: &Span, expected: &BTreeMap<String, Value>) -> Vec<String> {
    let keys = || span.attributes.keys().chain(expected.keys());
    let different = |key: &&String| span.attributes.get(*key) != expected.get(*key);
    let mut differences: Vec<_> = keys()
        .filter(different)
        .map(|key| {
            let (got, wanted) = (span.attributes.get(key), expected.get(key));
            format!("  {key}: {got:?}, not {wanted:?}")
        })
        .collect();
    differences.dedup();
    differences
}
