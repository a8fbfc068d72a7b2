use super::check::{self, ALL, BY_GRPC, BY_HTTP, PATIENCE, UNKNOWN};
use super::trace;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use throughline_dev::backends::{Prometheus, Tempo};
use throughline_dev::poll;

#[test]
fn gives_back_what_it_got() -> Result<()> {
    let prometheus = Prometheus::start()?;
    let tempo = Tempo::start(Some(&prometheus))?;
    check::takes_all(tempo.otlp_http(), tempo.otlp_grpc(), tempo.zipkin(), |id| {
        tempo.trace(id)
    })?;
    for id in ALL {
        check::arrives(&tempo.trace(id)?, || tempo.trace_v1(id))?;
    }
    assert!(tempo.trace_v1(UNKNOWN)?.is_empty());

    let paths = tempo.endpoint().text("/status/config")?;
    assert!(
        !paths.contains("/var/"),
        "it keeps files outside its directory:\n{paths}"
    );

    let service = r#"{ resource.service.name = "reviews.bookinfo" }"#;
    for query in [
        service,
        "{ status = error }",
        "{ kind = client && duration > 190ms }",
    ] {
        finds(query, &ALL, || tempo.search(query))?;
    }
    finds("the older search by tags", &ALL, || {
        tempo.search_by_tags("service.name=reviews.bookinfo")
    })?;
    // Zipkin's tags are text, and TraceQL compares no text with a number.
    finds("a number", &[BY_HTTP, BY_GRPC], || {
        tempo.search("{ span.http.status_code = 500 }")
    })?;
    assert!(tempo.search("{ span.http.status_code = 404 }")?.is_empty());
    assert!(tempo.search("{ duration > 251ms }")?.is_empty());
    let refused = tempo
        .search("{ .status = }")
        .err()
        .context("Tempo took a broken query")?;
    assert!(refused.to_string().contains("parse error"), "{refused}");

    let tags = tempo.tags()?;
    assert!(
        ["service.name", "http.status_code"]
            .iter()
            .all(|tag| tags.contains(*tag)),
        "{tags:?}"
    );
    check::becomes(&trace::edges(3), || prometheus.service_graph())
}

/// Polls until `search` finds these traces, and never any other.
fn finds(what: &str, ids: &[&str], search: impl Fn() -> Result<BTreeSet<String>>) -> Result<()> {
    let expected: BTreeSet<_> = ids.iter().map(|id| (*id).to_owned()).collect();
    poll::until_within(PATIENCE, &format!("{what} to find its traces"), || {
        let found = search()?;
        ensure!(found.is_subset(&expected), "{what} found {found:?}");
        Ok((found == expected).then_some(()))
    })
}
