//! Where a text comes from: a file, standard input, or Envoy's admin. None is trusted: time and size are bounded.

use crate::Failure;
use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Several times the config dump of a mesh with thousands of services.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Several times all manifests of a large mesh.
const MOST_BYTES_OF_MANIFESTS: u64 = 32 * 1024 * 1024;

const STANDARD_INPUT: &str = "standard input";

/// For a whole answer of Envoy's admin.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a user names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    StandardInput,
    File(PathBuf),
    Url(Url),
}

/// An address under Envoy's admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    base: String,
    path: String,
}

/// What was read, and what to call it.
#[derive(Clone, Debug)]
pub struct Text {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl FromStr for Source {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        if text == "-" {
            return Ok(Self::StandardInput);
        }
        match text.split_once("://") {
            Some(("http", rest)) => {
                let (authority, path) = match rest.find('/') {
                    Some(at) => rest.split_at(at),
                    None => (rest, ""),
                };
                if authority.is_empty() {
                    return Err(Failure::new(
                        "names no host, as http://localhost:15000 does",
                    ));
                }
                Ok(Self::Url(Url {
                    base: format!("http://{authority}"),
                    path: path.trim_end_matches('/').to_owned(),
                }))
            }
            Some((scheme, _)) => Err(Failure::new(format!(
                "Envoy's admin speaks http, not {scheme}: forward its port (kubectl port-forward -n NAMESPACE POD 15000), then \
                 http://localhost:15000"
            ))),
            None => Ok(Self::File(text.into())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StandardInput => f.write_str(STANDARD_INPUT),
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => write!(f, "{}{}", url.base, url.path),
        }
    }
}

impl Source {
    /// Where the file stands, for a command.
    pub fn folder(&self) -> String {
        let parent = match self {
            Self::File(path) => path.parent(),
            Self::StandardInput | Self::Url(_) => return "DIR".to_owned(),
        };
        let parent = parent.filter(|parent| !parent.as_os_str().is_empty());
        parent.map_or_else(|| ".".to_owned(), |parent| parent.display().to_string())
    }

    /// All of what Envoy or istioctl printed, if that is not too much.
    pub fn read(&self) -> Result<Text, Failure> {
        match self {
            Self::Url(url) => url.get(&url.path),
            local => local.read_local(MOST_BYTES),
        }
    }

    /// A manifest, a configuration: what people keep in files.
    pub fn read_manifest(&self) -> Result<Text, Failure> {
        match self {
            Self::Url(url) => Err(Failure::new(format!(
                "{}{}: is an address: give a file, or - for standard input",
                url.base, url.path
            ))),
            local => local.read_local(MOST_BYTES_OF_MANIFESTS),
        }
    }

    fn read_local(&self, most: u64) -> Result<Text, Failure> {
        match self {
            Self::File(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| cannot_read(&name, &error))?;
                bounded(&name, file, most)
            }
            Self::StandardInput | Self::Url(_) => {
                let input = io::stdin();
                if input.is_terminal() {
                    return Err(Failure::new(
                        "standard input is a terminal: pipe into it what is to be read",
                    ));
                }
                bounded(STANDARD_INPUT, input.lock(), most)
            }
        }
    }
}

impl Url {
    /// Whether it names the whole admin, and not one of its pages.
    pub fn is_admin(&self) -> bool {
        self.path.is_empty()
    }

    /// Another page of the same admin.
    pub fn get(&self, path: &str) -> Result<Text, Failure> {
        let name = format!("{}{path}", self.base);
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            // Envoy's admin is near; it neither needs a proxy nor sends elsewhere.
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .build()
            .new_agent();
        let answer = agent.get(&name).call();
        let mut answer = answer.map_err(|error| {
            Failure::new(format!(
                "{name}: {error}; is it the address of Envoy's admin, and its port forwarded (kubectl port-forward -n NAMESPACE POD 15000)?"
            ))
        })?;
        let status = answer.status();
        if status != 200 {
            return Err(Failure::new(format!(
                "{name}: answered {status}; is it the address of Envoy's admin?"
            )));
        }
        // One byte more, to tell what fits from what does not.
        let body = answer
            .body_mut()
            .with_config()
            .limit(MOST_BYTES.saturating_add(1));
        bounded(&name, body.reader(), MOST_BYTES)
    }
}

fn bounded(name: &str, from: impl Read, most: u64) -> Result<Text, Failure> {
    let mut bytes = Vec::new();
    let mut from = from.take(most.saturating_add(1));
    from.read_to_end(&mut bytes)
        .map_err(|error| cannot_read(name, &error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(Failure::new(format!(
            "{name}: has more than {} MiB, the most that is read",
            most / (1024 * 1024)
        )));
    }
    Ok(Text {
        name: name.to_owned(),
        bytes,
    })
}

fn cannot_read(name: &str, error: &io::Error) -> Failure {
    Failure::new(format!("{name}: cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn what_is_named_is_told_apart() {
        for (text, expected) in [
            ("-", "StandardInput"),
            ("dump.json", r#"File("dump.json")"#),
            ("http", r#"File("http")"#),
            (
                "http://localhost:15000",
                r#"Url(Url { base: "http://localhost:15000", path: "" })"#,
            ),
            (
                "http://localhost:15000/",
                r#"Url(Url { base: "http://localhost:15000", path: "" })"#,
            ),
            (
                "http://[::1]:15000/config_dump?include_eds",
                r#"Url(Url { base: "http://[::1]:15000", path: "/config_dump?include_eds" })"#,
            ),
        ] {
            let source = text.parse::<Source>().map(|source| format!("{source:?}"));
            assert_eq!(source.as_deref(), Ok(expected), "{text}");
        }
        for (text, named) in [
            ("https://localhost:15000", "not https"),
            ("ftp://x", "not ftp"),
            ("http://", "no host"),
            ("http:///x", "no host"),
        ] {
            let error = text.parse::<Source>().expect_err(text).to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
