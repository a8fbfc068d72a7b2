//! The proxy that a configuration is for, as it is described on the command line.

use crate::Failure;
use clap::Args;
use std::str::FromStr;
use throughline::policy::service::Node;

/// Which proxy it is.
#[derive(Args, Debug, Default, Clone)]
pub struct Proxy {
    /// The proxy's namespace, for overrides and the service's name
    #[arg(long, short, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// A label of its workload; as often as needed
    #[arg(long = "label", short, value_name = "NAME=VALUE")]
    labels: Vec<Pair>,
    /// Another field of its node's metadata, such as NAME=reviews-v1-7d4f8c9b5-x2x7k; as often as needed
    #[arg(long = "node", value_name = "PATH=VALUE")]
    metadata: Vec<Pair>,
    /// A variable of the Wasm VM (vmConfig.env); as often as needed
    #[arg(long = "env", short, value_name = "NAME=VALUE")]
    environment: Vec<Pair>,
}

/// `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub name: String,
    pub value: String,
}

impl FromStr for Pair {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(Failure::new("expected NAME=VALUE")),
        }
    }
}

/// The last one counts, as where a variable is set twice.
pub fn find<'a>(pairs: &'a [Pair], name: &str) -> Option<&'a str> {
    let pair = pairs.iter().rev().find(|pair| pair.name == name)?;
    Some(&pair.value)
}

impl Proxy {
    /// The variable, where the command line sets it.
    pub fn variable(&self, name: &str) -> Option<&str> {
        find(&self.environment, name)
    }

    /// The text at this path of the node's metadata.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        let text = match path {
            ["NAMESPACE"] => self.namespace.as_deref(),
            ["LABELS", name] => find(&self.labels, name),
            _ => None,
        };
        text.or_else(|| find(&self.metadata, &path.join(".")))
            .filter(|text| !text.is_empty())
    }
}

impl Node for &Proxy {
    fn metadata(&mut self, path: &[&str]) -> Option<String> {
        self.text(path).map(str::to_owned)
    }

    fn cluster(&mut self) -> Option<String> {
        None
    }
}
