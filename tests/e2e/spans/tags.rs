//! Custom tags of every source are on the span, also where a filter before ours has answered.

use super::hop::Hop;
use super::mesh::Mesh;
use crate::scenarios::tags::tags;
use anyhow::{Result, ensure};
use throughline_dev::http::Request;

pub fn sources(mesh: &Mesh) -> Result<()> {
    for target in ["/tagged?a=b", "/fault/before/tagged"] {
        let request = Request::get(target).header("x-tenant", "acme");
        let exchange = mesh.left(mesh.send_to(Hop::Inbound, "tagged", request)?, 1)?;
        let span = &exchange.outer;
        for (name, _, value) in tags("defaultValue") {
            let value = match name {
                "path" => Some(target),
                "plugin" => Some("tagged"),
                "upstream" if target.starts_with("/fault") => Some("upstream"),
                _ => value,
            };
            let got = span.attributes.get(name).map(ToString::to_string);
            ensure!(
                got.as_deref() == value,
                "{target}: {name}: {got:?}, not {value:?}\n{span}"
            );
        }
    }
    Ok(())
}
