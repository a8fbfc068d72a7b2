//! All that was found, for whoever shows it.

use crate::backend::Backend;
use crate::bookinfo::Bookinfo;
use crate::story::Story;
use crate::traced::Traced;
use serde_json::Value;
use std::path::Path;

/// What was found.
#[derive(Debug)]
pub struct Report<'a> {
    pub bookinfo: &'a Bookinfo,
    /// Envoy's version.
    pub envoy: &'a str,
    /// Throughline's configuration.
    pub config: &'a Value,
    pub native: &'a Story,
    pub filter: &'a Story,
    pub traced: &'a [Traced],
    /// Where the page is.
    pub page: &'a Path,
    /// What the spans went to, if not to the demo itself.
    pub backend: Option<Backend>,
    /// Where it shows them.
    pub links: Vec<(&'a Traced, String)>,
}
