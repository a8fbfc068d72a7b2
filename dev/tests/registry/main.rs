//! The image as `make image` builds it, in real registries. `make test-image` installs what this needs.

mod bill;
mod delivery;
mod registries;
mod rollback;

use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Output};
use throughline_dev::{built, image};

/// `image` with these arguments and this environment, and nothing of the caller's own.
fn run(arguments: &[&Path], environment: &[(&str, &str)]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_image"));
    for name in [
        "REGISTRY",
        "TAG",
        "DIGEST",
        "FORCE",
        "INSECURE",
        "SOURCE_DATE_EPOCH",
        "DOCKER_CONFIG",
    ] {
        command.env_remove(name);
    }
    command
        .args(arguments)
        // Wherever the commit is known or not, the tests want an image.
        .env("SOURCE_DATE_EPOCH", "1790000000")
        .envs(environment.iter().copied())
        .output()
        .context("image")
}

/// What it says when it succeeds.
fn succeed(arguments: &[&Path], environment: &[(&str, &str)]) -> Result<String> {
    let output = run(arguments, environment)?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    Ok(String::from_utf8(output.stdout)?)
}

/// What it says when it fails, in its own words and not with a panic.
fn fail(arguments: &[&Path], environment: &[(&str, &str)]) -> Result<String> {
    let output = run(arguments, environment)?;
    assert_eq!(output.status.code(), Some(1));
    Ok(String::from_utf8(output.stderr)?)
}

/// `image push` of the built module.
fn push(out: &Path, environment: &[(&str, &str)]) -> Result<String> {
    succeed(&["push".as_ref(), &built::module()?, out], environment)
}

fn crane(arguments: &[&str]) -> Result<Vec<u8>> {
    output_of(Command::new(image::registry::program("crane")?).args(arguments))
}

/// What a command that succeeds writes.
fn output_of(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    Ok(output.stdout)
}
