//! A page as Markdown's readers see it: its blocks of code, its links, and the places that links lead to.

use super::root;
use anyhow::{Context, Result, ensure};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};
use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::process::Command;

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// From the repository's root.
    pub path: String,
    /// As it is written.
    pub text: String,
}

/// A fenced block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line on which it begins.
    pub line: usize,
    /// What stands behind the fence: the language, and for what the block is.
    pub info: String,
    /// What is in it.
    pub text: String,
}

/// A link, or an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The line on which it begins.
    pub line: usize,
    /// As it is written.
    pub to: String,
}

impl Page {
    /// Reads the page of that path.
    pub fn read(path: &str) -> Result<Self> {
        let text = fs::read_to_string(root().join(path)).with_context(|| path.to_owned())?;
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// Its fenced blocks, in their order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut found = Vec::new();
        let mut open: Option<Block> = None;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    open = Some(Block {
                        line: self.line(&range),
                        info: info.trim().to_owned(),
                        text: String::new(),
                    });
                }
                Event::Text(text) => {
                    if let Some(block) = &mut open {
                        block.text.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => found.extend(open.take()),
                _ => {}
            }
        }
        found
    }

    /// Whether something else than another block stands before a block.
    pub fn is_introduced(&self, block: &Block) -> bool {
        let before = self.text.lines().take(block.line.saturating_sub(1));
        let last = before.filter(|line| !line.trim().is_empty()).last();
        last.is_some_and(|line| !line.trim_start().starts_with("```"))
    }

    /// What it links to, in their order.
    pub fn links(&self) -> Vec<Link> {
        let of = |(event, range)| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(Link {
                line: self.line(&range),
                to: dest_url.into_string(),
            }),
            _ => None,
        };
        self.events().filter_map(of).collect()
    }

    /// The fragments by which its headings are reached, as code forges and mdBook make them of their words.
    pub fn anchors(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut heading: Option<String> = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = heading.take().map(|text| anchor(&text)).unwrap_or_default();
                    let again = (1..).map(|number| format!("{anchor}-{number}"));
                    let free = std::iter::once(anchor.clone())
                        .chain(again)
                        .find(|anchor| !found.contains(anchor));
                    found.extend(free);
                }
                _ => {}
            }
        }
        found
    }

    /// As HTML, where links to pages are links to their HTML.
    pub fn to_html(&self) -> String {
        let linked = self.events().map(|(event, _)| match event {
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => Event::Start(Tag::Link {
                link_type,
                dest_url: to_html(&dest_url).map_or(dest_url, CowStr::from),
                title,
                id,
            }),
            event => event,
        });
        let mut page = String::from("<!doctype html>\n<meta charset=\"utf-8\">\n");
        html::push_html(&mut page, linked);
        page
    }

    fn events(&self) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }

    fn line(&self, range: &Range<usize>) -> usize {
        let before = self.text.get(..range.start).unwrap_or_default();
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }
}

/// A link to a page, as a link to the HTML that is made of it.
fn to_html(link: &str) -> Option<String> {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let path = path.strip_suffix(".md")?;
    let mark = if fragment.is_empty() { "" } else { "#" };
    (!link.contains("://")).then(|| format!("{path}.html{mark}{fragment}"))
}

fn anchor(heading: &str) -> String {
    let kept = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter.is_alphanumeric().then_some(letter),
    };
    heading.to_lowercase().chars().filter_map(kept).collect()
}

/// Every page that people read, sorted, so that a failure is the same everywhere. The change log tells of the past.
pub fn pages() -> Result<Vec<String>> {
    let mut pages = files("*.md")?;
    pages.retain(|page| page != "CHANGELOG.md");
    Ok(pages)
}

/// The repository's files of that pattern of git's, or below that directory, sorted; what is not committed yet included.
pub fn files(pattern: &str) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .args(["--", pattern])
        .current_dir(root())
        .output()
        .context("git, which knows the repository's files")?;
    ensure!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let files = String::from_utf8(output.stdout)?;
    let mut files: Vec<_> = files.lines().map(str::to_owned).collect();
    files.retain(|file| root().join(file).is_file());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{Block, Link, Page};

    const TEXT: &str = "# A `b` c: d\n\n```yaml of it\nx: 1\n```\n\n\
        - [one](a.md#b)\n  ```\n  `[no](c)`\n  ```\n\n## Same\n\n## Same\n\n![i](d.png)\n";

    fn page() -> Page {
        Page {
            path: "a.md".to_owned(),
            text: TEXT.to_owned(),
        }
    }

    #[test]
    fn blocks_have_their_line_and_their_words() {
        let block = |line, info: &str, text: &str| Block {
            line,
            info: info.to_owned(),
            text: text.to_owned(),
        };
        let found = page().blocks();
        assert_eq!(
            found,
            [
                block(3, "yaml of it", "x: 1\n"),
                block(8, "", "`[no](c)`\n")
            ]
        );
    }

    #[test]
    fn links_are_told_from_code() {
        let link = |line, to: &str| Link {
            line,
            to: to.to_owned(),
        };
        assert_eq!(page().links(), [link(7, "a.md#b"), link(16, "d.png")]);
        assert!(page().to_html().contains("href=\"a.html#b\""));
    }

    #[test]
    fn anchors_are_as_forges_make_them() {
        let found: Vec<_> = page().anchors().into_iter().collect();
        assert_eq!(found, ["a-b-c-d", "same", "same-1"]);
    }
}
