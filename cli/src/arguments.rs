//! The command line.

use crate::{check, completion, doctor, explain, schema};
use clap::{Parser, Subcommand};

/// Throughline: one trace id per request through every Envoy of a mesh.
#[derive(Parser, Debug)]
#[command(name = "throughline", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    Check(check::Arguments),
    Doctor(doctor::Arguments),
    Explain(explain::Arguments),
    Schema(schema::Arguments),
    Completion(completion::Arguments),
    Man(completion::ManArguments),
}
