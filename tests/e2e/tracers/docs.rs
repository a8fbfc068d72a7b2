//! What was seen, kept: a file for each line, and of all of them the tables of docs/native-tracers.md.

use super::setup::{CameIn, MODES, Tracer};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use throughline_dev::envoy::Release;

/// Compares what a line did with what is written down, or writes it down.
pub fn compare(release: Release, lines: &[String]) -> Result<()> {
    let (file, seen) = (file(&line(release)), lines.join("\n") + "\n");
    keep(&file, &seen)?;
    let expected = read(&file)?;
    let only = |one: &str, other: &str, what: &str| -> Vec<String> {
        let known: Vec<&str> = other.lines().collect();
        let lines = one.lines().filter(|line| !known.contains(line));
        lines.map(|line| format!("{what}: {line}")).collect()
    };
    let mut differs = only(&seen, &expected, "seen, and not written down");
    differs.extend(only(&expected, &seen, "written down, and not seen"));
    ensure!(differs.is_empty(), "{}", differs.join("\n"));
    Ok(())
}

#[test]
fn the_tables_in_the_docs_are_what_was_seen() -> Result<()> {
    const BEGIN: &str = "<!-- What follows is made of tests/e2e/tracers/seen -->\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/native-tracers.md");
    let page = read(&file)?;
    let (before, _) = page.split_once(BEGIN).context("the beginning")?;
    let made = format!("{before}{BEGIN}{}", tables()?);
    keep(&file, &made)?;
    ensure!(
        read(&file)? == made,
        "docs/native-tracers.md is not what was seen: run this with UPDATE=1"
    );
    Ok(())
}

fn keep(file: &Path, text: &str) -> Result<()> {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    let missing = || {
        format!(
            "{}: run with UPDATE=1, and read what it writes",
            file.display()
        )
    };
    fs::read_to_string(file).with_context(missing)
}

fn line(release: Release) -> String {
    let version = release.to_string();
    let line = version.rsplit_once('.').map(|(line, _)| line.to_owned());
    line.unwrap_or(version)
}

fn file(line: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/e2e/tracers/seen/{line}.txt"))
}

/// By tracer, whether it propagates, mode, ratio and what came in: by line and place, what was seen.
type Seen = BTreeMap<[String; 5], BTreeMap<(String, String), String>>;

fn tables() -> Result<String> {
    let mut seen = Seen::new();
    for release in Release::ALL {
        let line = line(release);
        for text in read(&file(&line))?.lines() {
            let (key, cell) = text.split_once(": ").context("no key")?;
            let words: Vec<&str> = key.split(' ').collect();
            let [tracer, propagates, mode, ratio, place, came_in] = words.as_slice() else {
                anyhow::bail!("{key}");
            };
            let key = [tracer, propagates, mode, ratio, came_in].map(|word| (*word).to_owned());
            let place = (line.clone(), (*place).to_owned());
            seen.entry(key).or_default().insert(place, cell.to_owned());
        }
    }
    let mut page = String::new();
    for (propagates, title) in [("propagates", ""), ("quiet", ", `no_context_propagation`")] {
        for tracer in Tracer::ALL {
            write!(page, "\n### {tracer}{title}\n\n| came in |")?;
            for mode in MODES {
                write!(page, " `{mode}`, 100 % | `{mode}`, 0 % |")?;
            }
            page.push_str("\n|---|---|---|---|---|---|---|\n");
            for came_in in CameIn::ALL {
                write!(page, "| {came_in} |")?;
                for (mode, ratio) in MODES.iter().flat_map(|mode| [(mode, "100"), (mode, "0")]) {
                    let key = [
                        &*tracer.to_string(),
                        propagates,
                        mode,
                        ratio,
                        &came_in.to_string(),
                    ];
                    let cells = seen.get(&key.map(str::to_owned)).context("not seen")?;
                    write!(page, " {} |", merged(cells, came_in)?)?;
                }
                page.push('\n');
            }
        }
    }
    Ok(page)
}

/// The line of where something was seen, or the place.
type Part = fn(&(String, String)) -> &str;

/// One text where all lines and places agree, else one for each that does not.
fn merged(cells: &BTreeMap<(String, String), String>, came_in: CameIn) -> Result<String> {
    let mut by_text: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (place, cell) in cells {
        by_text
            .entry(words(cell, came_in)?)
            .or_default()
            .push(place.clone());
    }
    if by_text.len() == 1 {
        return Ok(by_text.into_keys().collect());
    }
    let distinct = |which: Part, of: &[(String, String)]| {
        let mut names: Vec<&str> = of.iter().map(which).collect();
        names.sort_unstable();
        names.dedup();
        names.join(", ")
    };
    let (line, place): (Part, Part) = (|at| &at.0, |at| &at.1);
    let all = |which| distinct(which, &cells.keys().cloned().collect::<Vec<_>>());
    // By what tells the texts apart: all places of some lines, or some places of all lines.
    let is_told_by = |which, other| {
        let is_whole = |at: &Vec<(String, String)>| distinct(other, at) == all(other);
        let count: usize = by_text
            .values()
            .map(|at| distinct(which, at).split(", ").count())
            .sum();
        by_text.values().all(is_whole) && count == all(which).split(", ").count()
    };
    let which = [(line, place), (place, line)]
        .into_iter()
        .find(|(which, other)| is_told_by(*which, *other));
    let (which, _) =
        which.with_context(|| format!("neither lines nor places tell: {by_text:?}"))?;
    let mut texts: Vec<String> = by_text
        .iter()
        .map(|(text, at)| format!("{}: {text}", distinct(which, at)))
        .collect();
    texts.sort();
    Ok(texts.join("<br>"))
}

/// A cell for people.
fn words(cell: &str, came_in: CameIn) -> Result<String> {
    let value = |key: &str| -> Result<&str> {
        let words = cell.split(' ');
        let mut values = words.filter_map(|word| word.split_once('='));
        let found = values.find(|(known, _)| *known == key);
        Ok(found.with_context(|| format!("no {key} in {cell}"))?.1)
    };
    let (w3c, b3) = (value("w3c")?, value("b3")?);
    let why = if matches!(came_in, CameIn::Nothing | CameIn::Half) {
        "¹"
    } else {
        "²"
    };
    let left = match (w3c, b3) {
        ("-", "-") => "none".to_owned(),
        ("-", b3) => format!("{b3}, B3 alone{why}"),
        (w3c, "-") => format!("{w3c}, W3C alone{why}"),
        (w3c, b3) if w3c == b3 => w3c.to_owned(),
        (w3c, b3) => format!("✗ W3C {w3c}, B3 {b3}"),
    };
    Ok(format!("{left} · {}", value("reported")?))
}
