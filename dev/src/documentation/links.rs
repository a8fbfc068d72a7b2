//! Whether the pages' links lead somewhere in the repository.

use super::{Page, files, root};
use anyhow::Result;
use std::path::{Component, Path, PathBuf};

/// Where a link leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// From the repository's root.
    pub path: String,
    /// Empty for all of it.
    pub fragment: String,
}

/// Where a link of that page leads; none where it leaves the repository.
pub fn target(page: &str, link: &str) -> Option<Target> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let beside = Path::new(page).parent().unwrap_or(Path::new(""));
    let path = match path {
        "" => PathBuf::from(page),
        path => beside.join(path),
    };
    Some(Target {
        path: normalized(&path),
        fragment: fragment.to_owned(),
    })
}

/// The links of the page that lead nowhere, each with its line.
pub fn dead(page: &Page) -> Result<Vec<String>> {
    let mut dead = Vec::new();
    for link in page.links() {
        let Some(target) = target(&page.path, &link.to) else {
            continue;
        };
        if !leads_somewhere(&target)? {
            dead.push(format!("{}:{}: {}", page.path, link.line, link.to));
        }
    }
    Ok(dead)
}

fn leads_somewhere(target: &Target) -> Result<bool> {
    let path = root().join(&target.path);
    // What git does not know is on this machine alone.
    if target.path.starts_with("..") || !path.exists() || files(&target.path)?.is_empty() {
        return Ok(false);
    }
    if target.fragment.is_empty() {
        return Ok(true);
    }
    let is_page = Path::new(&target.path).extension() == Some("md".as_ref());
    Ok(is_page
        && Page::read(&target.path)?
            .anchors()
            .contains(&target.fragment))
}

/// Without `.` and `..`, as far as they lead.
fn normalized(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            Component::CurDir => {}
            part => parts.push(part.as_os_str().to_string_lossy().into_owned()),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{Page, Target, dead, target};

    #[test]
    fn links_are_relative_to_their_page() {
        let to = |path: &str, fragment: &str| {
            Some(Target {
                path: path.to_owned(),
                fragment: fragment.to_owned(),
            })
        };
        assert_eq!(target("docs/a.md", "#b"), to("docs/a.md", "b"));
        assert_eq!(target("docs/a.md", "c.md#b"), to("docs/c.md", "b"));
        assert_eq!(target("docs/a.md", "../examples/"), to("examples", ""));
        assert_eq!(target("docs/a.md", "../../etc"), to("../etc", ""));
        assert_eq!(target("docs/a.md", "https://example.com/a.md"), None);
    }

    #[test]
    fn what_leads_nowhere_is_named() {
        let page = Page {
            path: "docs/some.md".to_owned(),
            text: "[a](configuration.md#limits) [b](configuration.md#nothing)\n[c](nothing.md)\n\
                [d](../../etc) [e](../Makefile#a) [f](https://example.com/) [g](../examples/envoy) [h](../target)\n"
                .to_owned(),
        };
        let found = dead(&page).expect("a repository");
        let wanted = [
            "docs/some.md:1: configuration.md#nothing",
            "docs/some.md:2: nothing.md",
            "docs/some.md:3: ../../etc",
            "docs/some.md:3: ../Makefile#a",
            "docs/some.md:3: ../target",
        ];
        assert_eq!(found, wanted);
    }
}
