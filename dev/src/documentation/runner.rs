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
    /// This test, or what it plays.
    Test(&'static str),
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
        "make demo-istio",
        Runner::Test("examples/demo-istio/tests/scenarios/main.rs"),
    ),
    (
        "make demo",
        Runner::Test("examples/demo/tests/demo/main.rs"),
    ),
    (
        "ENVOY=/path/to/envoy make demo",
        Runner::Test("examples/demo/tests/demo/main.rs"),
    ),
    (
        "examples/demo/demo.sh ",
        Runner::Test("examples/demo/tests/demo/main.rs"),
    ),
    ("make image", Runner::Test("dev/tests/registry/main.rs")),
    ("make push", Runner::Test("dev/tests/registry/delivery.rs")),
    ("make pin", Runner::Test("dev/tests/registry/rollback.rs")),
    ("crane ", Runner::Test("dev/tests/registry/delivery.rs")),
    ("make test-istio", Runner::Test("dev/tests/istio/main.rs")),
    (
        "DUMPS=<directory> make test-istio",
        Runner::Test("dev/tests/istio/main.rs"),
    ),
    (
        "pilot-agent request GET ",
        Runner::Test("dev/tests/istio/scenarios/readings.rs"),
    ),
    (
        "throughline doctor",
        Runner::Test("cli/tests/doctor/main.rs"),
    ),
    (
        "UPDATE=1 cargo test -p throughline-cli ",
        Runner::Test("cli/tests/doctor/dumps.rs"),
    ),
    (
        "RECORD=1 cargo test -p throughline-cli ",
        Runner::Test("cli/tests/doctor/live.rs"),
    ),
    (
        "promtool check config",
        Runner::Test("tests/manifests/tests/prometheus.rs"),
    ),
    ("python3 dev/backends/install.py ", Runner::Ci),
    ("envoy -c envoy.yaml", Runner::Test("tests/examples.rs")),
    ("curl -s localhost:", Runner::Test("tests/examples.rs")),
    ("python3 echo.py ", Runner::Test("tests/examples.rs")),
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
        .filter_map(|line| line.strip_prefix("make "))
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
