//! gRPC: its attributes and its statuses, wherever they stand in the answer.

use super::attributes::{BOTH, CLIENT, Names, Row, SEMCONVS, SERVER, check, of_gateway};
use super::exchange::{Exchange, Sent};
use super::hop::Hop;
use super::mesh::Mesh;
use anyhow::{Context, Result, ensure};
use throughline_dev::http2;
use throughline_dev::receiver::{Code, Value};

pub fn attributes(mesh: &Mesh) -> Result<()> {
    use Names::{Always, Legacy, Stable};
    let upstream = mesh.upstream.http2();
    let text = |text: &str| Value::from(text);
    let url = "http://reviews:9080/bookinfo.Reviews/Get";
    for (listener, names) in SEMCONVS {
        let exchange = call(mesh, listener, "Get")?;
        let mut rows: Vec<Row> = of_gateway(&exchange.sent);
        // The one name that means two things: the stable one counts where both are wanted.
        let method = if names.contains(&Stable) {
            "bookinfo.Reviews/Get"
        } else {
            "Get"
        };
        rows.extend([
            (Stable, BOTH, "rpc.system.name", text("grpc")),
            (Always, BOTH, "rpc.method", text(method)),
            (Stable, BOTH, "rpc.response.status_code", text("OK")),
            (Legacy, BOTH, "rpc.system", text("grpc")),
            (Legacy, BOTH, "rpc.service", text("bookinfo.Reviews")),
            (Legacy, BOTH, "rpc.grpc.status_code", Value::from(0)),
            (Legacy, BOTH, "grpc.status_code", text("0")),
            (Stable, BOTH, "http.request.method", text("POST")),
            (Stable, BOTH, "http.response.status_code", Value::from(200)),
            (Stable, SERVER, "url.scheme", text("http")),
            (Stable, SERVER, "url.path", text("/bookinfo.Reviews/Get")),
            (Stable, CLIENT, "url.full", text(url)),
            (Stable, BOTH, "server.address", text("reviews")),
            (Stable, BOTH, "server.port", Value::from(9080)),
            (Stable, SERVER, "network.protocol.version", text("2")),
            (Stable, SERVER, "client.address", text("127.0.0.1")),
            (
                Stable,
                SERVER,
                "client.port",
                Value::from(i64::from(exchange.sent.from.port())),
            ),
            (Stable, CLIENT, "network.peer.address", text("127.0.0.1")),
            (
                Stable,
                CLIENT,
                "network.peer.port",
                Value::from(i64::from(upstream.port())),
            ),
            (Legacy, BOTH, "http.method", text("POST")),
            (Legacy, BOTH, "http.url", text(url)),
            (Legacy, BOTH, "http.status_code", Value::from(200)),
            (Legacy, SERVER, "http.protocol", text("HTTP/2")),
            (Legacy, BOTH, "peer.address", text("127.0.0.1")),
            (
                Legacy,
                CLIENT,
                "upstream_address",
                text(&upstream.to_string()),
            ),
            (Always, BOTH, "upstream_cluster", text("http2")),
            (Always, BOTH, "upstream_cluster.name", text("http2")),
            (Always, BOTH, "response_flags", text("-")),
            // Five bytes of frame before each message.
            (Always, BOTH, "request_size", Value::from(9)),
            (Always, BOTH, "response_size", Value::from(11)),
        ]);
        check(&exchange, &rows, names).with_context(|| listener.to_owned())?;
        for span in exchange.spans() {
            ensure!(span.name == "bookinfo.Reviews/Get", "{span}");
        }
    }
    Ok(())
}

/// What the upstream answers, the status by both its names, and whether it is an error of a server, of a client.
const STATUSES: [(&str, &str, &str, [Option<&str>; 2]); 6] = [
    ("Get", "0", "OK", [None, None]),
    ("TrailersOnly", "5", "NOT_FOUND", [None, Some("NOT_FOUND")]),
    (
        "Unavailable",
        "14",
        "UNAVAILABLE",
        [Some("UNAVAILABLE"), Some("UNAVAILABLE")],
    ),
    // What came is no answer of gRPC's.
    (
        "Missing",
        "2",
        "UNKNOWN",
        [Some("UNKNOWN"), Some("UNKNOWN")],
    ),
    (
        "Reset",
        "14",
        "UNAVAILABLE",
        [Some("UNAVAILABLE"), Some("UNAVAILABLE")],
    ),
    // Clients take a status that gRPC does not define for UNKNOWN (gRPC, doc/statuscodes.md).
    (
        "Undefined",
        "2",
        "UNKNOWN",
        [Some("UNKNOWN"), Some("UNKNOWN")],
    ),
];

pub fn statuses(mesh: &Mesh) -> Result<()> {
    for (method, number, name, errors) in STATUSES {
        let exchange = call(mesh, "gateway", method)?;
        for (span, error) in exchange.spans().zip(errors) {
            let code = if error.is_some() {
                Code::Error
            } else {
                Code::Unset
            };
            ensure!(
                span.attribute("rpc.grpc.status_code") == number
                    && span.attribute("grpc.status_code") == number
                    && span.attribute("rpc.response.status_code") == name
                    && span.attribute("error.type") == error.unwrap_or_default()
                    && span.status.code == code,
                "{method}: {span}"
            );
        }
    }
    Ok(())
}

fn call(mesh: &Mesh, listener: &str, method: &str) -> Result<Exchange> {
    let path = format!("/bookinfo.Reviews/{method}");
    let call = http2::grpc_call(&path, b"call").header("host", "reviews:9080");
    let (request, id) = mesh.tagged(call);
    let address = mesh.envoy(Hop::Gateway).listener(listener)?;
    let (answer, from) = http2::send_from(address, &request)?;
    let sent = Sent {
        hop: Hop::Gateway,
        listener: listener.to_owned(),
        id,
        request,
        from,
        answer: Some(answer),
    };
    mesh.left(sent, 2)
}
