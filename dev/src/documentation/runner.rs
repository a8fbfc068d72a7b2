//! What runs a command of the documentation.

use super::page::root;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;

/// What runs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Runner {
    /// A mesh of Istio's own control plane, as it stands: `make test-istio`.
    Mesh,
    /// The same, as a rehearsal: the API server checks and admits what it would do, and does nothing, as the mesh of the tests
    /// would not survive it.
    Rehearsal,
    /// `.ci/run`, as a target of the Makefile.
    Ci,
    /// The test in this file, which has this in it: how it runs the command, or the program that the command is.
    Test(&'static str, &'static str),
}

/// How commands begin, with what runs them; the first that fits.
const TABLE: &[(&str, Runner)] = &[
    ("kubectl apply -k wasmplugin/", Runner::Mesh),
    ("kubectl delete -k wasmplugin/", Runner::Mesh),
    ("kubectl delete wasmplugin ", Runner::Mesh),
    ("kubectl get wasmplugin", Runner::Mesh),
    ("kubectl kustomize wasmplugin/", Runner::Mesh),
    ("kubectl patch wasmplugin ", Runner::Mesh),
    ("kubectl patch trafficextension ", Runner::Mesh),
    ("helm ", Runner::Mesh),
    ("git revert ", Runner::Mesh),
    ("kubectl apply -k examples/", Runner::Rehearsal),
    ("kubectl delete -k examples/", Runner::Rehearsal),
    ("kubectl delete namespace ", Runner::Rehearsal),
    ("kubectl label namespace ", Runner::Rehearsal),
    ("bash .ci/run", Runner::Ci),
    (
        "make pin",
        Runner::Test(
            "dev/tests/registry/rollback.rs",
            r#""--no-print-directory", "pin""#,
        ),
    ),
    (
        "crane digest ",
        Runner::Test("dev/tests/registry/delivery.rs", r#"crane(&["digest""#),
    ),
    (
        "crane manifest ",
        Runner::Test("dev/tests/registry/delivery.rs", r#"crane(&["manifest""#),
    ),
    (
        "pilot-agent request GET ",
        Runner::Test(
            "dev/tests/istio/scenarios/readings.rs",
            r#"["request", "GET", page]"#,
        ),
    ),
    (
        "throughline doctor",
        Runner::Test("cli/tests/doctor/program.rs", r#".arg("doctor")"#),
    ),
    (
        "throughline check",
        Runner::Test("cli/tests/commands/check.rs", r#"&["check", "#),
    ),
    (
        "throughline explain",
        Runner::Test("cli/tests/commands/explain.rs", r#"&["explain", "#),
    ),
    (
        "throughline schema",
        Runner::Test("cli/tests/commands/schema.rs", r#"&["schema""#),
    ),
    (
        "throughline completion",
        Runner::Test("cli/tests/commands/shells.rs", r#"&["completion", "#),
    ),
    (
        "throughline man",
        Runner::Test("cli/tests/commands/shells.rs", r#"&["man""#),
    ),
    (
        "promtool check config",
        Runner::Test(
            "tests/manifests/tests/prometheus.rs",
            r#"["check", "config", "prometheus.yaml"]"#,
        ),
    ),
    ("python3 dev/backends/install.py ", Runner::Ci),
    (
        "envoy -c envoy.yaml",
        Runner::Test("tests/examples.rs", "examples/envoy/envoy.yaml"),
    ),
    (
        "python3 echo.py ",
        Runner::Test("tests/examples.rs", "examples/envoy/echo.py"),
    ),
];

impl Runner {
    /// What runs this command, if anything does.
    pub fn of(command: &str) -> Result<Option<Self>> {
        let row = TABLE.iter().find(|(begin, _)| command.starts_with(begin));
        match row {
            Some((_, runner)) => Ok(Some(*runner)),
            None => Ok(is_run_by_ci(command)?.then_some(Self::Ci)),
        }
    }

    /// How the commands begin that the table has, with what runs them.
    pub fn table() -> &'static [(&'static str, Self)] {
        TABLE
    }
}

/// Whether it is `make` with a target that `.ci/run` makes, by itself or through another.
fn is_run_by_ci(command: &str) -> Result<bool> {
    let Some(target) = command.strip_prefix("make ") else {
        return Ok(false);
    };
    let makefile = fs::read_to_string(root().join("Makefile")).context("Makefile")?;
    let ci = fs::read_to_string(root().join(".ci/run")).context(".ci/run")?;
    let mut made = BTreeSet::new();
    let mut asked: Vec<&str> = ci
        .lines()
        .filter_map(|line| line.strip_prefix("make ").or(line.strip_prefix("lane ")))
        .flat_map(str::split_whitespace)
        .collect();
    while let Some(target) = asked.pop() {
        if !made.insert(target) {
            continue;
        }
        let rule = makefile
            .lines()
            .find_map(|line| line.strip_prefix(target)?.strip_prefix(": "));
        let needs = rule.map(|rule| rule.split(" ##").next().unwrap_or_default());
        asked.extend(needs.into_iter().flat_map(str::split_whitespace));
    }
    Ok(made.contains(target))
}
