//! The commands in our documentation, to be run as they stand there.

use crate::manifests::root;
use anyhow::{Context, Result, ensure};
use std::fs;

/// Each command in the console blocks of a file of ours that begins with these words, its lines joined, without its comment.
pub fn documented(file: &str, words: &str) -> Result<Vec<String>> {
    let path = root().join(file);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let text = text.replace("\\\n", " ");
    let commands = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("$ "))
        .filter(|command| command.starts_with(words));
    let commands: Vec<_> = commands
        .map(|command| match command.split_once(" #") {
            Some((command, _)) => command.trim().to_owned(),
            None => command.to_owned(),
        })
        .collect();
    ensure!(!commands.is_empty(), "no `{words}` in {file}");
    Ok(commands)
}

/// The one command that begins with these words.
pub fn the_one(file: &str, words: &str) -> Result<String> {
    let mut commands = documented(file, words)?;
    ensure!(commands.len() == 1, "{file}: {commands:?}");
    commands.pop().context("no command")
}
