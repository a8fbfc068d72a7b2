use super::check::{self, ALL, BY_GRPC, BY_HTTP, UNKNOWN};
use super::trace;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use throughline_dev::backends::{Prometheus, Tempo};

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
        check::finds(query, &ALL, || tempo.search(query))?;
    }
    check::finds("the older search by tags", &ALL, || {
        tempo.search_by_tags("service.name=reviews.bookinfo")
    })?;
    // Zipkin's tags are text, and TraceQL compares no text with a number.
    check::finds("a number", &[BY_HTTP, BY_GRPC], || {
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

#[test]
fn takes_the_configuration_for_a_test_cluster() -> Result<()> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/observability/tempo/tempo.yaml");
    Tempo::check_config(&file)?;
    let broken = tempfile::NamedTempFile::new()?;
    fs::write(
        &broken,
        fs::read_to_string(&file)?.replace("distributor:", "distributer:"),
    )?;
    let complaint = Tempo::check_config(broken.path()).unwrap_err().to_string();
    assert!(complaint.contains("distributer"), "{complaint}");
    Ok(())
}
