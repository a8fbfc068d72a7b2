//! docs/troubleshooting.md, whose quotes are what the scenarios see, so that the page and the mesh cannot part.

use crate::manifests::root;
use anyhow::{Context, Result, ensure};

/// That a section of the page quotes this, and that it is in what was seen.
pub fn quotes(section: &str, quote: &str, seen: &str) -> Result<()> {
    let path = root().join("docs/troubleshooting.md");
    let page = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut sections = page.split("\n## ");
    let text = sections.find(|text| text.lines().next() == Some(section));
    let text = text.with_context(|| format!("the page has no section {section:?}"))?;
    // Lines of the page end where they are full.
    let text: Vec<_> = text.split_whitespace().collect();
    ensure!(
        text.join(" ").contains(quote),
        "{section:?} of the page does not say: {quote}"
    );
    ensure!(
        seen.contains(quote),
        "{section:?} of the page says {quote:?}, which is not in:\n{seen}"
    );
    Ok(())
}
