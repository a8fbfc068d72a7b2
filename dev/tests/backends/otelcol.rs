use super::{check, trace};
use anyhow::{Context, Result};
use serde_json::json;
use throughline_dev::backends::Otelcol;

#[test]
fn gives_back_what_it_got() -> Result<()> {
    let otelcol = Otelcol::start(|_| {})?;
    check::takes_all(
        otelcol.otlp_http(),
        otelcol.otlp_grpc(),
        otelcol.zipkin(),
        |id| otelcol.trace(id),
    )?;
    assert_eq!(otelcol.spans()?.len(), 9);
    check::becomes(&trace::edges(3), || otelcol.dependencies())
}

#[test]
fn says_why_it_does_not_start() -> Result<()> {
    let started = Otelcol::start(|config| config["exporters"]["file"]["colour"] = json!("blue"));
    let error = format!(
        "{:#}",
        started
            .err()
            .context("a broken configuration was accepted")?
    );
    assert!(
        error.contains("otelcol did not start") && error.contains("colour"),
        "{error}"
    );
    Ok(())
}
