//! Measured figures in the documentation, between two comments: written by what measured them, read by what checks them.

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

/// What stands there now.
pub fn read(file: &Path, name: &str) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let (_, figures, _) = parts(&text, name)
        .with_context(|| format!("{} has no place for the figures {name}", file.display()))?;
    Ok(figures.trim().to_owned())
}

fn replaced(text: &str, name: &str, figures: &str) -> Option<String> {
    let (before, _, after) = parts(text, name)?;
    Some(format!("{before}\n{}\n{after}", figures.trim()))
}

/// What is before the figures, with the comment; the figures; what is after, with the comment.
fn parts<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let begin = format!("<!-- figures: {name} -->");
    let from = text.find(&begin)? + begin.len();
    let (before, rest) = text.split_at(from);
    let (figures, after) = rest.split_at(rest.find(&format!("<!-- end of figures: {name} -->"))?);
    Some((before, figures, after))
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
