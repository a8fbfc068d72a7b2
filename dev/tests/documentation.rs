//! Every command that the documentation tells people to type is run by something, or the documentation says why it cannot be.
//! Every link leads somewhere, the book has every page, and every field has a worked example.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use throughline_dev::documentation::{
    Example, Link, Page, Runner, commands, examples, files, links, pages, reasons, root,
};
use throughline_dev::envoy::Release;
use throughline_dev::istio::Line;

#[test]
fn every_command_is_run_or_the_page_says_why_not() -> Result<()> {
    let reasons = reasons()?;
    let mut without = Vec::new();
    for command in commands()? {
        let excused = reasons
            .iter()
            .any(|(begin, _)| command.text.starts_with(begin));
        if Runner::of(&command.text)?.is_none() && !excused {
            without.push(command.to_string());
        }
    }
    assert!(
        without.is_empty(),
        "nothing runs these commands:\n{}\n\nEither give each a row in dev/src/documentation/runner.rs with what runs it (a new row \
         `Mesh` is played by dev/tests/istio/scenarios/documented.rs), or one in docs/versions.md, \"Commands that no test runs\", \
         with the reason.",
        without.join("\n")
    );
    Ok(())
}

/// Else the tables would go on about commands that nobody is told any more.
#[test]
fn every_row_is_of_a_command_and_every_test_runs_it() -> Result<()> {
    let commands = commands()?;
    let mut begins: BTreeSet<String> = reasons()?.into_iter().map(|(begin, _)| begin).collect();
    for (begin, runner) in Runner::table() {
        begins.insert((*begin).to_owned());
        if let Runner::Test(path, words) = runner {
            let test = fs::read_to_string(root().join(path)).with_context(|| path.to_string())?;
            assert!(test.contains(words), "{begin}: {path} has no {words}");
        }
    }
    for begin in begins {
        assert!(
            commands
                .iter()
                .any(|command| command.text.starts_with(&begin)),
            "no page has a command that begins with {begin:?}"
        );
    }
    Ok(())
}

/// A row that both runs a command and excuses it would be untrue in one of two places.
#[test]
fn no_command_is_both_run_and_excused() -> Result<()> {
    let reasons = reasons()?;
    for command in commands()? {
        let excused = reasons
            .iter()
            .any(|(begin, _)| command.text.starts_with(begin));
        assert!(
            !(excused && Runner::of(&command.text)?.is_some()),
            "{command}"
        );
    }
    Ok(())
}

/// docs/versions.md has a row for each line of Istio that the tests run, with the line of Envoy that it ships; the others say
/// that they were not run.
#[test]
fn the_versions_are_those_that_the_tests_run() -> Result<()> {
    let page = fs::read_to_string(root().join("docs/versions.md"))?;
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        (cells.len() == 7 && cells[1].starts_with("1.")).then_some(cells)
    });
    let mut run = BTreeSet::new();
    for cells in rows {
        if cells[2..6].iter().all(|cell| *cell == "–") {
            continue;
        }
        let line = Line::find(cells[0])?;
        assert_eq!(cells[1], line.ships(), "Istio {line}");
        run.insert(line.to_string());
    }
    assert_eq!(run, Line::ALL.map(|line| line.to_string()).into());
    let (_, envoy) = page.split_once("## Envoy").context("Envoy's versions")?;
    let envoy = envoy.split("\n## ").next().unwrap_or_default();
    for release in Release::ALL {
        assert!(envoy.contains(&release.to_string()), "Envoy {release}");
    }
    Ok(())
}

/// With its `#fragment`; `make book` looks at the same links in the book.
#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let mut dead = Vec::new();
    for page in pages()? {
        dead.extend(links::dead(&Page::read(&page)?)?);
    }
    assert!(
        dead.is_empty(),
        "these links lead nowhere:\n{}",
        dead.join("\n")
    );
    Ok(())
}

#[test]
fn the_book_has_every_page_once() -> Result<()> {
    let summary = Page::read("docs/SUMMARY.md")?;
    let target = |link: Link| links::target(&summary.path, &link.to);
    let mut listed: Vec<_> = summary
        .links()
        .into_iter()
        .filter_map(target)
        .map(|target| target.path)
        .collect();
    listed.push(summary.path.clone());
    listed.sort();
    assert_eq!(listed, files("docs/*.md")?, "docs/SUMMARY.md");
    Ok(())
}

/// Each field of the reference is in an example, which `tests/e2e/scenarios/examples/` plays.
#[test]
fn every_part_of_the_configuration_has_a_worked_example() -> Result<()> {
    let reference = Page::read("docs/configuration.md")?;
    let whole = reference
        .blocks()
        .into_iter()
        .find(|block| block.info == "yaml")
        .context("docs/configuration.md has no configuration")?;
    let whole: serde_json::Map<String, serde_json::Value> = serde_yaml_ng::from_str(&whole.text)?;
    let examples = examples()?;
    let lacks = |field: &&String| {
        let in_it = |example: &Example| example.config.get(field.as_str()).is_some();
        !examples.iter().any(in_it)
    };
    let without: Vec<_> = whole.keys().filter(lacks).collect();
    assert!(
        without.is_empty(),
        "no page has a worked example of {without:?}: CONTRIBUTING.md says how one is written"
    );
    Ok(())
}
