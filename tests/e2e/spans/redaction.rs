//! Values from outside: nothing secret, nothing endless, nothing that is no text.

use super::hop::Hop;
use super::mesh::Mesh;
use anyhow::{Context, Result, ensure};
use throughline_dev::http::Request;
use throughline_dev::receiver::{Kind, Span};

/// What must be nowhere on a span.
const SECRET: &str = "sesame";

/// A listener, a request, and attributes as they must be: of the server span and of the client span.
struct Row {
    listener: &'static str,
    target: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    expected: Vec<(&'static str, String)>,
}

pub fn values(mesh: &Mesh) -> Result<()> {
    let host = || ("host", b"reviews:9080".to_vec());
    let row = |listener, target: &str, headers, expected: &[(&'static str, &str)]| Row {
        listener,
        target: target.to_owned(),
        headers,
        expected: expected
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()))
            .collect(),
    };
    let long = "x".repeat(300);
    let rows = [
        row(
            "gateway",
            &format!("/up/ok?token={SECRET}&b"),
            vec![host()],
            &[
                ("url.path", "/up/ok"),
                ("url.query", ""),
                ("url.full", "http://reviews:9080/up/ok"),
                ("http.url", "http://reviews:9080/up/ok"),
            ],
        ),
        row(
            "gateway",
            "/up/ok",
            vec![("host", format!("user:{SECRET}@reviews:9080").into_bytes())],
            &[
                ("server.address", "reviews"),
                ("server.port", "9080"),
                ("url.full", "http://reviews:9080/up/ok"),
            ],
        ),
        row(
            "gateway",
            &format!("http://user:{SECRET}@reviews:9080/up/ok"),
            vec![host()],
            &[
                ("server.address", "reviews"),
                ("url.path", "/up/ok"),
                ("url.full", "http://reviews:9080/up/ok"),
            ],
        ),
        row(
            "gateway",
            "/up/ok",
            vec![
                host(),
                ("authorization", format!("Bearer {SECRET}").into_bytes()),
                ("cookie", format!("session={SECRET}").into_bytes()),
                ("referer", format!("http://reviews/?{SECRET}").into_bytes()),
            ],
            &[("server.address", "reviews")],
        ),
        // 256 bytes of a path.
        row(
            "gateway",
            &format!("/up/{long}"),
            vec![host()],
            &[
                ("url.path", &format!("/up/{}", &long[..252])),
                (
                    "http.url",
                    &format!("http://reviews:9080/up/{}", &long[..252]),
                ),
            ],
        ),
        row(
            "gateway",
            "/up/ok",
            vec![host(), ("user-agent", long.clone().into_bytes())],
            &[
                ("user_agent.original", &long[..256]),
                ("user_agent", &long[..256]),
            ],
        ),
        row(
            "gateway",
            "/up/ok",
            vec![host(), ("user-agent", b"a\xff\xc3\xa9b".to_vec())],
            &[("user_agent.original", "a\u{fffd}éb")],
        ),
        // Where the configuration wants the query, path and query together have 20 bytes there.
        row(
            "open",
            "/up/ok?a=1&b=2",
            vec![host()],
            &[
                ("url.path", "/up/ok"),
                ("url.query", "a=1&b=2"),
                ("url.full", "http://reviews:9080/up/ok?a=1&b=2"),
            ],
        ),
        row(
            "open",
            "/up/ok?abcdefghijklmnop",
            vec![host()],
            &[("url.path", "/up/ok"), ("url.query", "abcdefghijklm")],
        ),
        row(
            "open",
            "/up/ok/abcdefghijklmnop?x",
            vec![host()],
            &[("url.path", "/up/ok/abcdefghijklm"), ("url.query", "")],
        ),
        row("open", "/up/ok?", vec![host()], &[("url.query", "")]),
        row(
            "gateway",
            "/up/ok",
            vec![("host", b"[::1]:9080".to_vec())],
            &[("server.address", "::1"), ("server.port", "9080")],
        ),
        // Without a port it is the scheme's.
        row(
            "gateway",
            "/up/ok",
            vec![("host", b"reviews".to_vec())],
            &[("server.address", "reviews"), ("server.port", "80")],
        ),
    ];
    let mut sent = Vec::new();
    for row in &rows {
        let mut request = Request::get(&row.target);
        for (name, value) in &row.headers {
            request = request.header(name, value);
        }
        let one = mesh.send_to(Hop::Gateway, row.listener, request)?;
        ensure!(one.status() == 200, "{}: {:?}", row.target, one.answer);
        sent.push(one);
    }
    for (row, sent) in rows.iter().zip(sent) {
        for span in mesh.left(sent, 2)?.spans() {
            as_expected(span, row).with_context(|| row.target.clone())?;
        }
    }
    Ok(())
}

fn as_expected(span: &Span, row: &Row) -> Result<()> {
    for (key, value) in &row.expected {
        let of_client = *key == "url.full";
        let of_server = matches!(*key, "url.path" | "url.query");
        if of_client && span.kind == Kind::Server || of_server && span.kind == Kind::Client {
            ensure!(!span.attributes.contains_key(*key), "{key}: {span}");
        } else {
            let got = span.attribute(key);
            ensure!(got == *value, "{key}: {got:?}, not {value:?}");
            ensure!(
                !value.is_empty() || !span.attributes.contains_key(*key),
                "an empty {key}: {span}"
            );
        }
    }
    ensure!(!format!("{span:?}").contains(SECRET), "a secret: {span}");
    Ok(())
}

/// Methods that HTTP does not define name no span: whoever sends them could make up any number.
pub fn methods(mesh: &Mesh) -> Result<()> {
    for (method, name, stable, original) in [
        ("DELETE", "DELETE", "DELETE", ""),
        ("PROPFIND", "HTTP", "_OTHER", "PROPFIND"),
    ] {
        let exchange = mesh.left(mesh.send(Hop::Gateway, Request::new(method, "/up/ok"))?, 2)?;
        for span in exchange.spans() {
            ensure!(
                span.name == name
                    && span.attribute("http.request.method") == stable
                    && span.attribute("http.request.method_original") == original
                    && span.attribute("http.method") == method,
                "{method}: {span}"
            );
        }
    }
    Ok(())
}
