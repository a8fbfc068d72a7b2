//! `make demo`: one request through Istio's Bookinfo behind real Envoys, without the filter and with it.
//!
//! - [`bookinfo`], shared with the tests: who calls whom, and which trace headers each service copies
//! - [`service`]: a service as a process; [`collector`]: what Envoys report their spans to, which may be a [`backend`]
//! - [`mode`], [`mesh`]: the two ways to run, and the running
//! - [`log`], [`observation`], [`story`]: what was on the wire, what was seen of it, and what it means
//! - [`traced`]: the requests, and the spans that were reported of them
//! - [`demo`]: both runs
//! - [`report`]: all of it; [`render`], [`page`], [`json`]: for people, in a terminal and in a browser, and for machines

mod arguments;
mod backend;
mod collector;
mod demo;
mod json;
mod log;
mod mesh;
mod mode;
mod module;
mod observation;
mod page;
mod render;
mod report;
mod service;
mod story;
mod traced;

use arguments::{Options, Task};
use demo::Outcome;
use std::process::ExitCode;
use throughline_demo::interrupt::{self, Interrupt};
use throughline_dev::bookinfo;

const USAGE: u8 = 2;

fn main() -> ExitCode {
    let done = match arguments::read(std::env::args_os().skip(1)) {
        Ok(Task::Help) => demo::print(arguments::HELP),
        Ok(Task::Service(copies)) => service::run(copies),
        Ok(Task::Demo(options)) => return run(&options),
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

fn run(options: &Options) -> ExitCode {
    let outcome = Interrupt::listen().and_then(|interrupt| {
        let outcome = demo::run(options, &interrupt);
        // Whatever failed then, failed because of that.
        if interrupt.came() {
            return Ok(None);
        }
        let Outcome { flaw, collector } = outcome?;
        if let Some(backend) = options.backend {
            eprintln!("{} runs until Ctrl-C.", backend.title());
            interrupt.wait();
        }
        drop(collector);
        Ok(Some(flaw))
    });
    match outcome {
        Ok(Some(None)) => ExitCode::SUCCESS,
        Ok(Some(Some(flaw))) => {
            // The text ends with it.
            if options.json {
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
