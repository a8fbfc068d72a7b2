//! `response`.

use super::{
    Problem,
    reader::Object,
    tags::{header_name, is_taken},
};
use crate::policy::response::ResponseSettings;

pub const FIELDS: [&str; 2] = ["serverTiming", "traceId"];

/// What a response says for others, besides what is taken in requests.
const TAKEN: [&str; 14] = [
    "age",
    "allow",
    "alt-svc",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "retry-after",
    "server",
    "server-timing",
    "strict-transport-security",
    "vary",
    "www-authenticate",
];

pub fn load(section: Option<&Object<'_>>) -> Result<ResponseSettings, Problem> {
    let get = |name: &str| section.and_then(|section| section.get(name));
    let server_timing = get("serverTiming").map(|node| node.bool()).transpose()?;
    let trace_id = match get("traceId") {
        Some(node) if !node.string()?.is_empty() => {
            let name = header_name(&node, node.string()?)?;
            if is_taken(&name) || TAKEN.contains(&name.as_str()) {
                return Err(node.problem(format!(
                    "{name} has a meaning already; choose a name of your own, as x-trace-id"
                )));
            }
            Some(name)
        }
        _ => None,
    };
    Ok(ResponseSettings {
        server_timing: server_timing.unwrap_or_default(),
        trace_id,
    })
}
