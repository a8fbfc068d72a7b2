//! What shells and `man` know of the command line: written by clap's own libraries.

use crate::Failure;
use crate::arguments::Arguments as CommandLine;
use crate::output;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::process::ExitCode;

/// Print what makes a shell complete the command line
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  source <(throughline completion bash)")]
pub struct Arguments {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Print a manual page
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  throughline man > ~/.local/share/man/man1/throughline.1\n  throughline man check | man -l -"
)]
pub struct ManArguments {
    /// Of a subcommand, in place of all
    #[arg(value_name = "COMMAND", value_parser = ["check", "doctor", "explain", "schema", "completion", "man"])]
    command: Option<String>,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    let mut script = Vec::new();
    let mut command = CommandLine::command();
    clap_complete::generate(arguments.shell, &mut command, "throughline", &mut script);
    print(script)
}

pub fn man(arguments: &ManArguments) -> ExitCode {
    let mut command = CommandLine::command();
    command.build();
    let page_of = match &arguments.command {
        Some(name) => command.find_subcommand(name),
        None => Some(&command),
    };
    let mut page = Vec::new();
    if let Some(command) = page_of {
        // Writing to memory cannot fail.
        let _ = clap_mangen::Man::new(command.clone())
            .source(concat!("throughline ", env!("CARGO_PKG_VERSION")))
            .render(&mut page);
    }
    print(page)
}

fn print(text: Vec<u8>) -> ExitCode {
    let text = String::from_utf8(text).map_err(|_| Failure::new("not a text"));
    match text.and_then(|text| output::print(&text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(output::CANNOT_TELL)
        }
    }
}
