//! CPU per request: all contenders in turn, round after round, so that what else the machine does meets them alike.

use crate::contender::{Contender, NATIVE, NOTHING};
use crate::stage::{Cell, Stage};
use crate::statistics::Rounds;
use anyhow::{Context, Result};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use throughline_dev::http::Headers;
use throughline_dev::load::{Bound, Load};
use throughline_dev::mesh::{Listener, Node, Proxy, Route};

/// Longer than any timer that holds spans back.
const PATIENT: Duration = Duration::from_secs(8);

/// Requests before the first round: connections open, and V8 has compiled what is hot. A multiple of every batch's size,
/// as the rounds should be, so that no span waits for a timer.
const WARM_UP: u64 = 40 * 512;

/// What a busy sidecar may have to do.
const PACED: u32 = 10_000;

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Amount {
    pub rounds: usize,
    /// Requests in each round to each contender.
    pub requests: u64,
}

/// What requests carry.
#[derive(Clone, Debug)]
pub struct Traffic {
    pub name: &'static str,
    headers: Headers,
    pace: Option<u32>,
}

impl Traffic {
    /// What a mesh sees inside and at its edge, at full speed, and in the usual haste.
    pub fn all() -> [Self; 3] {
        let (trace, span) = ("80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1");
        let carried = Headers::new()
            .with("traceparent", format!("00-{trace}-{span}-01"))
            .with("x-b3-traceid", trace)
            .with("x-b3-spanid", span)
            .with("x-b3-sampled", "1");
        [
            Self {
                name: "a trace to continue, in W3C and B3, at full speed",
                headers: carried.clone(),
                pace: None,
            },
            Self {
                name: "no trace headers, so that each starts a trace, at full speed",
                headers: Headers::new(),
                pace: None,
            },
            Self {
                name: "a trace to continue, in W3C and B3, 10 000 a second",
                headers: carried,
                pace: Some(PACED),
            },
        ]
    }

    fn load(&self, requests: u64) -> Load {
        let load = Load::new(Bound::Requests(requests)).headers(&self.headers);
        match self.pace {
            None => load,
            Some(per_second) => load.per_second(per_second),
        }
    }
}

/// A contender's line in the table.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    /// Envoy's CPU for one request, in µs.
    pub cpu: Rounds,
    /// What of it comes on top of no filter, in the same round.
    pub added: Rounds,
    /// That, as a part of what the native tracer adds.
    pub of_native: f64,
    /// Answers a second.
    pub rate: Rounds,
    pub cells: Vec<Cell>,
}

/// What became of the spans of one contender, over the whole run.
#[derive(Debug)]
pub struct Spans {
    pub name: &'static str,
    pub finished: u64,
    pub received: u64,
    /// Envoy's resident memory at the end, in bytes.
    pub memory: u64,
}

/// All that was measured.
#[derive(Debug)]
pub struct Results {
    pub tables: Vec<(&'static str, Vec<Row>)>,
    pub spans: Vec<Spans>,
}

/// Measures it all.
pub fn measure(contenders: Vec<Contender>, binary: &Path, amount: Amount) -> Result<Results> {
    // Outside of the Envoys that are measured, and fast.
    let application = Listener::plain("application").route(Route::answer(200, ""));
    let application = Proxy::new(Node::sidecar("productpage", "productpage-v1", "bookinfo"))
        .listener(application.merge(&json!({"access_log": []})))
        .start(binary)?;
    let address = application.listener("application")?;
    let start = |contender| Stage::start(contender, binary, address);
    let mut stages: Vec<_> = contenders.into_iter().map(start).collect::<Result<_>>()?;
    for stage in &mut stages {
        eprintln!("warming up: {}", stage.contender.name);
        stage.play(&Load::new(Bound::Requests(WARM_UP)))?;
    }
    let mut tables = Vec::new();
    for traffic in Traffic::all() {
        let load = traffic.load(amount.requests);
        tables.push((
            traffic.name,
            rounds(&mut stages, &load, amount.rounds, traffic.name)?,
        ));
    }
    let spans = stages
        .iter()
        .filter(|stage| stage.contender.export.is_some());
    Ok(Results {
        tables,
        spans: spans.map(count).collect::<Result<_>>()?,
    })
}

fn rounds(stages: &mut [Stage], load: &Load, rounds: usize, traffic: &str) -> Result<Vec<Row>> {
    let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); stages.len()];
    for round in 0..rounds {
        // Nobody is always the first, or always after the same one.
        for turn in 0..stages.len() {
            let index = (turn + round) % stages.len();
            let cell = stages[index].play(load)?;
            eprintln!(
                "{traffic}, round {} of {rounds}: {:5.1} µs  {}",
                round + 1,
                cell.cpu,
                stages[index].contender.name
            );
            cells[index].push(cell);
        }
    }
    let position = |name| stages.iter().position(|stage| stage.contender.name == name);
    let (nothing, native) = (position(NOTHING), position(NATIVE));
    let nothing = &cells[nothing.context("no baseline")?];
    let native = &cells[native.context("no native tracer")?];
    let names = stages.iter().map(|stage| stage.contender.name);
    let added = |cells: &[Cell]| {
        let pairs = cells.iter().zip(nothing);
        Rounds::of(pairs.map(|(cell, nothing)| cell.cpu - nothing.cpu))
    };
    let native = added(native).context("no rounds")?.median;
    let row = |(name, cells): (_, &Vec<Cell>)| {
        let added = added(cells)?;
        Some(Row {
            name,
            cpu: Rounds::of(cells.iter().map(|cell| cell.cpu))?,
            added,
            of_native: added.median / native,
            rate: Rounds::of(cells.iter().map(|cell| cell.rate))?,
            cells: cells.clone(),
        })
    };
    let rows: Option<_> = names.zip(&cells).map(row).collect();
    rows.context("no rounds")
}

fn count(stage: &Stage) -> Result<Spans> {
    stage.settle(PATIENT)?;
    Ok(Spans {
        name: stage.contender.name,
        finished: stage.requests(),
        received: stage.received(),
        memory: stage.memory()?,
    })
}
