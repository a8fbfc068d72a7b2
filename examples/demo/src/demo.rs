//! The demo itself: both runs, one after the other, and what is printed.

use crate::bookinfo::Bookinfo;
use crate::interrupt::Interrupt;
use crate::mesh::{Mesh, Parts};
use crate::mode::Mode;
use crate::observation::Observation;
use crate::render::{self, Report, Screen};
use crate::story::Story;
use crate::{json, module};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{self, Write as _};
use throughline_dev::envoy::{Envoy, Release, chosen_binary};

/// Runs it and prints the outcome. Says what is wrong if the filter did not keep one trace.
pub fn run(bookinfo: &Bookinfo, as_json: bool, interrupt: &Interrupt) -> Result<Option<String>> {
    let (envoy, module) = (chosen_binary(Release::NEWEST)?, module::path()?);
    let once = |mode: Mode| {
        eprintln!("Running it with {} …", mode.tracer());
        let parts = Parts {
            mode,
            envoy: &envoy,
            module: &module,
            interrupt,
        };
        request(bookinfo, parts).with_context(|| {
            let (tracer, envoy) = (mode.tracer(), envoy.display());
            format!("with {tracer}, in {envoy} (it must be Envoy 1.36 or newer, with Wasm)")
        })
    };
    // One mesh at a time: five Envoys take half a gigabyte.
    let (native, _) = once(Mode::Native)?;
    let (filter, version) = once(Mode::Filter)?;
    eprintln!();
    let text = if as_json {
        let document = json::document(bookinfo, &version, &native, &filter);
        serde_json::to_string_pretty(&document)? + "\n"
    } else {
        let report = Report {
            bookinfo,
            envoy: &version,
            native: &native,
            filter: &filter,
        };
        render::text(&report, Screen::of_stdout())
    };
    print(&text)?;
    Ok(filter.flaw())
}

/// One request through a mesh of its own: what it means, and Envoy's version.
fn request(bookinfo: &Bookinfo, parts: Parts<'_>) -> Result<(Story, String)> {
    let mut mesh = Mesh::start(bookinfo, parts)?;
    mesh.request()?;
    parts.interrupt.check()?;
    let observation = Observation::of(&mut mesh, parts.mode, parts.interrupt)?;
    for (name, envoy) in mesh.envoys() {
        envoy
            .check_alive()
            .with_context(|| format!("the Envoy of {name}"))?;
    }
    let story = Story::of(bookinfo, parts.mode, observation)?;
    Ok((story, version(&mesh.gateway)?))
}

/// Envoy's version, such as 1.40.0, from `commit/1.40.0/Clean/RELEASE/BoringSSL`.
fn version(envoy: &Envoy) -> Result<String> {
    let info: Value = serde_json::from_str(&envoy.get("/server_info")?)?;
    let version = info.get("version").and_then(Value::as_str);
    let version = version.context("Envoy does not say its version")?;
    Ok(version.split('/').nth(1).unwrap_or(version).to_owned())
}

/// Prints all of it at once. A reader that has left, such as `head`, is no mistake.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
