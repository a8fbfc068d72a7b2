//! What was seen, kept: a file for each line, and of all of them the tables of docs/native-tracers.md.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use throughline_dev::envoy::Release;

fn file(release: Release) -> PathBuf {
    let version = release.to_string();
    let line = version
        .rsplit_once('.')
        .map_or(version.as_str(), |(line, _)| line);
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/e2e/tracers/seen/{line}.txt"))
}

/// Compares what a line did with what is written down, or writes it down.
pub fn compare(release: Release, lines: &[String]) -> Result<()> {
    let (file, seen) = (file(release), lines.join("\n") + "\n");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &seen).with_context(|| file.display().to_string())?;
    }
    let expected = fs::read_to_string(&file).with_context(|| {
        format!(
            "{}: run with UPDATE=1, and read what it writes",
            file.display()
        )
    })?;
    let differs: Vec<String> = seen
        .lines()
        .filter(|line| !expected.lines().any(|known| known == *line))
        .map(|line| format!("seen, and not written down: {line}"))
        .chain(
            expected
                .lines()
                .filter(|line| !seen.lines().any(|known| known == *line))
                .map(|line| format!("written down, and not seen: {line}")),
        )
        .collect();
    ensure!(differs.is_empty(), "{}", differs.join("\n"));
    Ok(())
}
