//! Whether a property is one of Envoy's, by the module's own list: that of what a tag may read.

use crate::Failure;
use crate::proxy::Pair;
use serde_json::json;
use throughline::config;
use throughline::policy::service::UnknownNode;

/// Refuses a path that no attribute has. What is known only later is one all the same.
pub fn check(property: &Pair) -> Result<(), Failure> {
    let path = &property.name;
    let tag = json!({"customTags": {"property": {"attribute": {"path": path}}}}).to_string();
    match config::load(tag.as_bytes(), &|_: &str| None, &mut UnknownNode) {
        Err(problem) if !problem.message.contains("is known only after") => Err(Failure::new(
            format!("--property {path:.100}: {}", problem.message),
        )),
        _ => Ok(()),
    }
}
