//! The demo itself: both runs, one after the other, and what is printed.

use crate::arguments::Options;
use crate::backend::Backend;
use crate::bookinfo::Bookinfo;
use crate::collector::Collector;
use crate::log::Logs;
use crate::mesh::{Mesh, Parts};
use crate::mode::Mode;
use crate::observation::Observation;
use crate::render;
use crate::report::Report;
use crate::story::Story;
use crate::traced::{self, Traced};
use crate::{json, module, page};
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{self, Write as _};
use throughline_demo::interrupt::Interrupt;
use throughline_demo::terminal::Screen;
use throughline_dev::envoy::{Envoy, Release, chosen_binary};

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What is wrong, if the filter did not keep one trace.
    pub flaw: Option<String>,
    /// What the spans went to: it ends when this is dropped.
    pub collector: Collector,
}

/// Runs it and prints what was found.
pub fn run(options: &Options, interrupt: &Interrupt) -> Result<Outcome> {
    let bookinfo = &options.bookinfo;
    let (envoy, module) = (chosen_binary(Release::NEWEST)?, module::path()?);
    let once = |mode: Mode, collector: &Collector| {
        eprintln!("Running it with {} …", mode.tracer());
        let parts = Parts {
            mode,
            envoy: &envoy,
            module: &module,
            collector,
            interrupt,
        };
        requests(bookinfo, parts).with_context(|| {
            let (tracer, envoy) = (mode.tracer(), envoy.display());
            format!("with {tracer}, in {envoy} (it must be Envoy 1.36 or newer, with Wasm)")
        })
    };
    // One mesh at a time: five Envoys take half a gigabyte.
    let native = once(Mode::Native, &Collector::start(None)?)?;
    let collector = start(options.backend)?;
    interrupt.check()?;
    let filter = once(Mode::Filter, &collector)?;
    eprintln!();
    page::write(&options.page, &filter.envoy, &filter.traced)?;
    let report = Report {
        bookinfo,
        envoy: &filter.envoy,
        config: &Mode::filter_config(&collector),
        native: &native.story,
        filter: &filter.story,
        traced: &filter.traced,
        page: &options.page.canonicalize()?,
        backend: options.backend,
        links: links(&collector, &filter.traced),
    };
    print(&match options.json {
        true => serde_json::to_string_pretty(&json::document(&report))? + "\n",
        false => render::text(&report, Screen::of_stdout()),
    })?;
    Ok(Outcome {
        flaw: filter.story.flaw(),
        collector,
    })
}

fn start(backend: Option<Backend>) -> Result<Collector> {
    if let Some(backend) = backend {
        eprintln!("Starting {} …", backend.title());
    }
    Collector::start(backend)
}

fn links<'a>(collector: &Collector, traced: &'a [Traced]) -> Vec<(&'a Traced, String)> {
    let mut links = Vec::new();
    for traced in traced {
        for trace in &traced.traces {
            links.extend(collector.link(&trace.id).map(|link| (traced, link)));
        }
    }
    links
}

/// What came of one mesh.
#[derive(Debug)]
struct Run {
    story: Story,
    /// In the mesh with the filter.
    traced: Vec<Traced>,
    /// Envoy's version.
    envoy: String,
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
