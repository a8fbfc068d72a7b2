//! `throughline schema`: what editors know of the configuration.

use crate::output;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Of pluginConfig. A test holds every field of it against the module's own loader.
pub const OF_CONFIG: &str = include_str!("../../docs/pluginconfig.schema.json");

const EXAMPLES: &str = "\
Editors that use the YAML language server (Visual Studio Code, Neovim, IntelliJ and others) take it from a comment:
  # yaml-language-server: $schema=pluginconfig.schema.json

Examples:
  throughline schema > pluginconfig.schema.json
  throughline schema --kind wasm-plugin > wasmplugin.schema.json";

/// Print the JSON Schema of the configuration, for editors
///
/// Draft 7: names, types, words and ranges. What fields mean together, check says.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Of what: the configuration by itself, or in a manifest
    #[arg(long, value_name = "KIND", default_value = "plugin-config")]
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    PluginConfig,
    WasmPlugin,
    TrafficExtension,
}

impl Kind {
    /// The fields on the way to the configuration.
    const fn path(self) -> &'static [&'static str] {
        match self {
            Self::PluginConfig => &[],
            Self::WasmPlugin => &["spec", "pluginConfig"],
            Self::TrafficExtension => &["spec", "wasm", "pluginConfig"],
        }
    }
}

/// Prints it.
pub fn run(arguments: &Arguments) -> ExitCode {
    match output::print(&of(arguments.kind)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(output::CANNOT_TELL)
        }
    }
}

/// The schema. Of a manifest, what is beside the configuration is left to Istio's own.
pub fn of(kind: Kind) -> String {
    let Ok(Value::Object(mut root)) = serde_json::from_str::<Value>(OF_CONFIG) else {
        return OF_CONFIG.to_owned();
    };
    if kind.path().is_empty() {
        return OF_CONFIG.to_owned();
    }
    let dialect = root.remove("$schema");
    // References begin at the document's root.
    let definitions = root.remove("definitions");
    let mut schema = Value::Object(root);
    for name in kind.path().iter().rev() {
        schema = json!({"type": "object", "properties": {*name: schema}});
    }
    if let Value::Object(schema) = &mut schema {
        schema.extend(dialect.map(|dialect| ("$schema".to_owned(), dialect)));
        schema.extend(definitions.map(|definitions| ("definitions".to_owned(), definitions)));
    }
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
