//! Completion and manual pages know every subcommand, and are what their readers take.

use crate::program::throughline;
use anyhow::{Result, ensure};
use clap::CommandFactory as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use throughline_cli::arguments::Arguments;

fn subcommands() -> Vec<String> {
    let command = Arguments::command();
    command
        .get_subcommands()
        .map(|subcommand| subcommand.get_name().to_owned())
        .collect()
}

#[test]
fn shells_complete_every_subcommand() -> Result<()> {
    for shell in ["bash", "zsh", "fish"] {
        let script = throughline(&["completion", shell])?;
        ensure!(script.code == 0, "{script:?}");
        for name in subcommands() {
            ensure!(script.out.contains(&name), "{shell} does not know {name}");
        }
    }
    let refused = throughline(&["completion", "dos"])?;
    ensure!(refused.code == 2, "{refused:?}");
    Ok(())
}

/// What bash itself offers behind `throughline sch`.
#[test]
fn bash_completes_a_subcommand() -> Result<()> {
    let script = throughline(&["completion", "bash"])?.out;
    let asked = "\nCOMP_WORDS=(throughline sch); COMP_CWORD=1; _throughline throughline sch throughline\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
    let mut bash = Command::new("bash")
        .args(["--noprofile", "--norc"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = bash.stdin.take() {
        stdin.write_all((script + asked).as_bytes())?;
    }
    let output = bash.wait_with_output()?;
    let offered = String::from_utf8(output.stdout)?;
    ensure!(offered.trim() == "schema", "{offered:?}");
    Ok(())
}

#[test]
fn every_subcommand_has_a_manual_page() -> Result<()> {
    let page = throughline(&["man"])?;
    ensure!(
        page.code == 0 && page.out.contains(".TH throughline 1"),
        "{page:?}"
    );
    let version = concat!("throughline ", env!("CARGO_PKG_VERSION"));
    for name in subcommands() {
        ensure!(
            page.out.contains(&format!("throughline\\-{name}")),
            "{name} is not in it"
        );
        let its_own = throughline(&["man", &name])?;
        ensure!(
            its_own.code == 0
                && its_own
                    .out
                    .contains(&format!(".TH throughline-{name} 1  \"{version}\"")),
            "{name}: {its_own:?}"
        );
    }
    Ok(())
}
