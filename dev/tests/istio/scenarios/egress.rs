//! `options/egress`, with names of ours: a call to a host outside is a span, and the host sees none of our headers; who has a
//! certificate for another name gets no call; what the application itself encrypts is neither.

use crate::stage::Stage;
use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use std::fs;
use std::net::SocketAddr;
use throughline_dev::app::App;
use throughline_dev::http::{Request, Response, TRACE_HEADERS, client};
use throughline_dev::istio::{NODE, OUTSIDE};
use throughline_dev::poll;
use throughline_dev::receiver::{Kind, Span, Value};
use throughline_dev::tls::Terminator;

const ENTRY: &str = "serviceentry throughline-egress-api-example-com --namespace istio-system";

pub fn play(stage: &Stage) -> Result<()> {
    let server = App::start_on((NODE, 0).into())?;
    let port = SocketAddr::from((NODE, 443));
    let outside = Terminator::start(port, OUTSIDE, server.address())?;
    let impostor = Terminator::start((NODE, 0).into(), "elsewhere.test", server.address())?;
    stage.install()?;
    originate(stage, &[&outside, &impostor])?;

    // As the application calls it: by the name, at the port of http://.
    let productpage = &stage.bookinfo.productpage.pod;
    let call = |path: &str| -> Result<Response> {
        let request = Request::get(path)
            .header("host", OUTSIDE)
            .header(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            )
            .header("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c")
            .header("x-b3-spanid", "b7ad6b7169203331")
            .header("x-b3-sampled", "1");
        productpage.inside(|| client::send((NODE, 80).into(), &request))
    };
    let answered = poll::until("the call to pass", || {
        Ok(call("/waiting")
            .is_ok_and(|answer| answer.status == 200)
            .then_some(()))
    });
    answered.with_context(|| format!("{:?}", call("/waiting")))?;
    server.take_seen();
    ensure!(call("/outside")?.status == 200);
    let span = poll::until("its span", || {
        Ok(of_path(stage, "/outside").into_iter().next())
    })?;
    ensure!(span.kind == Kind::Client, "{span:#?}");
    ensure!(
        span.attributes.get("server.address") == Some(&Value::from(OUTSIDE)),
        "{span:#?}"
    );
    ensure!(
        span.parent_id.as_deref() == Some("b7ad6b7169203331"),
        "{span:#?}"
    );
    let seen = server.take_seen();
    ensure!(seen.len() == 1, "{seen:?}");
    for header in TRACE_HEADERS {
        ensure!(!seen[0].headers.contains(header), "{header}: {seen:?}");
    }

    // A certificate for another name, signed by an authority that is trusted all the same.
    direct(stage, impostor.address().port())?;
    poll::until("the impostor to be refused", || {
        Ok((call("/moving")?.status == 503).then_some(()))
    })?;
    server.take_seen();
    ensure!(call("/impostor")?.status == 503);
    ensure!(server.take_seen().is_empty());
    poll::until("the reason in the log", || {
        let refused = |entry: &Json| {
            let why = entry["upstream_transport_failure_reason"].as_str();
            entry["path"] == "/impostor"
                && why.is_some_and(|why| why.contains("CERTIFICATE_VERIFY_FAILED"))
        };
        Ok(productpage.access_log().iter().any(refused).then_some(()))
    })?;
    direct(stage, port.port())?;

    // What it encrypts itself passes, and nothing reads it.
    declare_https(stage)?;
    let cluster = format!("outbound|443||{OUTSIDE}");
    poll::until("its connection to pass", || {
        let answer = productpage.inside(|| outside.get(port, OUTSIDE, "/encrypted"))?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let passed = |entry: &Json| entry["upstream_cluster"].as_str() == Some(&cluster);
        Ok(productpage.access_log().iter().any(passed).then_some(()))
    })?;
    let seen = server.take_seen();
    ensure!(
        !seen.is_empty()
            && seen
                .iter()
                .all(|request| TRACE_HEADERS.iter().all(|h| !request.headers.contains(h))),
        "{seen:?}"
    );
    // Later than any span of it would have come.
    stage.traced()?;
    let spans = of_path(stage, "/encrypted");
    ensure!(spans.is_empty(), "{spans:#?}");
    stage.keep("https-passthrough")
}

/// The option as users take it: with their host, and the authorities that they trust.
fn originate(stage: &Stage, trusted: &[&Terminator]) -> Result<()> {
    let authorities = stage.cluster.directory().join("outside.pem");
    let pems: String = trusted.iter().map(|server| server.authority()).collect();
    fs::write(&authorities, pems)?;
    let file = stage.manifests.path("options/egress/egress.yaml");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let tls = "tls: {mode: SIMPLE, ";
    ensure!(text.contains(tls), "{}: no {tls}", file.display());
    let trusting = format!("{tls}caCertificates: {}, ", authorities.display());
    let text = text
        .replace("api.example.com", OUTSIDE)
        .replace(tls, &trusting);
    stage.cluster.kubectl().apply(&text)?;
    Ok(())
}

/// Where calls to the host's port of http:// go.
fn direct(stage: &Stage, port: u16) -> Result<()> {
    stage.cluster.kubectl().patch(
        ENTRY,
        &json!({"spec": {"ports": [
            {"number": 80, "name": "http", "protocol": "HTTP", "targetPort": port},
        ]}}),
    )
}

fn declare_https(stage: &Stage) -> Result<()> {
    stage.cluster.kubectl().apply_json(&json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "https", "namespace": "bookinfo"},
        "spec": {
            "hosts": [OUTSIDE],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
            "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
        },
    }))?;
    Ok(())
}

fn of_path(stage: &Stage, path: &str) -> Vec<Span> {
    let mut spans = stage.receiver.spans();
    spans.retain(|span| {
        span.attributes
            .get("url.full")
            .is_some_and(|url| url.to_string().ends_with(path))
    });
    spans
}
