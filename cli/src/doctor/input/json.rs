//! JSON whose mistakes are named by their place.

use crate::Failure;
use serde::Deserialize;
use serde_json::error::Category;

/// Reads `text`, which stands at `place` (a file, and where in it).
pub fn parse<'a, T: Deserialize<'a>>(place: &str, text: &'a str) -> Result<T, Failure> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader);
    let value = value.map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        match error.classify() {
            Category::Eof => Failure::new(format!(
                "{place}: ends in the middle: it was cut off ({error})"
            )),
            Category::Data if path != "." => Failure::new(format!("{place}: {path}: {error}")),
            Category::Data => Failure::new(format!("{place}: {error}")),
            Category::Syntax | Category::Io => Failure::new(format!("{place}: not JSON: {error}")),
        }
    })?;
    reader
        .end()
        .map_err(|error| Failure::new(format!("{place}: more follows after the JSON: {error}")))?;
    Ok(value)
}
