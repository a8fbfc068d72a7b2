//! docs/doctor.md names every finding, and shows what the program really says.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use throughline_cli::doctor::Code;

fn page() -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/doctor.md");
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

#[test]
fn every_finding_is_explained_at_its_severity() -> Result<()> {
    let page = page()?;
    for code in Code::ALL {
        let name = serde_json::to_value(code)?;
        let severity = serde_json::to_value(code.severity())?;
        let row = format!(
            "| `{}` | {} |",
            name.as_str().context("a name")?,
            severity.as_str().context("a severity")?
        );
        ensure!(page.contains(&row), "docs/doctor.md has no row {row}");
    }
    Ok(())
}

/// Of the repository, as far as the recorded states make the doctor name them.
#[test]
fn files_that_findings_name_are_there() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = 0;
    for state in fs::read_dir(root.join("cli/tests/dumps"))? {
        let text = fs::read_to_string(state?.path().join("expected.txt"))?;
        let words = text.split(|char: char| char.is_whitespace() || "(),;".contains(char));
        for word in words.map(|word| word.trim_end_matches('.')) {
            let is_file = ["docs/", "wasmplugin/", "examples/"]
                .iter()
                .any(|folder| word.starts_with(folder));
            if is_file {
                named += 1;
                ensure!(root.join(word).exists(), "{word} is not there");
            }
        }
    }
    ensure!(named > 0, "no finding names a file");
    Ok(())
}

#[test]
fn the_example_is_what_is_said() -> Result<()> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dumps/service-missing/expected.txt");
    let said = fs::read_to_string(path)?;
    let (said, _) = said.rsplit_once("\nexit code").context("an exit code")?;
    ensure!(
        page()?.contains(said),
        "docs/doctor.md does not show:\n{said}"
    );
    Ok(())
}
