//! What is read out of the pages.

use super::markdown::pages;
use anyhow::{Context, Result, ensure};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the commands that no test runs are listed, each with the reason.
const REASONS: (&str, &str) = ("docs/versions.md", "## Commands that no test runs");

/// What a command in running text begins with; a single word is the name of a program and no command.
const PROGRAMS: [&str; 18] = [
    "bash",
    "buildah",
    "cargo",
    "cosign",
    "crane",
    "curl",
    "docker",
    "envoy",
    "examples/demo/demo.sh",
    "git",
    "helm",
    "istioctl",
    "kubectl",
    "make",
    "pilot-agent",
    "promtool",
    "python3",
    "throughline",
];

/// A command, without what is said beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The page, from the repository's root.
    pub page: String,
    /// The line on which it begins.
    pub line: usize,
    pub text: String,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.page, self.line, self.text)
    }
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every command in every page, in their order: the lines with a `$` of the blocks marked as `console`, and what stands between
/// backticks in running text. Commands that `&&` joins, or that a comment gives as another way (`# or: …`), are commands of
/// their own.
pub fn commands() -> Result<Vec<Command>> {
    let mut found = Vec::new();
    for page in pages()? {
        let text = fs::read_to_string(root().join(&page)).with_context(|| page.clone())?;
        for (line, text) in of_page(&text) {
            let page = page.clone();
            found.push(Command { page, line, text });
        }
    }
    ensure!(!found.is_empty(), "no commands in any page");
    Ok(found)
}

/// How the commands begin that no test runs, each with the reason.
pub fn reasons() -> Result<Vec<(String, String)>> {
    let (page, heading) = REASONS;
    let text = fs::read_to_string(root().join(page)).context(page)?;
    let (_, section) = text
        .split_once(heading)
        .with_context(|| format!("{page} has no section {heading:?}"))?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let row = |line: &str| {
        let (commands, reason) = line.strip_prefix("| `")?.split_once("` | ")?;
        let reason = reason.trim_end_matches(['|', ' ']).to_owned();
        Some(
            commands
                .split("`, `")
                .map(move |command| (command.to_owned(), reason.clone()))
                .collect::<Vec<_>>(),
        )
    };
    Ok(section.lines().filter_map(row).flatten().collect())
}

fn of_page(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut lines = text.lines().zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = fence.is_none().then_some(language);
            continue;
        }
        match fence {
            Some("console") => {
                let Some(typed) = line.trim_start().strip_prefix("$ ") else {
                    continue;
                };
                let mut typed = typed.to_owned();
                while let Some(begun) = typed.strip_suffix('\\') {
                    let rest = lines.next().map_or("", |(line, _)| line.trim_start());
                    typed = format!("{}{rest}", begun);
                }
                found.extend(of_line(&typed).map(|command| (number, command)));
            }
            Some(_) => {}
            // Every second piece is between backticks.
            None => found.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .filter(|piece| is_command(piece))
                    .map(|piece| (number, piece.to_owned())),
            ),
        }
    }
    found
}

/// The commands of a line.
fn of_line(line: &str) -> impl Iterator<Item = String> {
    let (typed, comment) = line.split_once(" # ").unwrap_or((line, ""));
    let typed = typed.split(" && ").map(|command| command.trim().to_owned());
    let other = comment.strip_prefix("or: ").map(str::to_owned);
    typed.chain(other)
}

fn is_command(text: &str) -> bool {
    let mut words = text
        .split(' ')
        // Variables before the program.
        .skip_while(|word| {
            word.split_once('=')
                .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase()))
        });
    let program = words.next().is_some_and(|word| PROGRAMS.contains(&word));
    // What follows is an argument, and no example of something else (`throughline (not pulled)`).
    program && words.next().is_some_and(|word| !word.starts_with('('))
}

#[cfg(test)]
mod tests {
    use super::of_page;

    #[test]
    fn commands_are_told_from_what_stands_around_them() {
        let page = "Type `make all`, not `make` or `a b`; `X=1 make x` is one.\n\
            ```console\n$ a b   # why\nanswer\n   $ c \\\n    --d && e        # or: f g\n```\n\
            ```yaml\n$ no\n```\n`throughline (missing)`\n";
        let found = [
            (1, "make all"),
            (1, "X=1 make x"),
            (3, "a b"),
            (5, "c --d"),
            (5, "e"),
            (5, "f g"),
        ];
        assert_eq!(
            of_page(page),
            found.map(|(line, text)| (line, text.to_owned()))
        );
    }
}
