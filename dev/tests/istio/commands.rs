//! The commands in our documentation, to be run as they stand there.

use crate::manifests::root;
use anyhow::{Context, Result, ensure};
use std::fs;

/// Each command in the console blocks of a file of ours that begins with these words, its lines joined; also those in a comment
/// of another, after `or:`.
pub fn documented(file: &str, words: &str) -> Result<Vec<String>> {
    let path = root().join(file);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut commands = commands(&text);
    commands.retain(|command| command.starts_with(words));
    ensure!(!commands.is_empty(), "no `{words}` in {file}");
    Ok(commands)
}

/// The one command that begins with these words.
pub fn the_one(file: &str, words: &str) -> Result<String> {
    let mut commands = documented(file, words)?;
    ensure!(commands.len() == 1, "{file}: {commands:?}");
    commands.pop().context("no command")
}

fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        let Some(line) = line.trim_start().strip_prefix("$ ") else {
            continue;
        };
        let (command, comment) = line.split_once(" #").unwrap_or((line, ""));
        let alternative = comment.trim().strip_prefix("or: ");
        commands.extend([command].into_iter().chain(alternative).map(|command| {
            let words: Vec<_> = command.split_whitespace().collect();
            words.join(" ")
        }));
    }
    commands
}

#[test]
fn commands_are_found_with_their_alternatives() {
    let text = "$ a b \\\n    c=d    # or: e f\nsaid\n  $ g # why\n";
    assert_eq!(commands(text), ["a b c=d", "e f", "g"]);
}
