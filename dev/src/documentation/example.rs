//! Worked examples: a `pluginConfig`, requests, and what is then seen of each. `tests/e2e/scenarios/examples.rs` plays them.
//!
//! An example begins with a block `yaml pluginConfig` and goes on to the next one, or to the end of the page. What a block is, the
//! words behind its fence say:
//!
//! | words | what it shows |
//! |---|---|
//! | `http request` | a request as it comes to the application's sidecar; each begins an exchange of its own |
//! | `http request at a gateway` | the same at a gateway, which passes it on to the sidecar |
//! | `http application` | what the application gets: every trace header, and those of the others that matter |
//! | `http call` | the call that the application makes then |
//! | `http callee` | what the callee gets |
//! | `http answer` | the application's answer, if it is not 200 |
//! | `http response` | what the client gets: the status, and the headers that matter |
//! | `json access log` | keys of the entry at the proxy where the request came in |
//! | `yaml spans` | every span that is exported, with the attributes that matter |

use super::markdown::{Block, Page, files};
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A configuration, and what it does.
#[derive(Clone, Debug)]
pub struct Example {
    /// The page and the line where it stands.
    pub place: String,
    pub config: Value,
    pub exchanges: Vec<Exchange>,
}

/// A request, and what is seen of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub place: String,
    pub at_gateway: bool,
    pub request: Message,
    pub application: Option<Message>,
    pub call: Option<Message>,
    pub callee: Option<Message>,
    pub answer: Option<Message>,
    pub response: Option<Message>,
    pub access_log: BTreeMap<String, String>,
    pub spans: Option<Vec<Span>>,
}

/// A request or a response.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub place: String,
    /// The method and the target, or `HTTP/1.1` and the status.
    pub start: [String; 2],
    pub headers: Vec<(String, String)>,
}

/// A span. What is left out of `attributes` and `resource` is not looked at; a parent, links and a tracestate that are left out
/// must not be there.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub service: String,
    pub kind: String,
    pub name: String,
    pub trace: String,
    pub span: String,
    #[serde(default)]
    pub parent: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub tracestate: String,
    #[serde(default)]
    pub links: Vec<Link>,
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    #[serde(default)]
    pub resource: BTreeMap<String, Value>,
}

/// A link of a span.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub trace: String,
    pub span: String,
}

/// The words of the block with which an example begins.
pub const CONFIG: &str = "yaml pluginConfig";

/// Every example of every page of the book.
pub fn examples() -> Result<Vec<Example>> {
    let mut found = Vec::new();
    for path in files("docs/*.md")? {
        found.extend(of_page(&Page::read(&path)?)?);
    }
    ensure!(!found.is_empty(), "no example in any page");
    Ok(found)
}

fn of_page(page: &Page) -> Result<Vec<Example>> {
    let mut found: Vec<Example> = Vec::new();
    for block in page.blocks() {
        let place = format!("{}:{}", page.path, block.line);
        read(&mut found, &block, &place)
            .and_then(|is_of_an_example| {
                ensure!(
                    !is_of_an_example || page.is_introduced(&block),
                    "no text before it says to people what it is"
                );
                Ok(())
            })
            .with_context(|| format!("{place}: {}", block.info))?;
    }
    for example in &found {
        example.check()?;
    }
    Ok(found)
}

/// Takes the block, if it is of an example, and says whether it is.
fn read(found: &mut Vec<Example>, block: &Block, place: &str) -> Result<bool> {
    if block.info == CONFIG {
        found.push(Example {
            place: place.to_owned(),
            config: serde_yaml_ng::from_str(&block.text)?,
            exchanges: Vec::new(),
        });
        return Ok(true);
    }
    let is_of_an_example = block.info.contains(' ') || block.info == "http";
    if !is_of_an_example {
        return Ok(false);
    }
    let example = found.last_mut().context("no pluginConfig before it")?;
    let message = || Message::parse(&block.text, place);
    if let Some(at) = block.info.strip_prefix("http request") {
        ensure!(["", " at a gateway"].contains(&at), "no such block");
        example.exchanges.push(Exchange {
            place: place.to_owned(),
            at_gateway: !at.is_empty(),
            request: message()?,
            application: None,
            call: None,
            callee: None,
            answer: None,
            response: None,
            access_log: BTreeMap::new(),
            spans: None,
        });
        return Ok(true);
    }
    let exchange = example
        .exchanges
        .last_mut()
        .context("no request before it")?;
    let twice = match block.info.as_str() {
        "http application" => exchange.application.replace(message()?).is_some(),
        "http call" => exchange.call.replace(message()?).is_some(),
        "http callee" => exchange.callee.replace(message()?).is_some(),
        "http answer" => exchange.answer.replace(message()?).is_some(),
        "http response" => exchange.response.replace(message()?).is_some(),
        "json access log" => {
            let entry: BTreeMap<String, String> = serde_json::from_str(&block.text)?;
            ensure!(!entry.is_empty(), "it shows nothing");
            let before = std::mem::replace(&mut exchange.access_log, entry);
            !before.is_empty()
        }
        "yaml spans" => exchange
            .spans
            .replace(serde_yaml_ng::from_str(&block.text)?)
            .is_some(),
        _ => bail!("no such block"),
    };
    ensure!(!twice, "the second one of this request");
    Ok(true)
}

impl Example {
    /// Whether it shows enough to be one.
    fn check(&self) -> Result<()> {
        let place = &self.place;
        ensure!(!self.exchanges.is_empty(), "{place}: no request");
        let exports = self.config.get("export").is_some();
        for exchange in &self.exchanges {
            let place = &exchange.place;
            let shows = exchange.application.is_some()
                || exchange.callee.is_some()
                || exchange.response.is_some()
                || !exchange.access_log.is_empty()
                || exchange.spans.is_some();
            ensure!(shows, "{place}: nothing is seen of this request");
            ensure!(
                exchange.call.is_some() == exchange.callee.is_some(),
                "{place}: a call and a callee want each other"
            );
            // Else those of one request could be taken for another's.
            ensure!(
                exports == exchange.spans.is_some(),
                "{place}: the configuration has `export`, and the request no spans, or the other way round"
            );
        }
        Ok(())
    }
}

impl Message {
    fn parse(text: &str, place: &str) -> Result<Self> {
        let mut lines = text.lines();
        let first: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
        let start = match *first.as_slice() {
            ["HTTP/1.1", status, ..] => ["HTTP/1.1", status],
            [method, target, "HTTP/1.1"] => [method, target],
            _ => bail!("its first line is neither a request's nor a status"),
        };
        let header = |line: &str| {
            let (name, value) = line.split_once(':').context("a header without a colon")?;
            ensure!(
                !name.is_empty() && !name.contains(' '),
                "{name:?} is no header's name"
            );
            Ok((name.to_owned(), value.trim().to_owned()))
        };
        Ok(Self {
            place: place.to_owned(),
            start: start.map(str::to_owned),
            headers: lines.map(header).collect::<Result<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, of_page};

    fn blocks(blocks: &[(&str, &str)]) -> Result<usize, String> {
        let block = |(info, text): &(&str, &str)| format!("It:\n```{info}\n{text}\n```\n");
        let page = Page {
            path: "a.md".to_owned(),
            text: blocks.iter().map(block).collect(),
        };
        of_page(&page)
            .map(|examples| examples.len())
            .map_err(|error| format!("{error:#}"))
    }

    const CONFIG: (&str, &str) = ("yaml pluginConfig", "{}");
    const REQUEST: (&str, &str) = ("http request", "GET / HTTP/1.1\nb3: 0");
    const APPLICATION: (&str, &str) = ("http application", "GET / HTTP/1.1");

    #[test]
    fn an_example_has_a_configuration_a_request_and_what_is_seen() {
        assert_eq!(blocks(&[CONFIG, REQUEST, APPLICATION]), Ok(1));
        assert_eq!(
            blocks(&[("console", "$ a"), ("yaml", "a: 1"), ("json", "{}")]),
            Ok(0)
        );
    }

    #[test]
    fn people_are_told_what_each_block_is() {
        let page = |between: &str| Page {
            path: "a.md".to_owned(),
            text: format!(
                "It:\n```{}\n{{}}\n```\n{between}\n```http request\n```\n",
                CONFIG.0
            ),
        };
        let words = "no text before it";
        let says = |page: &Page| format!("{:#}", of_page(page).expect_err("no request line"));
        assert!(!says(&page("The request:")).contains(words));
        let mut bare = page("");
        bare.text = bare
            .text
            .replace("```http request\n", "```http request\nGET / HTTP/1.1\n");
        assert!(says(&bare).contains(words));
    }

    #[test]
    fn what_is_malformed_says_where() {
        let export = ("yaml pluginConfig", "export: {cluster: a}");
        for (page, place, words) in [
            (vec![REQUEST], 2, "no pluginConfig before it"),
            (vec![CONFIG, APPLICATION], 6, "no request before it"),
            (vec![CONFIG], 2, "no request"),
            (vec![CONFIG, REQUEST], 6, "nothing is seen"),
            (vec![CONFIG, ("http", "")], 6, "no request before it"),
            (
                vec![CONFIG, REQUEST, ("http aplication", "")],
                11,
                "no such block",
            ),
            (
                vec![CONFIG, ("http request somewhere", "")],
                6,
                "no such block",
            ),
            (
                vec![CONFIG, REQUEST, ("yaml plugin config", "")],
                11,
                "no such block",
            ),
            (
                vec![CONFIG, REQUEST, APPLICATION, APPLICATION],
                15,
                "the second one",
            ),
            (vec![CONFIG, ("http request", "GET /")], 6, "its first line"),
            (
                vec![CONFIG, ("http request", "GET / HTTP/1.1\nb3")],
                6,
                "without a colon",
            ),
            (
                vec![CONFIG, ("http request", "GET / HTTP/1.1\na b: c")],
                6,
                "no header's name",
            ),
            (
                vec![
                    CONFIG,
                    REQUEST,
                    APPLICATION,
                    ("http call", "GET / HTTP/1.1"),
                ],
                6,
                "a call and a callee",
            ),
            (
                vec![CONFIG, REQUEST, ("json access log", "{}")],
                11,
                "shows nothing",
            ),
            (
                vec![CONFIG, REQUEST, ("json access log", "{\"a\": 1}")],
                11,
                "expected a string",
            ),
            (
                vec![CONFIG, REQUEST, ("yaml spans", "[]")],
                6,
                "the other way round",
            ),
            (
                vec![export, REQUEST, APPLICATION],
                6,
                "the configuration has `export`",
            ),
            (
                vec![export, REQUEST, ("yaml spans", "[{knd: SERVER}]")],
                11,
                "unknown field",
            ),
            (vec![("yaml pluginConfig", "a: [")], 2, "yaml pluginConfig"),
        ] {
            let error = blocks(&page).expect_err(words);
            assert!(
                error.starts_with(&format!("a.md:{place}: ")) && error.contains(words),
                "{words}: {error}"
            );
        }
    }
}
