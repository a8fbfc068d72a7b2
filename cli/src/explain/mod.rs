//! `throughline explain`: what the filter does with a request, and why.
//!
//! - [`request`]: the request
//! - [`attribute`]: what else Envoy has
//! - [`host`]: Envoy in memory
//! - [`trial`]: the filter at work on it
//! - [`story`], [`text`]: what is said of it, to machines and people

mod attribute;
mod host;
mod request;
mod story;
mod text;
mod trial;

pub use self::story::Story;

use self::host::Circumstances;
use self::request::Described;
use self::trial::Trial;
use crate::Failure;
use crate::check::plugin::{Contents, Plugin};
use crate::check::problems::{self, MOST_VALUES};
use crate::check::{Report, check, utf_8};
use crate::output::{self, Format};
use crate::proxy::{Pair, Proxy};
use crate::source::{Source, Text};
use crate::yaml::Documents;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::process::ExitCode;
use throughline::policy::place;
use throughline::policy::tags::Source as TagSource;

const EXAMPLES: &str = "\
The module's own filter decides, over a request in memory. Ids that it makes are the same for the same --seed.

Examples:
  throughline explain -H 'b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1'
  throughline explain --place gateway --url http://shop.example/checkout/7 wasmplugin/base/throughline.yaml
  throughline explain -n bookinfo -l app=ratings -H @request.txt pluginconfig.yaml

Exit code: 0 where the request could be explained, 1 where the configuration is a bad one, 2 where that cannot be told.";

/// Say what the filter does with a request, and why
///
/// What each format said, whose trace goes on, who decided whether it is sampled, and what is written into each header.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The configuration: a file as check takes it, or - for standard input; without one, the defaults
    #[arg(value_name = "FILE")]
    config: Option<Source>,
    /// Where the filter runs
    #[arg(long, value_name = "PLACE", default_value = "sidecar-inbound")]
    place: Place,
    #[command(flatten)]
    request: Described,
    #[command(flatten)]
    proxy: Proxy,
    /// The peer's mTLS identity, such as cluster.local/ns/bookinfo/sa/productpage; without it there is none
    #[arg(long, value_name = "PRINCIPAL")]
    peer: Option<String>,
    /// An attribute of Envoy's, such as xds.cluster_name; as often as needed
    #[arg(long = "property", value_name = "PATH=VALUE")]
    properties: Vec<Pair>,
    /// What ids are made of
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// For people, or for machines (docs/cli.md describes it)
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Place {
    SidecarInbound,
    SidecarOutbound,
    Gateway,
    Waypoint,
    /// An Envoy that Istio does not run
    Envoy,
}

impl From<Place> for place::Place {
    fn from(place: Place) -> Self {
        match place {
            Place::SidecarInbound => Self::SidecarInbound,
            Place::SidecarOutbound => Self::SidecarOutbound,
            Place::Gateway => Self::Gateway,
            Place::Waypoint => Self::Waypoint,
            Place::Envoy => Self::Plain,
        }
    }
}

/// Does it, and says so.
pub fn run(arguments: &Arguments) -> ExitCode {
    let said = explain(arguments).and_then(|(text, code)| output::print(&text).map(|()| code));
    said.unwrap_or_else(|failure| {
        output::complain(&failure);
        ExitCode::from(output::CANNOT_TELL)
    })
}

fn explain(arguments: &Arguments) -> Result<(String, ExitCode), Failure> {
    let request = arguments.request.read()?;
    for property in &arguments.properties {
        attribute::check(property)?;
    }
    let text = match &arguments.config {
        Some(source) => source.read_manifest()?,
        None => Text {
            name: "the defaults".to_owned(),
            bytes: b"{}".to_vec(),
        },
    };
    let mut documents = Vec::new();
    let read = Documents::named(&text.name, utf_8(&text)?);
    let as_json = read.json();
    for document in read {
        documents.push(document.map_err(|fault| {
            let place = fault.place;
            Failure::new(format!(
                "{}:{}:{}: {}",
                text.name, place.line, place.column, fault.message
            ))
        })?);
    }
    let plugins = documents
        .iter()
        .filter(|document| !document.is_null())
        .flat_map(|document| Contents::of(document, as_json).plugins)
        .collect::<Vec<Plugin<'_>>>();
    let [plugin] = plugins.as_slice() else {
        return Err(Failure::new(format!(
            "{}: has {} configurations: give it one",
            text.name,
            plugins.len()
        )));
    };
    let Ok(settings) = problems::load(plugin, &arguments.proxy) else {
        let mut report = Report::default();
        check(&text, &arguments.proxy, &mut report)?;
        let said = match arguments.format {
            Format::Text => report.text(),
            Format::Json => report.json(),
        };
        return Ok((said, ExitCode::FAILURE));
    };
    let config = plugin
        .config
        .and_then(|config| config.to_json(&[], MOST_VALUES));
    let config = config.and_then(|json| serde_json::from_str(&json).ok());
    let config = config.filter(serde_json::Value::is_object);
    let kinds = settings.tags.iter().filter_map(|tag| match &tag.source {
        TagSource::Attribute(attribute) => Some((attribute.path.join("."), attribute.kind)),
        _ => None,
    });
    let circumstances = Circumstances {
        place: arguments.place.into(),
        proxy: &arguments.proxy,
        properties: &arguments.properties,
        kinds: kinds.collect(),
        peer: arguments.peer.as_deref(),
        seed: arguments.seed,
    };
    let trial = Trial {
        plugin,
        config: &config.unwrap_or_else(|| json!({})),
        at: &circumstances,
        request: &request,
    };
    let story = Story::of(&trial, &settings);
    let text = match arguments.format {
        // The line says so, and there is nothing else to say.
        Format::Text if !settings.enabled => story.filter + "\n",
        Format::Text => text::of(&story),
        Format::Json => story.json(),
    };
    Ok((text, ExitCode::SUCCESS))
}
