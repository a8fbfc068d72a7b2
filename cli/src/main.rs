//! The command line of Throughline.

use clap::Parser as _;
use std::process::ExitCode;
use throughline_cli::arguments::{Arguments, Command};
use throughline_cli::{check, completion, doctor, explain, schema};

fn main() -> ExitCode {
    // A wrong command line ends here: with what is wrong, and 2.
    match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completion(arguments) => completion::run(&arguments),
        Command::Man(arguments) => completion::man(&arguments),
    }
}
