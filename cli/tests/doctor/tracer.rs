//! Envoy's own tracer beside the filter: the change that is printed, made on a real Envoy, ends the finding.

use crate::program::doctor;
use crate::stage::{COLLECTOR, Stage, to};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::Path;
use throughline_dev::envoy::{Release, chosen_binary};
use throughline_dev::mesh::{Cluster, Listener, Node, Proxy, Route, Tracing};

const EXPORT: &str = "remove export from the filter's configuration";

/// What is to be changed, if it is found beside a filter of that configuration, on a listener to which that was added.
fn found(binary: &Path, stage: &Stage, config: &Value, added: &Value) -> Result<Option<String>> {
    let listener = Listener::plain("inbound")
        .route(Route::any("app"))
        .plugin(&stage.configured(config))
        .tracing(Tracing::zipkin(COLLECTOR, 1.0))
        .merge(added);
    let envoy = Proxy::new(Node::plain("edge"))
        .listener(listener)
        .cluster(Cluster::new("app", stage.app.address()))
        .cluster(Cluster::new(COLLECTOR, stage.receiver.http()))
        .start(binary)?;
    let run = doctor(&["--json", &format!("http://{}", envoy.admin())])?;
    let mut findings = run.report()?.findings.into_iter();
    let finding = findings.find(|finding| finding.code == "native-tracer");
    Ok(finding.map(|finding| finding.fix))
}

/// The field that it says to add.
fn field(fix: &str) -> Result<Value> {
    let (_, yaml) = fix
        .split_once("add this field to the HTTP connection manager:\n")
        .with_context(|| format!("no field: {fix}"))?;
    Ok(serde_yaml_ng::from_str(yaml)?)
}

#[test]
fn the_printed_change_ends_the_finding() -> Result<()> {
    let binary = chosen_binary(Release::NEWEST)?;
    let stage = Stage::new()?;
    let found = |config: &Value, added: &Value| found(&binary, &stage, config, added);
    let silent = json!({"sampling": {"arg": 0.5}});
    let exporting = json!({"sampling": {"arg": 0.5}, "export": to(COLLECTOR)});

    let both = found(&exporting, &json!({}))?.context("nothing is found")?;
    ensure!(both.contains(EXPORT), "{both}");
    let field = field(&both)?;
    ensure!(found(&silent, &field)?.is_none(), "both were changed");

    // Half of it leaves the other half.
    let half = found(&exporting, &field)?.context("two report, and nothing is found")?;
    ensure!(
        half.contains(EXPORT) && !half.contains("no_context_propagation"),
        "{half}"
    );
    let half = found(&silent, &json!({}))?.context("two write, and nothing is found")?;
    ensure!(
        !half.contains(EXPORT) && self::field(&half)? == field,
        "{half}"
    );
    Ok(())
}
