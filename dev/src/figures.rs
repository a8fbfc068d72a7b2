//! Measured figures in the documentation: written by what measured them, between two comments.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Replaces what stands between `<!-- figures: NAME -->` and `<!-- end of figures: NAME -->` in a file.
pub fn write(file: &Path, name: &str, figures: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let changed = replaced(&text, name, figures)
        .with_context(|| format!("{} has no place for the figures {name}", file.display()))?;
    fs::write(file, changed).with_context(|| file.display().to_string())
}

fn replaced(text: &str, name: &str, figures: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- figures: {name} -->"),
        format!("<!-- end of figures: {name} -->"),
    );
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n{end}{after}", figures.trim()))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn only_what_is_between_the_comments_changes() {
        let text = "a\n<!-- figures: x -->\nold\n<!-- end of figures: x -->\nb <!-- figures: y -->";
        let new =
            "a\n<!-- figures: x -->\n| new |\n<!-- end of figures: x -->\nb <!-- figures: y -->";
        assert_eq!(replaced(text, "x", "\n| new |\n").as_deref(), Some(new));
        assert_eq!(replaced(new, "x", "| new |").as_deref(), Some(new));
        assert_eq!(replaced(text, "y", ""), None);
    }
}
