//! The book that mdBook makes of docs/: what its pages link to elsewhere in the repository, and whether every link leads
//! somewhere.
//!
//! The book lies where docs/ lies in the repository, and what the pages link to is put beside it at its own path, so that the same
//! links work in both.

use super::links::target;
use super::{Page, files, root};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where a reader who opens the whole begins.
const FIRST: &str =
    "<!doctype html>\n<meta http-equiv=\"refresh\" content=\"0; url=docs/index.html\">\n";

/// Puts beside the book in `out` what its pages link to, and what those pages link to in turn: files as they are, pages as HTML,
/// directories with a list of their files.
pub fn complete(out: &Path) -> Result<()> {
    write(out, "index.html", FIRST)?;
    let mut unread = files("docs/*.md")?;
    let mut seen: BTreeSet<String> = unread.iter().cloned().collect();
    while let Some(path) = unread.pop() {
        let page = Page::read(&path)?;
        if !path.starts_with("docs/") {
            write(out, &html(&path), &page.to_html())?;
        }
        for link in page.links() {
            let Some(target) = target(&path, &link.to) else {
                continue;
            };
            let all = files(&target.path)?;
            if root().join(&target.path).is_dir() {
                write(
                    out,
                    &format!("{}/index.html", target.path),
                    &list(&target.path, &all),
                )?;
            }
            for file in all {
                if !seen.insert(file.clone()) {
                    continue;
                }
                match file.ends_with(".md") {
                    true => unread.push(file),
                    false => copy(out, &file)?,
                }
            }
        }
    }
    Ok(())
}

/// The links in the HTML below `out` that lead nowhere in it.
pub fn dead(out: &Path) -> Result<Vec<String>> {
    let mut dead = Vec::new();
    for page in pages_below(out)? {
        let text = fs::read_to_string(&page)?;
        let beside = page.parent().context("a file in no directory")?;
        for link in attributes(&text, "href").chain(attributes(&text, "src")) {
            if link.contains(':') || link.starts_with("//") {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((&link, ""));
            let to = match path {
                "" => page.clone(),
                path => beside.join(path),
            };
            let to = if to.is_dir() {
                to.join("index.html")
            } else {
                to
            };
            let leads = to.is_file()
                && (fragment.is_empty()
                    || attributes(&fs::read_to_string(&to)?, "id").any(|id| id == fragment));
            if !leads {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    Ok(dead)
}

/// A page of links to the files below a directory.
fn list(directory: &str, files: &[String]) -> String {
    let item = |file: &String| {
        let below = file.strip_prefix(directory).unwrap_or(file);
        let below = below.trim_start_matches('/');
        format!("<li><a href=\"{}\">{below}</a>\n", html(below))
    };
    let items: String = files.iter().map(item).collect();
    format!("<!doctype html>\n<meta charset=\"utf-8\">\n<h1>{directory}</h1>\n<ul>\n{items}</ul>\n")
}

/// What mdBook calls a page's HTML.
fn html(path: &str) -> String {
    match path.strip_suffix(".md") {
        Some(page) => format!("{page}.html"),
        None => path.to_owned(),
    }
}

fn write(out: &Path, path: &str, text: &str) -> Result<()> {
    let path = out.join(path);
    fs::create_dir_all(path.parent().context("a file in no directory")?)?;
    fs::write(&path, text).with_context(|| path.display().to_string())
}

fn copy(out: &Path, path: &str) -> Result<()> {
    let to = out.join(path);
    fs::create_dir_all(to.parent().context("a file in no directory")?)?;
    fs::copy(root().join(path), to).with_context(|| path.to_owned())?;
    Ok(())
}

fn pages_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(pages_below(&path)?);
        } else if path.extension() == Some("html".as_ref()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The values of an attribute in HTML that a program wrote.
fn attributes(text: &str, name: &str) -> impl Iterator<Item = String> {
    let begin = format!(" {name}=\"");
    let values = text.split(&begin).skip(1).collect::<Vec<_>>().into_iter();
    values.map(|rest| {
        let value = rest.split('"').next().unwrap_or_default();
        value.replace("&amp;", "&").replace("%20", " ")
    })
}

#[cfg(test)]
mod tests {
    use super::{dead, write};

    #[test]
    fn links_that_lead_nowhere_are_named() {
        let out = tempfile::tempdir().expect("a directory");
        let page = "<a href=\"b.html#x\"> <a href=\"b.html#y\"> <a href=\"c.html\"> <a href=\"d\"> <img src=\"e.png\"> \
            <a href=\"#z\" id=\"z\"> <a href=\"https://example.com/c.html\">";
        write(out.path(), "a.html", page).expect("a page");
        write(out.path(), "b.html", "<h2 id=\"x\">").expect("a page");
        write(out.path(), "d/index.html", "").expect("a page");
        let found = dead(out.path()).expect("a book");
        let a = out.path().join("a.html");
        let wanted = ["b.html#y", "c.html", "e.png"].map(|link| format!("{}: {link}", a.display()));
        assert_eq!(found, wanted);
    }
}
