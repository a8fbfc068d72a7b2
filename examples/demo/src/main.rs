//! `make demo`: one request through Istio's Bookinfo behind real Envoys, without the filter and with it.
//!
//! - [`bookinfo`], [`copies`]: who calls whom, and which trace headers each service copies
//! - [`service`]: a service as a process; [`collector`]: what Envoy's tracer reports to
//! - [`mode`], [`mesh`]: the two ways to run, and the running
//! - [`carried`], [`observation`], [`story`]: what was on the wire, what was seen of it, and what it means
//! - [`demo`]: both runs
//! - [`render`], [`json`]: the story for people and for machines

mod arguments;
mod bookinfo;
mod carried;
mod collector;
mod copies;
mod demo;
mod interrupt;
mod json;
mod mesh;
mod mode;
mod module;
mod observation;
mod render;
mod service;
mod story;

use arguments::Task;
use bookinfo::Bookinfo;
use interrupt::Interrupt;
use std::process::ExitCode;

const USAGE: u8 = 2;

fn main() -> ExitCode {
    let done = match arguments::read(std::env::args_os().skip(1)) {
        Ok(Task::Help) => demo::print(arguments::HELP),
        Ok(Task::Service(copies)) => service::run(copies),
        Ok(Task::Demo { bookinfo, json }) => return run(&bookinfo, json),
        Err(error) => {
            complain(&format!("{error:#}; try --help"));
            return ExitCode::from(USAGE);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(bookinfo: &Bookinfo, json: bool) -> ExitCode {
    let outcome = Interrupt::listen().and_then(|interrupt| {
        let outcome = demo::run(bookinfo, json, &interrupt);
        // Whatever failed then, failed because of that.
        if interrupt.came() {
            Ok(None)
        } else {
            outcome.map(Some)
        }
    });
    match outcome {
        Ok(Some(None)) => ExitCode::SUCCESS,
        Ok(Some(Some(flaw))) => {
            // The text ends with it.
            if json {
                complain(&flaw);
            }
            ExitCode::FAILURE
        }
        Ok(None) => {
            complain("interrupted; every process that it started has ended");
            ExitCode::from(interrupt::EXIT_CODE)
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn complain(what: &str) {
    eprintln!("throughline-demo: {what}");
}
