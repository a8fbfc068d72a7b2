//! `make demo-istio`: requests through Istio's Bookinfo in a mesh of Istio's own control plane, and their traces in Tempo.
//!
//! - [`mesh`]: it runs; [`bookinfo`]: its services; [`workspace`]: the manifests, and kubectl
//! - [`scenarios`]: what is played in it; [`share`]: whether a share can be what was asked for
//! - [`found`], [`report`]: what Tempo gives back, and what that means
//! - [`steps`]: what is being done, and how long it took

mod arguments;
mod bookinfo;
mod found;
mod mesh;
mod report;
mod scenarios;
mod share;
mod steps;
mod workspace;

use anyhow::{Result, ensure};
use arguments::Task;
use mesh::Mesh;
use report::Report;
use scenarios::Scenario;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Instant;
use throughline_demo::interrupt::{self, Interrupt};
use throughline_demo::terminal::Screen;
use throughline_dev::istio::Line;

const USAGE: u8 = 2;

fn main() -> ExitCode {
    let done = match arguments::read(std::env::args_os().skip(1)) {
        Ok(Task::Help) => report::print(arguments::HELP).map(|()| true),
        Ok(Task::Play(line, scenarios)) => run(line, &scenarios),
        Err(error) => {
            complain(&format!("{error:#}; try --help"));
            return ExitCode::from(USAGE);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether all was found as it should be.
fn run(line: Line, scenarios: &[Scenario]) -> Result<bool> {
    // Then everything that runs here and all of its files end with this process, however it ends.
    ensure!(
        process::id() == 1,
        "it needs namespaces of its own: run it by make demo-istio, or by dev/istio/isolated"
    );
    let interrupt = end_when_interrupted()?;
    let played = play(line, scenarios);
    if interrupt.came() {
        // Whatever failed then, failed because of that.
        interrupted();
    }
    played
}

fn play(line: Line, scenarios: &[Scenario]) -> Result<bool> {
    let begun = Instant::now();
    let mesh = Mesh::start(line)?;
    let mut is_well = true;
    for scenario in scenarios {
        let before = Instant::now();
        let title = format!("Istio {}. {}", mesh.line(), scenario.title);
        let mut report = Report::begin(&title, Screen::of_stdout())?;
        (scenario.play)(&mesh, &mut report)?;
        is_well &= report.is_well();
        let seconds = before.elapsed().as_secs_f64();
        eprintln!("\n  {}: {seconds:.1} s", scenario.name);
    }
    let before = Instant::now();
    drop(mesh);
    eprintln!(
        "Ended everything, {:.1} s; {:.0} s in all",
        before.elapsed().as_secs_f64(),
        begun.elapsed().as_secs_f64()
    );
    Ok(is_well)
}

fn end_when_interrupted() -> Result<Interrupt> {
    let interrupt = Interrupt::listen()?;
    let watched = interrupt.clone();
    thread::spawn(move || {
        watched.wait();
        interrupted();
    });
    Ok(interrupt)
}

fn interrupted() -> ! {
    complain("interrupted; everything that it started ends with it");
    process::exit(interrupt::EXIT_CODE.into());
}

fn complain(what: &str) {
    eprintln!("throughline-demo-istio: {what}");
}
