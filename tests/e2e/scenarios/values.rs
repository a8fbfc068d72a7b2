//! What tags may be: of a rule, hidden, hostile; the same in every sink.

use super::TRACEPARENT;
use super::everywhere::Everywhere;
use super::tags;
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::path::Path;
use throughline_dev::envoy::Release;
use throughline_dev::http::{Headers, Request};

/// Every source, with and without its default, to every sink at once.
pub fn all_sources(release: Release, module: &Path) -> Result<()> {
    let tags = tags::tags("defaultValue");
    let custom: Map<String, Value> = tags
        .iter()
        .map(|(name, source, _)| ((*name).to_owned(), source.clone()))
        .collect();
    let names: Vec<&str> = tags.iter().map(|(name, ..)| *name).collect();
    let stage = Everywhere::start(release, module, &json!({"customTags": custom}), &names)?;
    let forged = names.iter().fold(Headers::new(), |headers, name| {
        let header = format!("x-tag-{}", name.replace('.', "-"));
        headers.with(header, "forged")
    });
    let members: Vec<String> = names.iter().map(|name| format!("{name}=forged")).collect();
    let request = Request::get("/tagged?a=b").header("x-tenant", "acme");
    for request in [
        request.clone(),
        request.headers(&forged.with("baggage", members.join(","))),
    ] {
        let told = stage.send(&request)?;
        for (name, _, expected) in &tags {
            told.check(name, *expected)?;
        }
    }
    stage.check_health()
}

/// What it is, the values of the header, and what every sink makes of them.
type Hostile<'a> = (&'static str, Vec<&'a [u8]>, Option<&'a str>);

/// A header's value, whatever it is.
pub fn hostile(release: Release, module: &Path) -> Result<()> {
    let long = "é".repeat(4096);
    let rows: Vec<Hostile<'_>> = vec![
        ("absent", vec![], None),
        ("empty, which is none", vec![b""], None),
        (
            "8 KiB of two bytes each",
            vec![long.as_bytes()],
            Some(&long[..256]),
        ),
        (
            "not UTF-8",
            vec![b"a\xff\xfe\xc3"],
            Some("a\u{fffd}\u{fffd}\u{fffd}"),
        ),
        ("a tab, which is a control character", vec![b"a\tb"], None),
        (
            "a control character of Latin-1",
            vec!["a\u{85}b".as_bytes()],
            None,
        ),
        (
            "repeated: the first",
            vec![b"first", b"second"],
            Some("first"),
        ),
        (
            "what parts lists",
            vec![br#"a,b;c=d"e\f%20 g"#],
            Some(r#"a,b;c=d"e\f%20 g"#),
        ),
        (
            "a format string",
            vec![b"%REQ(:path)%${jndi:x}{tag}"],
            Some("%REQ(:path)%${jndi:x}{tag}"),
        ),
        ("JSON", vec![br#"{"a":"b"}"#], Some(r#"{"a":"b"}"#)),
        (
            "all of one byte more than fits",
            vec![&[b'x'; 257]],
            Some("XXX"),
        ),
    ];
    let filled = "x".repeat(256);
    let config = json!({"customTags": {
        "tenant": {"header": {"name": "x-tenant"}},
        "or": {"header": {"name": "x-tenant", "defaultValue": "none"}},
    }});
    let stage = Everywhere::start(release, module, &config, &["tenant", "or"])?;
    for (what, values, expected) in rows {
        let expected = expected.map(|text| if text == "XXX" { &filled } else { text });
        let request = values.iter().fold(Request::get("/"), |request, value| {
            request.header("x-tenant", value)
        });
        let told = stage.send(&request)?;
        told.check("tenant", expected)
            .and_then(|()| told.check("or", expected.or(Some("none"))))
            .context(what)?;
    }
    stage.check_health()
}

/// A rule's tags, where it decides; where the decision came in, they are as they came.
pub fn of_rules(release: Release, module: &Path) -> Result<()> {
    let config = json!({
        "customTags": {"team": {"literal": {"value": "nobody"}}},
        "sampling": {"sampler": "parentbased_always_on", "rules": [
            {"match": {"paths": ["/checkout/*"]}, "ratio": 1, "tags": {"journey": "checkout, é", "team": "shop"}},
            {"match": {"paths": ["/plain"]}, "ratio": 1},
        ]},
    });
    let stage = Everywhere::start(release, module, &config, &["journey", "team"])?;
    let forged = Headers::new()
        .with("x-tag-journey", "forged")
        .with("baggage", "journey=forged,user=7");
    for (path, journey, team, list) in [
        ("/checkout/1?a=b", Some("checkout, é"), "shop", "ot=th:0"),
        ("/plain", None, "nobody", "ot=th:0"),
        ("/", None, "nobody", ""),
    ] {
        let told = stage.send(&Request::get(path).headers(&forged))?;
        told.check("journey", journey).context(path)?;
        told.check("team", Some(team)).context(path)?;
        // What is known of the probability leaves, and is on the span.
        let leaves = told.headers.get("tracestate").unwrap_or_default();
        ensure!(
            leaves == list.as_bytes() && told.span.trace_state == list,
            "{path}: {:?}\n{}",
            told.headers,
            told.span
        );
    }
    // The next hop's sidecar has the same configuration, and must not undo what the first one has said.
    let request = Request::get("/checkout/1")
        .header("traceparent", TRACEPARENT)
        .header("x-tag-journey", "checkout")
        .header("baggage", "journey=checkout");
    let told = stage.send(&request)?;
    ensure!(
        told.headers.get("x-tag-journey") == Some(b"checkout")
            && told.headers.get("baggage") == Some(b"journey=checkout,team=nobody")
            && told.entry["journey"].is_null()
            && !told.span.attributes.contains_key("journey"),
        "{:?}\n{}\n{}",
        told.headers,
        told.entry,
        told.span
    );
    told.check("team", Some("nobody"))?;
    stage.check_health()
}

/// What is hidden is hidden in every sink, and in what spans have of their own.
pub fn redacted(release: Release, module: &Path) -> Result<()> {
    let config = json!({
        "customTags": {
            "api.token": {"header": {"name": "x-token"}},
            "user": {"header": {"name": "x-user"}},
            "plain": {"header": {"name": "x-plain"}},
            "fixed": {"literal": {"value": "sesame@home"}},
        },
        "sampling": {"rules": [
            {"match": {"paths": ["*"]}, "ratio": 1, "tags": {"of.rule": "sesame@work", "token.of.rule": "sesame"}},
        ]},
        "redaction": {"blockedKeyPatterns": ["*token*", "peer.address", "server.port"], "blockedValues": ["*@*", "*/card/*"]},
    });
    let tags = [
        "api.token",
        "user",
        "plain",
        "fixed",
        "of.rule",
        "token.of.rule",
    ];
    let stage = Everywhere::start(release, module, &config, &tags)?;
    let request = Request::get("/card/4111?a=b")
        .header("x-token", "sesame")
        .header("x-user", "sesame@example.com")
        .header("x-plain", "seen")
        .header("user-agent", "sesame@example.com");
    let told = stage.send(&request)?;
    for (tag, expected) in [
        ("api.token", "****"),
        ("user", "****"),
        ("plain", "seen"),
        ("fixed", "****"),
        ("of.rule", "****"),
        ("token.of.rule", "****"),
    ] {
        told.check(tag, Some(expected))?;
    }
    for (key, expected) in [
        ("url.path", "****"),
        ("http.url", "****"),
        ("user_agent.original", "****"),
        ("user_agent", "****"),
        ("peer.address", "****"),
        ("server.port", "****"),
        ("http.request.method", "GET"),
        ("component", "proxy"),
    ] {
        let got = told.span.attribute(key);
        ensure!(got == expected, "{key}: {got:?}\n{}", told.span);
    }
    let hidden = format!("{:?}", told.span);
    ensure!(
        !hidden.contains("sesame") && !hidden.contains("4111"),
        "{}",
        told.span
    );
    // The request itself goes on as it is.
    let token = told.headers.get("x-token");
    ensure!(token == Some(b"sesame"), "{token:?}");
    stage.check_health()
}

/// The part of `x-request-id` by which Envoy's tracers remember their decision is theirs: the filter changes nothing of it.
pub fn request_ids(release: Release, module: &Path) -> Result<()> {
    use crate::stage::check_health;
    use throughline_dev::app::App;
    use throughline_dev::http::client;
    use throughline_dev::mesh::{Cluster, Listener, Node, Plugin, Proxy, Route, Tracing};

    let app = App::start()?;
    let config = json!({"sampling": {"sampler": "always_on", "forceHeader": "x-force", "rules": [
        {"match": {"paths": ["/quiet"]}, "ratio": 0},
    ]}});
    let listener = |name: &str| {
        Listener::outbound(name)
            .tracing(Tracing::without_provider())
            .merge(&json!({"preserve_external_request_id": true}))
            .route(Route::any("app"))
    };
    let envoy = Proxy::new(Node::sidecar("reviews", "reviews-v1", "bookinfo"))
        .listener(listener("without"))
        .listener(listener("with").plugin(&Plugin::new(module, &config)))
        .cluster(Cluster::new("app", app.address()))
        .start(&release.binary()?)?;
    let mut kept = 0;
    // Envoy, uuid_request_id.cc: the 15th character is 4 for none, 9 sampled, a forced, b asked for by the client.
    for reason in ["4", "9", "a", "b"] {
        let id = format!("b4d2ab4c-7f30-{reason}c8e-9ad5-0f8b0f9b2d11");
        for id in [id.as_str(), "no-uuid"] {
            for (path, headers) in [
                ("/", Headers::new()),
                ("/quiet", Headers::new()),
                ("/", Headers::new().with("traceparent", TRACEPARENT)),
                (
                    "/quiet",
                    Headers::new()
                        .with("traceparent", TRACEPARENT.replace("-01", "-00"))
                        .with("x-force", "1"),
                ),
            ] {
                let request = Request::get(path)
                    .headers(&headers)
                    .header("x-request-id", id);
                let through = |name: &str| -> Result<String> {
                    client::send(envoy.listener(name)?, &request)?;
                    let seen = app.take_seen().pop().context("nothing arrived")?;
                    let traced = seen.headers.contains("x-b3-traceid");
                    ensure!(traced == (name == "with"), "{name}: {:?}", seen.headers);
                    let id = seen.headers.get("x-request-id").unwrap_or_default();
                    Ok(String::from_utf8_lossy(id).into_owned())
                };
                let (with, without) = (through("with")?, through("without")?);
                ensure!(
                    with == without,
                    "{id} became {with}, without the filter {without}"
                );
                kept += usize::from(with == id);
            }
        }
    }
    ensure!(kept > 0, "Envoy keeps none by itself, so nothing was tried");
    check_health(&envoy)
}
