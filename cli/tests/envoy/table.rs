//! `table.yaml`.

use crate::fields::{Fields, fields};
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use throughline_dev::mesh::{Kind, Listener, Node};

const TABLE: &str = include_str!("table.yaml");

/// A variable of the virtual machine, the same for all: Envoy 1.36 gives all plugins of a module those of the first.
pub const VARIABLE: (&str, &str) = ("STAGE", "production");

/// Every kind of proxy.
pub const NODES: [Kind; 4] = [Kind::Sidecar, Kind::Gateway, Kind::Waypoint, Kind::Plain];

/// A configuration where it runs, and what comes there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    pub what: String,
    /// As explain is told it.
    place: Place,
    pub config: Value,
    /// The upstream.
    #[serde(default = "app")]
    pub cluster: String,
    /// Whether that is outside of the mesh.
    #[serde(default)]
    pub external: bool,
    /// The peer's mTLS identity.
    pub peer: Option<String>,
    pub requests: Vec<Request>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    SidecarInbound,
    SidecarOutbound,
    Gateway,
    Waypoint,
    Envoy,
}

fn app() -> String {
    "app".to_owned()
}

/// Its lines.
#[derive(Debug, Deserialize)]
pub struct Request(Vec<String>);

pub fn read() -> Result<Vec<Setup>> {
    let ids = [
        ("TRACE", "80f198ee56343ba864fe8b2a57d3eff7"),
        ("OTHER", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("SPAN", "e457b5a2e4d86bd1"),
        ("PARENT", "05e3ac9a4f6e3b90"),
    ];
    let table = ids.iter().fold(TABLE.to_owned(), |table, (name, id)| {
        table.replace(name, id)
    });
    serde_yaml_ng::from_str(&table).context("table.yaml")
}

impl Setup {
    pub fn place(&self) -> &'static str {
        match self.place {
            Place::SidecarInbound => "sidecar-inbound",
            Place::SidecarOutbound => "sidecar-outbound",
            Place::Gateway => "gateway",
            Place::Waypoint => "waypoint",
            Place::Envoy => "envoy",
        }
    }

    pub fn node(&self) -> Kind {
        match self.place {
            Place::SidecarInbound | Place::SidecarOutbound => Kind::Sidecar,
            Place::Gateway => Kind::Gateway,
            Place::Waypoint => Kind::Waypoint,
            Place::Envoy => Kind::Plain,
        }
    }

    /// As Istio would direct it.
    pub fn listener(&self) -> Listener {
        match self.place {
            Place::SidecarInbound | Place::Waypoint => Listener::inbound(&self.what),
            Place::SidecarOutbound | Place::Gateway => Listener::outbound(&self.what),
            Place::Envoy => Listener::plain(&self.what),
        }
    }
}

pub fn node(kind: Kind) -> Node {
    match kind {
        Kind::Sidecar => Node::sidecar("productpage", "productpage-v1", "bookinfo"),
        Kind::Gateway => Node::gateway("istio-ingressgateway", "istio-system"),
        Kind::Waypoint => Node::waypoint("waypoint", "bookinfo"),
        Kind::Plain => Node::plain("edge"),
    }
}

impl Request {
    /// As it goes over the wire.
    pub fn head(&self) -> Result<Vec<u8>> {
        let (line, headers) = match self.0.split_first() {
            Some((line, headers)) if line.ends_with(" HTTP/1.1") => (line.as_str(), headers),
            _ => ("GET /productpage HTTP/1.1", self.0.as_slice()),
        };
        let mut lines = vec![line];
        if !headers.iter().any(|header| header.starts_with("Host: ")) {
            lines.push("Host: reviews.bookinfo:9080");
        }
        lines.extend(headers.iter().map(String::as_str));
        let text = lines.join("\r\n") + "\r\n\r\n";
        let bytes = text.chars().map(u8::try_from).collect::<Result<_, _>>();
        bytes.with_context(|| format!("a character of {text:?} is no byte"))
    }

    /// Its headers.
    pub fn fields(&self) -> Result<Fields> {
        let head = self.head()?;
        let lines = head.split(|byte| *byte == b'\n').skip(1);
        let lines = lines.filter(|line| !line.trim_ascii().is_empty());
        let pairs = lines.map(|line| {
            let colon = line.iter().position(|byte| *byte == b':');
            let (name, value) = line.split_at(colon.context("no header")?);
            Ok((name, value.get(1..).context("no value")?))
        });
        Ok(fields(pairs.collect::<Result<Vec<_>>>()?))
    }

    pub fn shown(&self) -> String {
        self.0
            .join("\n")
            .escape_debug()
            .to_string()
            .replace("\\n", "\n  ")
    }
}
