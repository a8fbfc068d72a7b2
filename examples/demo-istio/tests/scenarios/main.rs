//! The demo as people run it: every scenario, on both lines of Istio, and that nothing is left of it. `make test-istio`.

mod inside;

use anyhow::{Context, Result, ensure};
use inside::Inside;
use std::process::Command;

/// Every finding of a run is as it should be.
fn assert_well(stdout: &str, stderr: &str) {
    assert!(!stdout.contains('✗'), "{stdout}\n{stderr}");
}

#[test]
fn every_scenario_on_the_newest_line() -> Result<()> {
    let play = || Inside::start(&["all"])?.end();
    let mut ended = play()?;
    // A right canary is outside of three standard deviations once in 370 times; twice in a row is a fault.
    if ended.stdout.contains("✗ reviews v3 is in") {
        ended = play()?;
    }
    let (stdout, stderr) = (&ended.stdout, &ended.stderr);
    assert_well(stdout, stderr);
    assert_eq!(ended.code, Some(0), "{stdout}\n{stderr}");
    for command in [
        "$ kubectl apply -k wasmplugin/overlays/dev",
        "$ kubectl apply -f examples/demo-istio/manifests/canary.yaml",
        "$ kubectl delete -f examples/demo-istio/manifests/canary.yaml",
    ] {
        assert!(stderr.contains(command), "{command}\n{stderr}");
    }
    for found in [
        "(9 of 9, 1 root)",
        "three standard deviations is 14.4 to 45.6",
        "✓ 30 traces",
        "(7 of 7, 1 root)",
        "CLIENT  403",
        "rbac_access_denied_matched_policy",
    ] {
        assert!(stdout.contains(found), "{found}\n{stdout}");
    }
    // One for each scenario.
    assert_eq!(stdout.matches("✓ one trace").count(), 4, "{stdout}");
    Ok(())
}

#[test]
fn a_request_on_the_older_line() -> Result<()> {
    let ended = Inside::start(&["--istio", "1.29"])?.end()?;
    assert_well(&ended.stdout, &ended.stderr);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("Istio 1.29"), "{}", ended.stdout);
    assert!(ended.stdout.contains("✓ one trace"), "{}", ended.stdout);
    Ok(())
}

#[test]
fn interrupting_it_ends_everything() -> Result<()> {
    let mut inside = Inside::start(&[])?;
    inside.wait_for("Starting Bookinfo")?;
    ensure!(inside.processes()? > 3, "etcd, the API server, istiod");
    inside.interrupt()?;
    let ended = inside.end()?;
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("interrupted"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    Ok(())
}

#[test]
fn mistakes_are_named_before_anything_starts() -> Result<()> {
    let program = env!("CARGO_BIN_EXE_throughline-demo-istio");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/demo.sh");
    for (command, named, code) in [
        (
            Command::new(program).arg("canaries"),
            "canary, reviews-v3-only, authz-deny-reviews",
            2,
        ),
        (
            Command::new(script).env("SCENARIO", "canaries"),
            "canary, reviews-v3-only, authz-deny-reviews",
            2,
        ),
        (
            Command::new(script).env("ISTIO", "1.28"),
            "1.29 and 1.31",
            2,
        ),
        (&mut Command::new(program), "dev/istio/isolated", 1),
    ] {
        let output = command.output().context(named)?;
        let stderr = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(named), "{stderr}");
        assert!(output.stdout.is_empty());
    }
    Ok(())
}
