//! Alerts, dashboard and scrape configuration of examples/observability, as Prometheus' own tool takes them.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use throughline_manifests::{promtool, text};

const DIRECTORY: &str = "examples/observability/prometheus";

#[test]
fn the_alerts_fire_when_they_should_and_only_then() -> Result<()> {
    let said = promtool(DIRECTORY, &["test", "rules", "alerts-test.yaml"])?;
    assert!(said.contains("SUCCESS"), "{said}");
    Ok(())
}

#[test]
fn every_alert_has_a_test_in_which_it_fires() -> Result<()> {
    let yaml = |file: &str| -> Result<Value> {
        Ok(serde_yaml_ng::from_str(&text(&format!(
            "{DIRECTORY}/{file}"
        ))?)?)
    };
    let alerts = yaml("alerts.yaml")?;
    let rules = alerts["groups"][0]["rules"]
        .as_array()
        .context("no rules")?;
    let alerts: BTreeSet<_> = rules.iter().map(|rule| rule["alert"].to_string()).collect();
    let tests = yaml("alerts-test.yaml")?;
    let tests = tests["tests"].as_array().context("no tests")?;
    let expected = tests
        .iter()
        .filter_map(|test| test["alert_rule_test"].as_array())
        .flatten();
    let fired = expected.filter(|test| {
        test["exp_alerts"]
            .as_array()
            .is_some_and(|alerts| !alerts.is_empty())
    });
    let fired: BTreeSet<_> = fired.map(|test| test["alertname"].to_string()).collect();
    assert_eq!(fired, alerts);
    Ok(())
}

#[test]
fn prometheus_takes_its_configuration() -> Result<()> {
    let said = promtool(DIRECTORY, &["check", "config", "prometheus.yaml"])?;
    assert!(said.contains("SUCCESS"), "{said}");
    Ok(())
}

/// Every expression of the dashboard's panels, with a time in place of Grafana's.
fn expressions() -> Result<Vec<String>> {
    let dashboard: Value = serde_json::from_str(&text(
        "examples/observability/grafana/dashboards/throughline.json",
    )?)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let expression = |target: &Value| {
        target["expr"]
            .as_str()
            .map(|text| text.replace("$__rate_interval", "5m"))
    };
    targets
        .map(|target| expression(target).context("no expr"))
        .collect()
}

#[test]
fn every_expression_of_the_dashboard_is_promql() -> Result<()> {
    let expressions = expressions()?;
    assert!(!expressions.is_empty());
    let rule = |(number, expr): (usize, &String)| json!({"record": format!("panel:{number}"), "expr": expr});
    let rules: Vec<_> = expressions.iter().enumerate().map(rule).collect();
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("rules.json");
    fs::write(
        &file,
        json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string(),
    )?;
    let said = promtool(DIRECTORY, &["check", "rules", &file.to_string_lossy()])?;
    assert!(
        said.contains(&format!("{} rules found", expressions.len())),
        "{said}"
    );
    Ok(())
}

/// The metrics of the filter that a text names.
fn metrics(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .filter(|word| word.starts_with("throughline_"))
        .collect()
}

#[test]
fn only_documented_metrics_are_asked_for() -> Result<()> {
    let documented = text("docs/operations.md")?;
    let documented = metrics(&documented);
    let alerts = text(&format!("{DIRECTORY}/alerts.yaml"))?;
    let dashboard = expressions()?.join("\n");
    for metric in metrics(&alerts).into_iter().chain(metrics(&dashboard)) {
        assert!(
            documented.contains(metric),
            "{metric} is not in docs/operations.md"
        );
    }
    Ok(())
}
