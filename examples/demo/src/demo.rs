//! The demo itself: both runs, one after the other, and what is printed.

use crate::arguments::Options;
use crate::bookinfo::Bookinfo;
use crate::interrupt::Interrupt;
use crate::log::Logs;
use crate::mesh::{Mesh, Parts};
use crate::mode::Mode;
use crate::observation::Observation;
use crate::render::{self, Report, Screen};
use crate::story::Story;
use crate::traced::{self, Traced};
use crate::{json, module, page};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{self, Write as _};
use throughline_dev::envoy::{Envoy, Release, chosen_binary};

/// Runs it and prints the outcome. Says what is wrong if the filter did not keep one trace.
pub fn run(options: &Options, interrupt: &Interrupt) -> Result<Option<String>> {
    let bookinfo = &options.bookinfo;
    let (envoy, module) = (chosen_binary(Release::NEWEST)?, module::path()?);
    let once = |mode: Mode| {
        eprintln!("Running it with {} …", mode.tracer());
        let parts = Parts {
            mode,
            envoy: &envoy,
            module: &module,
            interrupt,
        };
        requests(bookinfo, parts).with_context(|| {
            let (tracer, envoy) = (mode.tracer(), envoy.display());
            format!("with {tracer}, in {envoy} (it must be Envoy 1.36 or newer, with Wasm)")
        })
    };
    // One mesh at a time: five Envoys take half a gigabyte.
    let native = once(Mode::Native)?;
    let filter = once(Mode::Filter)?;
    eprintln!();
    page::write(&options.page, &filter.envoy, &filter.traced)?;
    let page = options.page.canonicalize()?;
    let text = if options.json {
        let document = json::document(bookinfo, &native.story, &filter, &page);
        serde_json::to_string_pretty(&document)? + "\n"
    } else {
        let report = Report {
            bookinfo,
            envoy: &filter.envoy,
            config: &filter.config,
            native: &native.story,
            filter: &filter.story,
            traced: &filter.traced,
            page: &page,
        };
        render::text(&report, Screen::of_stdout())
    };
    print(&text)?;
    Ok(filter.story.flaw())
}

/// What came of one mesh.
#[derive(Debug)]
pub struct Run {
    pub story: Story,
    /// In the mesh with the filter.
    pub traced: Vec<Traced>,
    /// Envoy's version.
    pub envoy: String,
    /// Throughline's configuration.
    pub config: Value,
}

/// The requests through a mesh of its own.
fn requests(bookinfo: &Bookinfo, parts: Parts<'_>) -> Result<Run> {
    let Parts {
        mode, interrupt, ..
    } = parts;
    let mut mesh = Mesh::start(bookinfo, parts)?;
    let status = traced::send(&mesh, "GET", 200)?;
    interrupt.check()?;
    let mut logs = Logs::default();
    let observation = Observation::of(&mut mesh, &mut logs, bookinfo, interrupt)?;
    let story = Story::of(bookinfo, mode, observation)?;
    let traced = match mode {
        Mode::Native => Vec::new(),
        Mode::Filter => vec![
            Traced::ordinary(status, story.traces.clone()),
            Traced::failing(&mut mesh, &mut logs, bookinfo, interrupt)?,
            Traced::denied(&mesh, &mut logs, interrupt)?,
        ],
    };
    if mode == Mode::Filter {
        mesh.collector.check()?;
    }
    for (name, envoy) in mesh.envoys() {
        envoy
            .check_alive()
            .with_context(|| format!("the Envoy of {name}"))?;
    }
    let envoy = version(&mesh.gateway)?;
    Ok(Run {
        story,
        traced,
        envoy,
        config: Mode::filter_config(&mesh.collector),
    })
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
